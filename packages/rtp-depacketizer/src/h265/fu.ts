import { Fragment, type FragmentReassembly } from '../nal/fragment-reassembly.js'

/**
 * Takes the fragmentation unit (RFC 7798 §4.4.3) from `bytes[start]` to `bytes[end]`; `donlBytes` is the length of the
 * decoding order number in the first fragment of each NAL unit, 0 or 2. Returns one of {@link Fragment}.
 */
export function pushFu(
  fragments: FragmentReassembly,
  bytes: Uint8Array,
  start: number,
  end: number,
  donlBytes: number,
): number {
  const fuHeader = bytes[start + 2] ?? 0
  const isStart = fuHeader >= 0x80
  const isEnd = (fuHeader & 0x40) !== 0
  const offset = start + 3 + (isStart ? donlBytes : 0)
  // The start and end bits must not both be set, and what only RTP has (types 48 on) is not fragmented.
  if (offset >= end || (isStart && isEnd) || (fuHeader & 0x3f) >= 48) return Fragment.malformed
  const first = (bytes[start]! & 0x81) | ((fuHeader & 0x3f) << 1)
  const second = bytes[start + 1]!
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset + offset, end - offset)
  return isStart
    ? fragments.begin((first << 8) | second, Uint8Array.of(first, second), view)
    : fragments.continue((first << 8) | second, view, isEnd)
}
