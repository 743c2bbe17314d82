/** Amplitudes and powers, full scale 1, and decibels. */

/** Amplitude of a level; 0 for -Infinity. */
export function amplitudeOf(db: number): number {
  return 10 ** (db / 20)
}

/** Level of a mean square; -Infinity for 0. */
export function levelOfPower(meanSquare: number): number {
  return 10 * Math.log10(meanSquare)
}
