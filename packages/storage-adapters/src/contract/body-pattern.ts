/** Bytes that differ everywhere and from seed to seed, so that a mix of two bodies or a lost block shows. */
export function patternBytes(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let index = 0; index < size; index += 1) {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

/** The same kind of bytes as a stream: blocks of 1 MiB, each with its own seed, so that it costs little memory. */
export async function* patternStream(size: number, seed: number): AsyncGenerator<Uint8Array, void, undefined> {
  const block = patternBytes(1_048_576, seed)
  for (let offset = 0; offset < size; offset += block.byteLength) {
    new DataView(block.buffer).setUint32(0, offset / block.byteLength)
    yield block.slice(0, Math.min(block.byteLength, size - offset))
  }
}
