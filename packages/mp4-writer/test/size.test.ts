import { join } from 'node:path'
import type { EncodedSample } from '@rushes/media'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findBox, joinBoxes } from '../src/box.js'
import { createMp4Writer, createWebmWriter } from '../src/index.js'
import { sampleTable } from '../src/sample-tables.js'
import { TrackIndex } from '../src/track-index.js'
import { camera, hasFfmpeg, opus, opusSample, pictures, probePackets, temporaryFolder } from './media.js'

const HOUR_US = 3_600_000_000
let folder: { path: string; remove: () => void }
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

/** Bytes that the process holds, after a collection where the process allows one. */
function held(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('the index of an hour of pictures and sound takes 5 MB at most', () => {
  const bytes = (index: TrackIndex): number => {
    const { sizes, deltas, compositionOffsets, keyframes, chunkSamples, chunkPositions, chunkOffsets } = index
    const columns = [sizes, deltas, compositionOffsets, keyframes, chunkSamples, chunkPositions, chunkOffsets]
    return columns.reduce((sum, column) => sum + column.values().buffer.byteLength, 0)
  }
  const filled = (samples: number, step: number, everyIsKey: boolean): TrackIndex => {
    const index = new TrackIndex()
    for (let sample = 0; sample < samples; sample++) {
      const dts = sample * step + (sample % 7)
      index.add({ dts, pts: dts, sizeBytes: 1000, keyframe: everyIsKey || sample % 300 === 0, duration: step })
      if (sample % 40 === 39) index.endChunk(40, sample, sample)
    }
    return index
  }
  const total = bytes(filled(30 * 3600, 3000, false)) + bytes(filled(50 * 3600, 960, true))
  expect(total).toBeLessThan(5_000_000)
})

test('memory grows by the index and by nothing else', async () => {
  const path = join(folder.path, 'hour.mp4')
  const writer = await createMp4Writer({ path, tracks: [opus], originUs: 0 })
  const payload = new Uint8Array(80)
  const before = held()
  // An hour of packets of 20 ms.
  for (let index = 0; index < 180_000; index++) await writer.write(opusSample(index * 960, payload, index === 0))
  const after = held()
  const summary = await writer.finish()
  expect(summary.tracks[0]).toMatchObject({ samples: 180_000 })
  // Without a forced collection garbage is counted in: the 14 MB of payload would show nevertheless, and 180,000 objects.
  expect(after - before).toBeLessThan(globalThis.gc === undefined ? 40_000_000 : 6_000_000)
})

test('WebM holds places to jump to and one cluster', async () => {
  const writer = await createWebmWriter({ path: join(folder.path, 'hour.webm'), tracks: [opus], originUs: 0 })
  const payload = new Uint8Array(80)
  const before = held()
  for (let index = 0; index < 180_000; index++) await writer.write(opusSample(index * 960, payload, index === 0))
  const after = held()
  expect(writer.stats.clusters).toBe(3599)
  expect((await writer.finish()).tracks[0]).toMatchObject({ samples: 180_000 })
  expect(after - before).toBeLessThan(globalThis.gc === undefined ? 40_000_000 : 3_000_000)
})

describe('beyond 32 bits', () => {
  test('chunk offsets turn to 64 bits', () => {
    const index = new TrackIndex()
    index.add({ dts: 0, pts: 0, sizeBytes: 5, keyframe: true, duration: 1 })
    index.endChunk(1, 0, 0)
    const offsets = { values: index.chunkOffsets.values(), base: 6_000_000_000, is64Bit: true }
    const table = joinBoxes(sampleTable(index, new Uint8Array(0), offsets))
    const found = findBox(table, ['stbl', 'co64'])!.content
    expect(new DataView(found.buffer, found.byteOffset).getBigUint64(8)).toBe(6_000_000_000n)
  })

  test.skipIf(!hasFfmpeg && !process.env['CI']).each(['end', false] as const)(
    'times of 16 hours stay exact (%s)',
    async (fastStart) => {
      const path = join(folder.path, 'day.mp4')
      const originUs = 20 * HOUR_US
      const [keyframe] = pictures({ frames: 1 })
      const at = (hours: number): number => (20 + hours) * 3600
      const video: EncodedSample[] = [1, 6, 11, 16].map((hours, index) => ({
        ...keyframe!,
        ...(index === 0 ? {} : { configuration: keyframe!.configuration! }),
        pts: at(hours) * 90_000 + 1,
        dts: at(hours) * 90_000 + 1,
      }))
      const sound = [2, 7, 12, 15].map((hours, index) =>
        opusSample(at(hours) * 48_000 + 7, Uint8Array.of(0xf8, 0xff, 0xfe), index === 0),
      )
      const writer = await createMp4Writer({ path, tracks: [camera, opus], originUs, fastStart })
      for (const sample of [...video, ...sound].sort((a, b) => seconds(a) - seconds(b))) await writer.write(sample)
      await writer.finish()
      expect(probePackets(path, 0).map(({ pts }) => pts)).toEqual(
        [1, 6, 11, 16].map((hours) => hours * 3600 * 90_000 + 1),
      )
      expect(probePackets(path, 1).map(({ pts }) => pts)).toEqual(
        [2, 7, 12, 15].map((hours) => hours * 3600 * 48_000 + 7),
      )
    },
  )
})

function seconds({ trackId, dts }: EncodedSample): number {
  return dts / (trackId === 'camera' ? 90_000 : 48_000)
}
