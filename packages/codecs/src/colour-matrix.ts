import type { AVColorSpace } from 'node-av/constants'
import type { NodeAv } from './node-av.js'
import type { CanvasPlanes, PictureArea, PictureCanvas } from './picture-canvas.js'

/** Weights of red and blue in luma. */
interface LumaWeights {
  readonly red: number
  readonly blue: number
}

const BT601: LumaWeights = { red: 0.299, blue: 0.114 }
const BT709: LumaWeights = { red: 0.2126, blue: 0.0722 }
/** ITU-R BT.2020-2, table 4, non-constant luminance. */
const BT2020: LumaWeights = { red: 0.2627, blue: 0.0593 }
const FRACTION_BITS = 14
const HALF = 1 << (FRACTION_BITS - 1)

/** What a step of U or V adds to Y, U and V, as fractions of 2^14: limited range has 219 steps of luma, 224 of chroma. */
const FROM_BT601 = fractions(BT601)
const FROM_BT2020 = fractions(BT2020)
/** The same from limited range to full, where both have 255. */
const [JFIF_UY, JFIF_UU, JFIF_UV, JFIF_VY, JFIF_VU, JFIF_VV] = weights(BT709, BT601, 255 / 224, 255 / 224)
const JFIF_LUMA = 255 / 219

/**
 * Pictures by the matrix of BT.601 or BT.2020 become such by that of BT.709, in place; both in limited range. Others stay.
 * The primaries are taken for the same: what differs is hardly to be seen on a call.
 * @param colorSpace matrix_coefficients of ITU-T H.273
 */
export function convertMatrix(
  { constants }: NodeAv,
  colorSpace: AVColorSpace,
  canvas: PictureCanvas,
  { x, y, width, height }: PictureArea,
): void {
  const { AVCOL_SPC_BT470BG, AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT2020_NCL } = constants
  const isBt601 = colorSpace === AVCOL_SPC_BT470BG || colorSpace === AVCOL_SPC_SMPTE170M
  if (!isBt601 && colorSpace !== AVCOL_SPC_BT2020_NCL) return
  const [uy, uu, uv, vy, vu, vv] = isBt601 ? FROM_BT601 : FROM_BT2020
  const [luma, blue, red] = canvas.planes
  const stride = canvas.width
  const half = stride >> 1
  for (let row = y >> 1; row < (y + height) >> 1; row++) {
    let at = row * half + (x >> 1)
    let above = row * 2 * stride + x
    let below = above + stride
    for (const end = at + (width >> 1); at < end; at++, above += 2, below += 2) {
      const u = blue[at]! - 128
      const v = red[at]! - 128
      // Grey is grey by any matrix.
      if (u === 0 && v === 0) continue
      const more = (uy * u + vy * v + HALF) >> FRACTION_BITS
      luma[above] = byte(luma[above]! + more)
      luma[above + 1] = byte(luma[above + 1]! + more)
      luma[below] = byte(luma[below]! + more)
      luma[below + 1] = byte(luma[below + 1]! + more)
      blue[at] = byte(128 + ((uu * u + vu * v + HALF) >> FRACTION_BITS))
      red[at] = byte(128 + ((uv * u + vv * v + HALF) >> FRACTION_BITS))
    }
  }
}

/**
 * What lies on a canvas as JFIF has it, in `target` planes of `width` by `height` from its upper left corner: by the matrix
 * of BT.601, in full range.
 */
export function writeJfif(canvas: CanvasPlanes, { width, height, planes }: CanvasPlanes): void {
  const [luma, blue, red] = canvas.planes
  const [toLuma, toBlue, toRed] = planes
  for (let row = 0; row < height >> 1; row++) {
    let at = row * (canvas.width >> 1)
    let above = row * 2 * canvas.width
    let below = above + canvas.width
    let to = row * (width >> 1)
    let toAbove = row * 2 * width
    let toBelow = toAbove + width
    for (const end = to + (width >> 1); to < end; to++, at++, above += 2, below += 2, toAbove += 2, toBelow += 2) {
      const u = blue[at]! - 128
      const v = red[at]! - 128
      const more = JFIF_UY * u + JFIF_VY * v
      toLuma[toAbove] = byte(Math.round((luma[above]! - 16) * JFIF_LUMA + more))
      toLuma[toAbove + 1] = byte(Math.round((luma[above + 1]! - 16) * JFIF_LUMA + more))
      toLuma[toBelow] = byte(Math.round((luma[below]! - 16) * JFIF_LUMA + more))
      toLuma[toBelow + 1] = byte(Math.round((luma[below + 1]! - 16) * JFIF_LUMA + more))
      toBlue[to] = byte(Math.round(128 + JFIF_UU * u + JFIF_UV * v))
      toRed[to] = byte(Math.round(128 + JFIF_VU * u + JFIF_VV * v))
    }
  }
}

function fractions(from: LumaWeights): Weights {
  return weights(from, BT709, 219 / 224, 1).map((weight) => Math.round(weight * (1 << FRACTION_BITS))) as never
}

function byte(value: number): number {
  return Math.max(0, Math.min(255, value))
}

type Weights = readonly [uy: number, uu: number, uv: number, vy: number, vu: number, vv: number]

/**
 * What a step of U or V adds to Y, U and V, by way of red, green and blue.
 * @param luma steps of luma for each of chroma that comes
 * @param chroma the same of chroma
 */
function weights(from: LumaWeights, to: LumaWeights, luma: number, chroma: number): Weights {
  const column = (u: number, v: number): readonly [number, number, number] => {
    const red = 2 * (1 - from.red) * v
    const blue = 2 * (1 - from.blue) * u
    const green = -(from.red * red + from.blue * blue) / (1 - from.red - from.blue)
    const y = to.red * red + to.blue * blue + (1 - to.red - to.blue) * green
    return [luma * y, (chroma * (blue - y)) / (2 * (1 - to.blue)), (chroma * (red - y)) / (2 * (1 - to.red))]
  }
  return [...column(1, 0), ...column(0, 1)]
}
