import type { EncodedSample } from '@rushes/media'

/** Payload bytes of a sample. Where there are pieces, `data` is not touched: reading it may join them. */
export function sampleBytes(sample: EncodedSample): number {
  const { pieces } = sample
  let bytes = 0
  if (pieces !== undefined) {
    for (const nalUnit of pieces) for (const piece of nalUnit) bytes += piece.byteLength
    return bytes
  }
  const { data } = sample
  if (data instanceof Uint8Array) return data.byteLength
  for (const nalUnit of data) bytes += nalUnit.byteLength
  return bytes
}
