import { TsMuxer } from '@rushes/h264-ts-muxer'
import { Interleaver } from '@rushes/hls-segmenter'
import type { Track } from '@rushes/media'
import { createDepacketizer, Timeline } from '@rushes/rtp-depacketizer'
import { openTake } from '@rushes/take'
import { describe, expect, it } from 'vitest'

/** Packets that reach the pipeline. The long form is a matter of this number. */
const PACKETS = Number(process.env['RUSHES_HOSTILE_PACKETS'] ?? 1_000_000)

/** A small seeded generator (mulberry32): a failure can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

async function packetsOf(take: string): Promise<{ tracks: Track[]; packets: { trackId: string; data: Uint8Array }[] }> {
  const tracks: Track[] = []
  const packets: { trackId: string; data: Uint8Array }[] = []
  const source = await openTake(new URL(`../fixtures/${take}`, import.meta.url).pathname)
  for await (const batch of source.items()) {
    for (const item of batch) {
      if (item.type === 'track') tracks.push(item.track)
      if (item.type === 'packet') packets.push({ trackId: item.trackId, data: item.data })
    }
  }
  return { tracks, packets }
}

/** What a broken network, a broken sender or an attacker makes of a packet. */
function mutate(data: Uint8Array, random: () => number): Uint8Array {
  const kind = Math.floor(random() * 8)
  if (kind === 0) return Uint8Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256))
  const copy = data.slice()
  const at = (): number => Math.floor(random() * copy.byteLength)
  if (kind === 1) return copy.subarray(0, at())
  if (kind === 2) for (let i = 0; i < 3; i++) copy[at()] = Math.floor(random() * 256)
  if (kind === 3) copy[Math.min(copy.byteLength - 1, Math.floor(random() * 16))] = Math.floor(random() * 256)
  if (kind === 4) copy.fill(Math.floor(random() * 256), at())
  if (kind === 5 && copy.byteLength > 14) copy[12 + Math.floor(random() * 2)] = Math.floor(random() * 256)
  if (kind === 6) return Uint8Array.from([...copy.subarray(0, 12), ...copy.subarray(at())])
  return copy
}

describe('hostile packets', () => {
  it(`${PACKETS} random and mutated packets: nothing throws, everything is counted, memory stays flat`, async () => {
    const { tracks, packets } = await packetsOf('meeting3')
    const random = randomFrom(20_261_121)
    const stages = new Map(tracks.map((track) => [track.id, createDepacketizer(track)]))
    const timeline = new Timeline({ startedAtUs: 1_790_000_000_000_000 })
    const interleaver = new Interleaver(tracks)
    const video = tracks.filter((track) => track.kind === 'video')
    const muxer = new TsMuxer(video)
    const videoIds = new Set(video.map((track) => track.id))
    let bytes = 0
    const early: number[] = []
    const late: number[] = []
    for (let i = 0; i < PACKETS; i++) {
      const packet = packets[Math.floor(random() * packets.length)] as (typeof packets)[number]
      const data = mutate(packet.data, random)
      stages.get(packet.trackId)?.push({ data, arrivalUs: i * 200 }, (unit) =>
        timeline.push(unit, (item) => {
          if (!videoIds.has(item.trackId)) return
          interleaver.push(item, (sample) => muxer.push(sample, (out) => (bytes += out.byteLength)))
        }),
      )
      if (i % 20_000 === 0) {
        ;(i < PACKETS / 2 ? early : late).push(process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed)
      }
    }
    for (const [id, stage] of stages) {
      const stats = stage.stats as { packets: number; malformed: Record<string, number> }
      const malformed = Object.values(stats.malformed).reduce((sum, count) => sum + count, 0)
      expect(malformed, `${id} counts damage`).toBeGreaterThan(PACKETS / 1000)
    }
    expect(bytes).toBeGreaterThan(0)
    expect(bytes % 188).toBe(0)
    // Held at most: the reorder buffers and the interleaver, 8 MiB a track each; garbage collection makes it jump.
    expect(Math.max(...late)).toBeLessThan(Math.max(...early) + 64 * 1024 * 1024)
  }, 600_000)
})
