/**
 * Boxes of the ISO base media file format (ISO/IEC 14496-12 §4.2), made and taken apart.
 * A box is the list of its parts, so that nesting copies nothing; {@link joinBoxes} copies once.
 */
export type Box = readonly Uint8Array[]

const HEADER_BYTES = 8

/** Bytes of all parts. */
export function sizeOf(box: Box): number {
  let size = 0
  for (const part of box) size += part.byteLength
  return size
}

/** One box around `content`. Only a media data box may be larger than 4 GiB, and its header is made elsewhere. */
export function box(type: string, ...content: readonly (Box | Uint8Array)[]): Box {
  const parts: Uint8Array[] = []
  for (const piece of content) {
    if (piece instanceof Uint8Array) parts.push(piece)
    else for (const part of piece) parts.push(part)
  }
  return [boxHeader(type, HEADER_BYTES + sizeOf(parts)), ...parts]
}

/** A box that begins with a version and flags (§4.2). */
export function fullBox(type: string, version: number, flags: number, ...content: readonly (Box | Uint8Array)[]): Box {
  return box(type, uint32s((version << 24) | flags), ...content)
}

/** The eight bytes before the content. */
export function boxHeader(type: string, size: number): Uint8Array {
  const header = uint32s(size, 0)
  for (let index = 0; index < 4; index++) header[4 + index] = type.charCodeAt(index)
  return header
}

/** The sixteen bytes before a content that may be larger than 4 GiB. */
export function largeBoxHeader(type: string, size: number): Uint8Array {
  const header = new Uint8Array(16)
  header.set(boxHeader(type, 1))
  header.set(uint64(size), 8)
  return header
}

/** Big-endian 32 bit integers, signed ones as their complement. */
export function uint32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < values.length; index++) view.setUint32(index * 4, values[index]! >>> 0)
  return bytes
}

/** A big-endian 64 bit integer. */
export function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value))
  return bytes
}

/** All parts in one piece. */
export function joinBoxes(box: Box): Uint8Array {
  const bytes = new Uint8Array(sizeOf(box))
  let offset = 0
  for (const part of box) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

/** A box as it lies in a buffer. */
export interface FoundBox {
  readonly type: string
  /** Header and content: a view. */
  readonly bytes: Uint8Array
  /** What is behind the header: a view. */
  readonly content: Uint8Array
}

/** The boxes one after the other in `bytes`. What is cut short at the end is left out. */
function boxesIn(bytes: Uint8Array): FoundBox[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: FoundBox[] = []
  for (let offset = 0; offset + HEADER_BYTES <= bytes.byteLength; ) {
    const size = view.getUint32(offset)
    if (size < HEADER_BYTES || offset + size > bytes.byteLength) break
    const whole = bytes.subarray(offset, offset + size)
    found.push({ type: typeAt(whole, 4), bytes: whole, content: whole.subarray(HEADER_BYTES) })
    offset += size
  }
  return found
}

/** The first box of that type on a path of nested boxes, e.g. `['trak', 'mdia', 'hdlr']`. */
export function findBox(bytes: Uint8Array, path: readonly string[]): FoundBox | undefined {
  let within = bytes
  let found: FoundBox | undefined
  for (const type of path) {
    found = boxesIn(within).find((candidate) => candidate.type === type)
    if (found === undefined) return undefined
    within = found.content
  }
  return found
}

/** Four characters at `offset`. */
export function typeAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(bytes[offset]!, bytes[offset + 1]!, bytes[offset + 2]!, bytes[offset + 3]!)
}
