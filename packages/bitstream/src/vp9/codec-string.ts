/**
 * Levels with the pixels of a picture, the pixels a second and the longest side that they allow (VP9 bitstream
 * specification, Annex A).
 */
const LEVELS: readonly (readonly [level: number, pixels: number, pixelsPerSecond: number, side: number])[] = [
  [10, 36_864, 829_440, 512],
  [11, 73_728, 2_764_800, 768],
  [20, 122_880, 4_608_000, 960],
  [21, 245_760, 9_216_000, 1344],
  [30, 552_960, 20_736_000, 2048],
  [31, 983_040, 36_864_000, 2752],
  [40, 2_228_224, 83_558_400, 4160],
  [41, 2_228_224, 160_432_128, 4160],
  [50, 8_912_896, 311_951_360, 8384],
  [51, 8_912_896, 588_251_136, 8384],
  [52, 8_912_896, 1_176_502_272, 8384],
  [60, 35_651_584, 1_176_502_272, 16_832],
  [61, 35_651_584, 2_353_004_544, 16_832],
  [62, 35_651_584, 4_706_009_088, 16_832],
]

/** A bitstream does not tell its rate; senders of calls aim at this many pictures a second. */
const NOMINAL_FRAME_RATE = 30

/** `vp09.PP.LL.DD` (VP Codec ISO Media File Format Binding); the level is that of 30 pictures a second. */
export function vp9CodecString(profile: number, width: number, height: number, bitDepth: number): string {
  const pixels = width * height
  const level = LEVELS.find(
    ([, maxPixels, maxRate, maxSide]) =>
      pixels <= maxPixels && pixels * NOMINAL_FRAME_RATE <= maxRate && Math.max(width, height) <= maxSide,
  )
  return `vp09.${twoDigits(profile)}.${level?.[0] ?? 62}.${twoDigits(bitDepth)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
