/** The compound of a sender report for another source and time: name included, report blocks left out. */
export function rewriteReport(bytes: Uint8Array, ssrc: number, rtpTimestamp: number): Uint8Array {
  const blocks = (bytes[0]! & 0x1f) * 24
  const out = new Uint8Array(bytes.byteLength - blocks)
  out.set(bytes.subarray(0, 28))
  out.set(bytes.subarray(28 + blocks), 28)
  const view = new DataView(out.buffer)
  out[0] = 0x80
  view.setUint16(2, 6)
  view.setUint32(4, ssrc)
  view.setUint32(16, rtpTimestamp)
  // The chunk of the source description begins behind its header.
  if (out.byteLength >= 36) view.setUint32(32, ssrc)
  return out
}
