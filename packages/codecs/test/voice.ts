/** Something like a voice: pulses of a gliding pitch through two resonances, in syllables; or steady. */
export function voice(seconds: number, sampleRate = 48_000, isSteady = false): Float32Array {
  const plane = new Float32Array(seconds * sampleRate)
  const resonances = [
    { hz: 650, width: 90 },
    { hz: 1700, width: 130 },
  ].map(({ hz, width }) => {
    const radius = Math.exp((-Math.PI * width) / sampleRate)
    return { b: 2 * radius * Math.cos((2 * Math.PI * hz) / sampleRate), c: -radius * radius, y1: 0, y2: 0 }
  })
  let phase = 0
  let highest = 0
  for (let index = 0; index < plane.length; index++) {
    const at = index / sampleRate
    phase += (isSteady ? 125 : 120 + 20 * Math.sin(2 * Math.PI * 0.7 * at)) / sampleRate
    let value = phase >= 1 ? 1 : 0
    if (phase >= 1) phase -= 1
    for (const resonance of resonances) {
      const { b, c, y1, y2 } = resonance
      resonance.y2 = y1
      resonance.y1 = value + b * y1 + c * y2
      value = resonance.y1
    }
    const level = isSteady ? 1 : Math.max(0.02, Math.sin(2 * Math.PI * 2.5 * at))
    plane[index] = value * level
    highest = Math.max(highest, Math.abs(plane[index]!))
  }
  return plane.map((value) => (value * 0.5) / highest)
}
