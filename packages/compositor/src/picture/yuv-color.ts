import type { YuvColor } from '@rushes/codecs'

/** Weights of red and blue in luma (ITU-R BT.709). */
const RED = 0.2126
const BLUE = 0.0722

/** Luma in limited range of red, green and blue from 0 to 255; not rounded. */
export function lumaOf(red: number, green: number, blue: number): number {
  return 16 + (219 * (RED * red + (1 - RED - BLUE) * green + BLUE * blue)) / 255
}

/** The chroma that goes with blue, and that with red, in limited range; not rounded. */
export function chromaOf(red: number, green: number, blue: number): readonly [u: number, v: number] {
  const luma = RED * red + (1 - RED - BLUE) * green + BLUE * blue
  return [128 + (224 * (blue - luma)) / (2 * (1 - BLUE)) / 255, 128 + (224 * (red - luma)) / (2 * (1 - RED)) / 255]
}

/** A colour `#rrggbb` as a canvas has it; black where it is none. */
export function yuvColor(color: string): YuvColor {
  const value = /^#[0-9a-f]{6}$/i.test(color) ? Number.parseInt(color.slice(1), 16) : 0
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255]
  const [u, v] = chromaOf(red, green, blue)
  return [Math.round(lumaOf(red, green, blue)), Math.round(u), Math.round(v)]
}
