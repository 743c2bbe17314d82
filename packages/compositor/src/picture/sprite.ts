import type { PictureCanvas, YuvColor } from '@rushes/codecs'
import { chromaOf, lumaOf } from './yuv-color.js'

/** Straight alpha, 8 bits, four bytes a pixel: red, green, blue, alpha. */
export interface RgbaImage {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray | Uint8Array
}

/** A stretch of a row that is not transparent: row, first column, length, where its samples begin, 1 if opaque. */
type Run = readonly [row: number, start: number, length: number, offset: number, opaque: boolean]

interface SpritePlane {
  readonly runs: readonly Run[]
  /** 0 to 256. */
  readonly alpha: Uint16Array
  readonly values: Uint8Array
}

/** A small picture with transparency, prepared for a canvas: only what is to be seen of it is kept. */
export class Sprite {
  /** Even. */
  readonly width: number
  /** Even. */
  readonly height: number
  readonly #planes: readonly SpritePlane[]

  private constructor(width: number, height: number, planes: readonly SpritePlane[]) {
    this.width = width
    this.height = height
    this.#planes = planes
  }

  /** `opacity` (0 to 1) makes all of it more transparent. */
  static fromRgba(image: RgbaImage, opacity = 1): Sprite {
    const { data } = image
    const width = evenAbove(image.width)
    const height = evenAbove(image.height)
    const luma = new PlaneBuilder(width, height)
    const chroma = [new PlaneBuilder(width / 2, height / 2), new PlaneBuilder(width / 2, height / 2)] as const
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        let [red, green, blue, alphas] = [0, 0, 0, 0]
        for (let part = 0; part < 4; part++) {
          const column = x + (part & 1)
          const row = y + (part >> 1)
          if (column >= image.width || row >= image.height) continue
          const at = (row * image.width + column) * 4
          const alpha = ((data[at + 3] ?? 0) / 255) * opacity
          if (alpha === 0) continue
          const [r, g, b] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0]
          luma.set(column, row, alpha, lumaOf(r, g, b))
          red += r * alpha
          green += g * alpha
          blue += b * alpha
          alphas += alpha
        }
        if (alphas === 0) continue
        const [u, v] = chromaOf(red / alphas, green / alphas, blue / alphas)
        chroma[0].set(x / 2, y / 2, alphas / 4, u)
        chroma[1].set(x / 2, y / 2, alphas / 4, v)
      }
    }
    return new Sprite(
      width,
      height,
      [luma, ...chroma].map((builder) => builder.build()),
    )
  }

  /** One colour, as much of it as `coverage` says: `width * height` values from 0 to 1. */
  static fromCoverage(width: number, height: number, coverage: Float32Array, color: YuvColor): Sprite {
    const luma = new PlaneBuilder(width, height)
    const chroma = [new PlaneBuilder(width / 2, height / 2), new PlaneBuilder(width / 2, height / 2)] as const
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        let sum = 0
        for (let part = 0; part < 4; part++) {
          const column = x + (part & 1)
          const row = y + (part >> 1)
          const alpha = coverage[row * width + column] ?? 0
          if (alpha > 0) luma.set(column, row, alpha, color[0])
          sum += alpha
        }
        if (sum === 0) continue
        chroma[0].set(x / 2, y / 2, sum / 4, color[1])
        chroma[1].set(x / 2, y / 2, sum / 4, color[2])
      }
    }
    return new Sprite(
      width,
      height,
      [luma, ...chroma].map((builder) => builder.build()),
    )
  }

  /** Draws it over what is there, with its left upper corner at even `x`, `y`; all of it lies within the canvas. */
  draw(canvas: PictureCanvas, x: number, y: number): void {
    for (let index = 0; index < 3; index++) {
      const shift = index === 0 ? 0 : 1
      const { runs, alpha, values } = this.#planes[index]!
      const plane = canvas.planes[index]!
      const stride = canvas.width >> shift
      const origin = (y >> shift) * stride + (x >> shift)
      for (const [row, start, length, offset, opaque] of runs) {
        const base = origin + row * stride + start
        if (opaque) {
          plane.set(values.subarray(offset, offset + length), base)
          continue
        }
        for (let at = 0; at < length; at++) {
          const weight = alpha[offset + at]!
          plane[base + at] = (plane[base + at]! * (256 - weight) + values[offset + at]! * weight + 128) >> 8
        }
      }
    }
  }
}

class PlaneBuilder {
  readonly #width: number
  readonly #height: number
  readonly #alpha: Uint16Array
  readonly #values: Uint8Array

  constructor(width: number, height: number) {
    this.#width = width
    this.#height = height
    this.#alpha = new Uint16Array(width * height)
    this.#values = new Uint8Array(width * height)
  }

  set(x: number, y: number, alpha: number, value: number): void {
    const at = y * this.#width + x
    this.#alpha[at] = Math.round(alpha * 256)
    this.#values[at] = Math.round(value)
  }

  build(): SpritePlane {
    const runs: Run[] = []
    for (let row = 0; row < this.#height; row++) {
      const base = row * this.#width
      for (let column = 0; column < this.#width; ) {
        const first = this.#alpha[base + column]!
        let end = column + 1
        const isSame = (alpha: number): boolean =>
          first === 0 ? alpha === 0 : first === 256 ? alpha === 256 : alpha > 0 && alpha < 256
        while (end < this.#width && isSame(this.#alpha[base + end]!)) end++
        if (first > 0) runs.push([row, column, end - column, base + column, first === 256])
        column = end
      }
    }
    return { runs, alpha: this.#alpha, values: this.#values }
  }
}

function evenAbove(value: number): number {
  return Math.ceil(value / 2) * 2
}
