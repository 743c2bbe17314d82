/**
 * The index at the end of a superframe of frames of these lengths in bytes (VP9 bitstream specification, Annex B):
 * one to eight of them.
 */
export function vp9SuperframeIndex(frameBytes: readonly number[]): Uint8Array {
  const largest = Math.max(...frameBytes)
  const magnitude = largest < 1 << 8 ? 1 : largest < 1 << 16 ? 2 : largest < 1 << 24 ? 3 : 4
  const index = new Uint8Array(2 + magnitude * frameBytes.length)
  const marker = 0xc0 | ((magnitude - 1) << 3) | (frameBytes.length - 1)
  index[0] = marker
  index[index.byteLength - 1] = marker
  let offset = 1
  for (const bytes of frameBytes) {
    for (let byte = 0; byte < magnitude; byte++) index[offset++] = Math.floor(bytes / 2 ** (8 * byte)) & 0xff
  }
  return index
}
