/** ITU-T G.711: one byte a sample at 8 kHz, by its two laws, as values from -1 to 1. */

const MU_LAW = Float32Array.from({ length: 256 }, (_, byte) => muLaw(byte) / 32_768)
const A_LAW = Float32Array.from({ length: 256 }, (_, byte) => aLaw(byte) / 32_768)

/** Writes the samples of `packet` to `output`, which must be long enough. */
export function decodeG711(law: 'pcmu' | 'pcma', packet: Uint8Array, output: Float32Array): void {
  const table = law === 'pcmu' ? MU_LAW : A_LAW
  for (let index = 0; index < packet.length; index++) output[index] = table[packet[index]!]!
}

/** 14 bits, left-aligned in 16. All bits are sent inverted (G.711 table 2a). */
function muLaw(byte: number): number {
  const bits = ~byte & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84
  return (bits & 0x80) === 0 ? magnitude : 0 - magnitude
}

/** 13 bits, left-aligned in 16. The even bits are sent inverted (G.711 table 1a). */
function aLaw(byte: number): number {
  const bits = byte ^ 0x55
  const exponent = (bits >> 4) & 7
  const mantissa = ((bits & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return (bits & 0x80) === 0 ? 0 - magnitude : magnitude
}
