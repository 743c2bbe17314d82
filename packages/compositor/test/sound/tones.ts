/** A tone: amplitude, Hz, from `start` on, silent before and after `count` samples. */
export function tone(
  sampleRate: number,
  length: number,
  hz: number,
  amplitude: number,
  start = 0,
  count: number = length,
): Float32Array {
  const plane = new Float32Array(length)
  for (let index = start; index < Math.min(length, start + count); index++) {
    plane[index] = amplitude * Math.sin((2 * Math.PI * hz * index) / sampleRate)
  }
  return plane
}

/** Amplitude of a tone between two samples: as the test card's reader measures it. */
export function toneLevel(plane: Float32Array, sampleRate: number, hz: number, from: number, to: number): number {
  let re = 0
  let im = 0
  for (let index = from; index < to; index++) {
    re += plane[index]! * Math.cos((2 * Math.PI * hz * index) / sampleRate)
    im += plane[index]! * Math.sin((2 * Math.PI * hz * index) / sampleRate)
  }
  return (2 * Math.hypot(re, im)) / (to - from)
}

/** Decibels of a ratio of amplitudes. */
export function db(ratio: number): number {
  return 20 * Math.log10(ratio)
}
