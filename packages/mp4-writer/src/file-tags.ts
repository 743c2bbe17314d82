import { type Box, box, fullBox, uint32s } from './box.js'

/** Tags of the file. */
export interface Mp4Metadata {
  readonly title?: string
  /** Wall-clock time at recording time zero. */
  readonly startedAt?: Date
}

const UTF8_TEXT = 1

/** `udta` with title and date, as QuickTime and iTunes keep them and every player reads them; empty without any. */
export function fileTags({ title, startedAt }: Mp4Metadata): Box {
  const items: Box[] = []
  if (title !== undefined) items.push(tag('nam', title))
  if (startedAt !== undefined) items.push(tag('day', startedAt.toISOString().slice(0, 10)))
  if (items.length === 0) return []
  const handler = fullBox('hdlr', 0, 0, uint32s(0), encode('mdirappl'), new Uint8Array(9))
  return box('udta', fullBox('meta', 0, 0, handler, box('ilst', ...items)))
}

/** The names begin with a copyright sign. */
function tag(name: string, value: string): Box {
  return box(`\u00a9${name}`, box('data', uint32s(UTF8_TEXT, 0), encode(value)))
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
