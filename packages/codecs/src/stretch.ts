/**
 * Plays a block of sound by a whole number of samples longer or shorter: band-limited interpolation by a windowed sinc.
 *
 * The change of speed is spread over the block except for its last few samples, which the interpolation at the block's
 * end needs and which are copied. So the block begins and ends on whole samples: stretched and untouched blocks join
 * without a seam and without delay, and nothing of the next block must be known.
 */

/** Samples before a block that the interpolation looks at, and samples at its end that are copied. */
export const STRETCH_HISTORY = 16
const TAPS = 2 * STRETCH_HISTORY
const PHASES = 256
/** Kaiser window: about 80 dB stop band. */
const KAISER_BETA = 8

const KERNEL = kernel()

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
  const region = samples - STRETCH_HISTORY
  const stretched = region + stretch
  for (let index = 0; index < stretched; index++) {
    // Multiplied anew for each sample, so that no error adds up.
    const at = (index * region) / stretched
    const whole = Math.floor(at)
    const phase = (at - whole) * PHASES
    const row = Math.floor(phase)
    const share = phase - row
    const kernelAt = row * TAPS
    let sum = 0
    for (let tap = 0; tap < TAPS; tap++) {
      const from = whole + tap - STRETCH_HISTORY + 1
      const sample = from < 0 ? history[STRETCH_HISTORY + from]! : input[inputOffset + from]!
      const low = KERNEL[kernelAt + tap]!
      sum += sample * (low + share * (KERNEL[kernelAt + TAPS + tap]! - low))
    }
    output[index] = sum
  }
  for (let index = 0; index < STRETCH_HISTORY; index++) {
    output[stretched + index] = input[inputOffset + region + index]!
  }
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
