/** The byte stream format (ITU-T H.264 Annex B): NAL units behind start codes 00 00 01. */

/**
 * The NAL units as views into `bytes`. Zero bytes around them are not theirs (§B.1.1), and what stands before the first
 * start code is skipped. Empty ones are left out.
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const nalUnits: Uint8Array[] = []
  let start = afterStartCode(bytes, 0)
  while (start >= 0) {
    const next = afterStartCode(bytes, start)
    let end = next < 0 ? bytes.byteLength : next - 3
    while (end > start && bytes[end - 1] === 0) end--
    if (end > start) nalUnits.push(bytes.subarray(start, end))
    start = next
  }
  return nalUnits
}

/** The NAL units behind four-byte start codes. */
export function joinAnnexB(nalUnits: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const nalUnit of nalUnits) length += 4 + nalUnit.byteLength
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const nalUnit of nalUnits) {
    bytes[offset + 3] = 1
    bytes.set(nalUnit, offset + 4)
    offset += 4 + nalUnit.byteLength
  }
  return bytes
}

/** The position after the next 00 00 01 at or after `from`; -1 if there is none. */
function afterStartCode(bytes: Uint8Array, from: number): number {
  for (let i = from + 2; i < bytes.byteLength; ) {
    const byte = bytes[i]!
    if (byte > 1) i += 3
    else if (byte === 1 && bytes[i - 1] === 0 && bytes[i - 2] === 0) return i + 1
    else i++
  }
  return -1
}
