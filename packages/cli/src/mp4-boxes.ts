import { type FileHandle, open } from 'node:fs/promises'

/** A box of an MP4 file (ISO/IEC 14496-12 §4.2) whose content has been read. */
export interface Mp4Box {
  readonly type: string
  readonly body: DataView
}

/** What describes samples; media data is skipped, however long it is. */
const wanted: ReadonlySet<string> = new Set(['moov', 'moof'])
/** The moov of a day of sound and pictures is below 100 MB. */
const MAX_BOX_BYTES = 512 * 1024 * 1024

/** The boxes `moov` and `moof` of a file, in order. Stops at the first that cannot be one, or that is cut short. */
export async function readMovieBoxes(path: string, signal: AbortSignal): Promise<Mp4Box[]> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const boxes: Mp4Box[] = []
    for (let offset = 0; offset + 8 <= size; ) {
      signal.throwIfAborted()
      const head = headerOf(await readAt(file, offset, Math.min(16, size - offset)), size - offset)
      if (head === undefined || offset + head.size > size) break
      if (wanted.has(head.type) && head.size <= MAX_BOX_BYTES) {
        const body = await readAt(file, offset + head.length, head.size - head.length)
        boxes.push({ type: head.type, body })
      }
      offset += head.size
    }
    return boxes
  } finally {
    await file.close()
  }
}

/** The boxes within `body`, from `offset` on. */
export function childBoxes(body: DataView, offset = 0): Mp4Box[] {
  const boxes: Mp4Box[] = []
  for (let at = offset; at + 8 <= body.byteLength; ) {
    const head = headerOf(viewAt(body, at, Math.min(16, body.byteLength - at)), body.byteLength - at)
    if (head === undefined || at + head.size > body.byteLength) break
    boxes.push({ type: head.type, body: viewAt(body, at + head.length, head.size - head.length) })
    at += head.size
  }
  return boxes
}

/** The first box at the end of a path of types. */
export function findBox(body: DataView, ...path: readonly string[]): DataView | undefined {
  let current: DataView | undefined = body
  for (const type of path) current = current && childBoxes(current).find((box) => box.type === type)?.body
  return current
}

/** A part of a view. */
export function viewAt(view: DataView, offset: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + offset, length)
}

function headerOf(
  view: DataView,
  room: number,
): { readonly type: string; readonly size: number; readonly length: number } | undefined {
  const type = textAt(view, 4)
  const size = view.getUint32(0)
  if (size === 0) return { type, size: room, length: 8 }
  if (size !== 1) return size < 8 ? undefined : { type, size, length: 8 }
  if (view.byteLength < 16) return undefined
  const long = Number(view.getBigUint64(8))
  return long < 16 ? undefined : { type, size: long, length: 16 }
}

/** Four characters. */
export function textAt(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)))
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return new DataView(bytes.buffer, 0, filled)
}
