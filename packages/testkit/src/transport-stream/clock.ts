/** Values of a clock that wraps, laid out on a line that does not. */

/** Ticks of 90 kHz after which PTS, DTS and the PCR base start again. */
export const WRAP_90K: number = 2 ** 33
/** Ticks of 27 MHz after which the PCR starts again. */
export const WRAP_27M: number = WRAP_90K * 300

/** The value congruent to `value` modulo `wrap` that is nearest to `reference`. */
export function unwrapNear(value: number, reference: number, wrap: number): number {
  return value + Math.round((reference - value) / wrap) * wrap
}
