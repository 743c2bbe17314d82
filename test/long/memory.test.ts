import { describe, expect, it } from 'vitest'
import { measureMemory } from './memory.js'

// The long form (`pnpm long:memory`) renders half an hour; its figures stand in docs/evidence.md.
describe('memory of a render', () => {
  it.each(['hls', 'mp4'] as const)('%s: four minutes take no more than one, but for an index', (format) => {
    const short = measureMemory(format, 1)
    const long = measureMemory(format, 4)
    expect(long.durationUs).toBeGreaterThan(3.9 * short.durationUs)
    expect(long.bytes).toBeGreaterThan(3.5 * short.bytes)
    // The MP4 is 11 MB, the HLS 14 MB: whoever kept them would be seen. An index takes a few hundred kB here.
    expect(long.peakLiveMiB).toBeLessThan(short.peakLiveMiB + 3)
  })
})
