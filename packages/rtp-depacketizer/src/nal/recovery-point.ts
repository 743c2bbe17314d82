const RECOVERY_POINT = 6

/**
 * Whether an SEI NAL unit, whose header has `headerBytes`, has a recovery point message (ITU-T H.264 §7.3.2.3.1, §D.1.8;
 * H.265 has the same syntax and number).
 */
export function hasRecoveryPoint(sei: Uint8Array, headerBytes: 1 | 2): boolean {
  let offset: number = headerBytes
  // The last byte is the RBSP trailing bits. Emulation prevention only ever lengthens: a message that is misread for it
  // stands behind one with many zero bytes, which encoders put last.
  while (offset + 2 < sei.byteLength) {
    let type = 0
    while (sei[offset] === 0xff) {
      type += 255
      offset++
    }
    type += sei[offset++] ?? 0
    let size = 0
    while (sei[offset] === 0xff) {
      size += 255
      offset++
    }
    size += sei[offset++] ?? 0
    if (type === RECOVERY_POINT) return true
    offset += size
  }
  return false
}
