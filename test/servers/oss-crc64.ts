// CRC-64/XZ by its definition, a byte at a time: slow, and not the one that it is to check.
const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte)
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n
  return [Number(crc >> 32n), Number(crc & 0xffffffffn)] as const
})

/** As OSS writes it in `x-oss-hash-crc64ecma`. */
export function crc64Decimal(bytes: Uint8Array): string {
  let high = 0xffffffff
  let low = 0xffffffff
  for (const byte of bytes) {
    const [tableHigh, tableLow] = table[(low ^ byte) & 0xff] as readonly [number, number]
    low = ((low >>> 8) | (high << 24)) ^ tableLow
    high = (high >>> 8) ^ tableHigh
  }
  return String((BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0))
}
