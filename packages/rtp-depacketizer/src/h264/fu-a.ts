import { Fragment, type FragmentReassembly } from '../nal/fragment-reassembly.js'

/** Each one-byte NAL unit header, shared: a fragmented NAL unit's own header is not in any packet. */
const NAL_UNIT_HEADERS: readonly Uint8Array[] = Array.from({ length: 256 }, (_, header) => Uint8Array.of(header))

/**
 * Takes the FU-A (RFC 6184 §5.8) from `bytes[start]` to `bytes[end]`: one NAL unit over several packets.
 * Returns one of {@link Fragment}.
 */
export function pushFuA(fragments: FragmentReassembly, bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 3) return Fragment.malformed
  const fuHeader = bytes[start + 1]!
  const header = (bytes[start]! & 0xe0) | (fuHeader & 0x1f)
  const isStart = fuHeader >= 0x80
  const isEnd = (fuHeader & 0x40) !== 0
  // §5.8: the start and end bits must not both be set, and aggregates are not fragmented.
  if ((isStart && isEnd) || (fuHeader & 0x1f) === 0 || (fuHeader & 0x1f) > 23) return Fragment.malformed
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start + 2, end - start - 2)
  return isStart ? fragments.begin(header, NAL_UNIT_HEADERS[header]!, view) : fragments.continue(header, view, isEnd)
}
