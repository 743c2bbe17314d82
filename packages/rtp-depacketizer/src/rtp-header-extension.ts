/** RTP header extensions in their one-byte and two-byte forms (RFC 8285 §4.2, §4.3). */

/** One header extension element. */
export interface RtpHeaderExtension {
  /** 1 to 14 in the one-byte form, 1 to 255 in the two-byte form. */
  readonly id: number
  /** A view of the packet. */
  readonly data: Uint8Array
}

export const ONE_BYTE_PROFILE = 0xbede
/** The two-byte form has 0x100 and four bits that the application may use. */
export const TWO_BYTE_PROFILE = 0x1000

/**
 * Offset of the data of the first non-empty element `id` between `start` and `end`, or -1.
 * Allocates nothing: it runs for every packet of a track that has an extension to watch.
 */
export function findHeaderExtension(
  bytes: Uint8Array,
  profile: number,
  start: number,
  end: number,
  id: number,
): number {
  const oneByte = profile === ONE_BYTE_PROFILE
  if (!oneByte && (profile & 0xfff0) !== TWO_BYTE_PROFILE) return -1
  let offset = start
  while (offset < end) {
    const head = bytes[offset]!
    if (head === 0) {
      offset++
      continue
    }
    const found = oneByte ? head >>> 4 : head
    // §4.2: 15 is reserved for the future, and everything from there on must be ignored.
    if (oneByte && found === 15) return -1
    const length = oneByte ? (head & 0x0f) + 1 : (bytes[offset + 1] ?? 0)
    offset += oneByte ? 1 : 2
    if (offset + length > end) return -1
    if (found === id && length > 0) return offset
    offset += length
  }
  return -1
}

/** All elements between `start` and `end`, up to the first that is cut short. */
export function listHeaderExtensions(
  bytes: Uint8Array,
  profile: number,
  start: number,
  end: number,
): readonly RtpHeaderExtension[] {
  const extensions: RtpHeaderExtension[] = []
  const oneByte = profile === ONE_BYTE_PROFILE
  if (!oneByte && (profile & 0xfff0) !== TWO_BYTE_PROFILE) return extensions
  let offset = start
  while (offset < end) {
    const head = bytes[offset]!
    if (head === 0) {
      offset++
      continue
    }
    const id = oneByte ? head >>> 4 : head
    if (oneByte && id === 15) break
    const length = oneByte ? (head & 0x0f) + 1 : (bytes[offset + 1] ?? 0)
    offset += oneByte ? 1 : 2
    if (offset + length > end) break
    // In the one-byte form an id of 0 with a length is padding with data: it counts for nothing.
    if (id !== 0) extensions.push({ id, data: bytes.subarray(offset, offset + length) })
    offset += length
  }
  return extensions
}
