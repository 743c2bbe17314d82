import type { PictureArea, PictureCanvas } from '@rushes/codecs'

/** The samples of an area with even sides, as `TakenThumbnail` has them. */
export function readArea(canvas: PictureCanvas, area: PictureArea): Uint8Array {
  const samples = new Uint8Array((area.width * area.height * 3) / 2)
  visitRows(canvas, area, (row, offset) => samples.set(row, offset))
  return samples
}

/** Puts them back; what is missing at their end is left as it is. */
export function writeArea(canvas: PictureCanvas, area: PictureArea, samples: Uint8Array): void {
  visitRows(canvas, area, (row, offset) => row.set(samples.subarray(offset, offset + row.byteLength)))
}

/**
 * Shows each row of an area with even sides: of luma, then of both chroma planes. What is written to a row is on the
 * canvas. `offset`: samples before it.
 */
export function visitRows(
  canvas: PictureCanvas,
  { x, y, width, height }: PictureArea,
  visit: (row: Uint8Array, offset: number) => void,
): void {
  let offset = 0
  for (const [index, plane] of canvas.planes.entries()) {
    const shift = index === 0 ? 0 : 1
    const stride = canvas.width >> shift
    const length = width >> shift
    for (let row = y >> shift; row < (y + height) >> shift; row++) {
      const start = row * stride + (x >> shift)
      visit(plane.subarray(start, start + length), offset)
      offset += length
    }
  }
}
