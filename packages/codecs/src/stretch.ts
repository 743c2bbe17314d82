/**
 * Plays a block of sound by a whole number of samples longer or shorter: band-limited interpolation by a windowed sinc.
 *
 * The change of speed lies at the block's start, over as many samples as keep it below what is heard; the rest is copied,
 * at least the few last samples, which the interpolation needs to look ahead. So the block begins and ends on whole
 * samples: stretched and untouched blocks join without a seam and without delay, and nothing of the next block must be
 * known.
 */
import { MAX_SPEED_CHANGE } from './placement.js'

/** Samples before a block that the interpolation looks at, and samples at its end that are copied. */
export const STRETCH_HISTORY = 16
const TAPS = 2 * STRETCH_HISTORY
const PHASES = 256
/** Kaiser window: about 80 dB stop band. */
const KAISER_BETA = 8

const KERNEL = kernel()
/** The longest packet of Opus, 120 ms, and what was before it. */
const SOURCE = new Float32Array(5760 + STRETCH_HISTORY)

/**
 * Writes `samples + stretch` samples to `output` from the `samples` first ones of `input` at `inputOffset`.
 * `history`: the STRETCH_HISTORY samples that were played before the block. `samples` must be over
 * `STRETCH_HISTORY + |stretch|`.
 */
export function stretchBlock(
  history: Float32Array,
  input: Float32Array,
  inputOffset: number,
  samples: number,
  stretch: number,
  output: Float32Array,
): void {
  // A block may be too short for the bound; Placement allows a sample even then.
  const region = Math.min(samples - STRETCH_HISTORY, Math.ceil(Math.abs(stretch) / MAX_SPEED_CHANGE))
  const stretched = region + stretch
  // One array for the history and the block: the loop below has no time for cases.
  const source = SOURCE.length < samples + STRETCH_HISTORY ? new Float32Array(samples + STRETCH_HISTORY) : SOURCE
  source.set(history)
  source.set(input.subarray(inputOffset, inputOffset + region + STRETCH_HISTORY), STRETCH_HISTORY)
  for (let index = 0; index < stretched; index++) {
    // Multiplied anew for each sample, so that no error adds up.
    const at = (index * region) / stretched
    const whole = Math.floor(at)
    const phase = (at - whole) * PHASES
    const row = Math.floor(phase)
    const share = phase - row
    const kernelAt = row * TAPS
    let below = 0
    let above = 0
    for (let tap = 0; tap < TAPS; tap++) {
      const sample = source[whole + tap + 1]!
      below += sample * KERNEL[kernelAt + tap]!
      above += sample * KERNEL[kernelAt + TAPS + tap]!
    }
    output[index] = below + share * (above - below)
  }
  output.set(input.subarray(inputOffset + region, inputOffset + samples), stretched)
}

/** One row of taps for each phase from 0 to 1 inclusive; each row sums to 1, row 0 is a single 1. */
function kernel(): Float64Array {
  const rows = new Float64Array((PHASES + 1) * TAPS)
  for (let row = 0; row <= PHASES; row++) {
    let sum = 0
    for (let tap = 0; tap < TAPS; tap++) {
      const x = tap - STRETCH_HISTORY + 1 - row / PHASES
      const value = sinc(x) * kaiser(x / STRETCH_HISTORY)
      rows[row * TAPS + tap] = value
      sum += value
    }
    for (let tap = 0; tap < TAPS; tap++) rows[row * TAPS + tap]! /= sum
  }
  return rows
}

function sinc(x: number): number {
  if (Number.isInteger(x)) return x === 0 ? 1 : 0
  return Math.sin(Math.PI * x) / (Math.PI * x)
}

function kaiser(x: number): number {
  return Math.abs(x) > 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA)
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}
