/** The CRC of PSI sections (ISO/IEC 13818-1 Annex A): polynomial 0x04C11DB7, not reflected, start of all ones. */

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  return crc >>> 0
})

/** The CRC of `bytes`; over a section with its CRC it is 0. */
export function crc32Mpeg2(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc << 8) ^ TABLE[((crc >>> 24) ^ byte) & 0xff]!
  return crc >>> 0
}
