/** Where a picture goes: pure arithmetic in pixels. Chroma has half the size, so everything is even. */

/** A size in pixels. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** A picture within a canvas. */
export interface PictureFit {
  readonly canvas: PictureSize
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What bounds the output: a canvas of fixed size, or the most that a side may have. */
export interface PictureBounds {
  readonly size?: PictureSize
  readonly maxWidth?: number
  readonly maxHeight?: number
}

/** The picture as it is, made smaller in proportion where it must be; on a fixed canvas as large as it fits, centred. */
export function fitPicture(source: PictureSize, bounds: PictureBounds): PictureFit {
  const { size, maxWidth = source.width, maxHeight = source.height } = bounds
  if (size === undefined) {
    const scale = Math.min(1, maxWidth / source.width, maxHeight / source.height)
    const canvas = scaled(source, scale)
    return { canvas, x: 0, y: 0, ...canvas }
  }
  const scale = Math.min(size.width / source.width, size.height / source.height)
  const { width, height } = scaled(source, scale)
  return {
    canvas: size,
    x: evenBelow((size.width - width) / 2),
    y: evenBelow((size.height - height) / 2),
    width,
    height,
  }
}

function scaled({ width, height }: PictureSize, scale: number): PictureSize {
  // A hair is added against sides like 639.9999.
  return { width: Math.max(2, evenBelow(width * scale + 1e-6)), height: Math.max(2, evenBelow(height * scale + 1e-6)) }
}

function evenBelow(value: number): number {
  return Math.floor(value / 2) * 2
}
