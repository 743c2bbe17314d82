/** A tone at 0.02, at 0.5 for 100 ms from each of the given samples. */
export function makeTone(toneHz: number, samples: number, beeps: readonly number[], phase = 0): Float32Array {
  return Float32Array.from({ length: samples }, (_, i) => {
    const gain = beeps.some((at) => i >= at && i < at + 4800) ? 0.5 : 0.02
    return gain * Math.sin((2 * Math.PI * toneHz * i) / 48_000 + phase)
  })
}
