import type { PictureSize } from './picture-fit.js'

/** ITU-T H.264 Table A-1: macroblocks a second, macroblocks of a picture, kbit/s (of profile Main). */
const LEVELS: readonly (readonly [level: string, rate: number, size: number, bitRate: number])[] = [
  ['1', 1485, 99, 64],
  ['1.1', 3000, 396, 192],
  ['1.2', 6000, 396, 384],
  ['1.3', 11_880, 396, 768],
  ['2', 11_880, 396, 2000],
  ['2.1', 19_800, 792, 4000],
  ['2.2', 20_250, 1620, 4000],
  ['3', 40_500, 1620, 10_000],
  ['3.1', 108_000, 3600, 14_000],
  ['3.2', 216_000, 5120, 20_000],
  ['4', 245_760, 8192, 20_000],
  ['4.1', 245_760, 8192, 50_000],
  ['4.2', 522_240, 8704, 50_000],
  ['5', 589_824, 22_080, 135_000],
  ['5.1', 983_040, 36_864, 240_000],
  ['5.2', 2_073_600, 36_864, 240_000],
]

/** The lowest level that a decoder must have for pictures of this size, this many a second, with no more than four references. */
export function h264Level({ width, height }: PictureSize, frameRate: number, bitRate = 0): string {
  const columns = Math.ceil(width / 16)
  const rows = Math.ceil(height / 16)
  const size = columns * rows
  const found = LEVELS.find(
    ([, maxRate, maxSize, maxBitRate]) =>
      // No side may be longer than this (§A.3.1).
      Math.max(columns, rows) ** 2 <= maxSize * 8 &&
      size <= maxSize &&
      size * frameRate <= maxRate &&
      bitRate <= maxBitRate * 1000,
  )
  return found?.[0] ?? '6.2'
}
