/**
 * The CRC of PSI sections (ISO/IEC 13818-1 Annex A): polynomial 0x04C11DB7, start value all ones, no reflection.
 * Over a whole section with its CRC the result is 0.
 */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    // Bit by bit: a section is short, and there is no table to get wrong.
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}
