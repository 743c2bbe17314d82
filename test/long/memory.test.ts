import { describe, expect, it } from 'vitest'
import { measureMemory } from './memory.js'

// The long form (`pnpm long:memory`) renders half an hour; its figures stand in docs/evidence.md.
describe('memory of a render', () => {
  it.each(['hls', 'mp4'] as const)('%s: four minutes take no more than one, but for an index', (format) => {
    const short = measureMemory(format, 1)
    const long = measureMemory(format, 4)
    expect(long.durationUs).toBeGreaterThan(3.9 * short.durationUs)
    expect(long.bytes).toBeGreaterThan(3.5 * short.bytes)
    // Before the looks that count 8 MB of the MP4 and 10 MB of the HLS are written: whoever kept
    // them would be seen. An index takes a few hundred kB here, and what is under way at a look 1 to 4 MB.
    expect(long.keptLiveMiB).toBeLessThan(short.keptLiveMiB + 5)
  })
})
