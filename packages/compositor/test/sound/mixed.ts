import { expect } from 'vitest'
import type { SoundMixer } from '../../src/sound/sound-mixer.js'

/** Takes what a mixer gives out, and sees to it that it is continuous. */
export class Mixed {
  readonly planes: number[][] = []
  position: number | undefined
  readonly sink = (planes: readonly Float32Array[], samples: number, position: number): void => {
    if (this.position !== undefined) expect(position).toBe(this.position)
    this.position = position + samples
    for (const [channel, plane] of planes.entries()) {
      this.planes[channel] ??= []
      for (let index = 0; index < samples; index++) this.planes[channel].push(plane[index]!)
    }
  }

  plane(channel = 0): Float32Array {
    return Float32Array.from(this.planes[channel] ?? [])
  }
}

/** Mixes all that has been written, up to `end`. */
export function mixAll(mixer: SoundMixer, end: number): Mixed {
  const mixed = new Mixed()
  mixer.flush(end, mixed.sink)
  return mixed
}
