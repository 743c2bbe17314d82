import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type AudioTrackReference,
  flashTimes,
  measureSync,
  readTakeReference,
  type TakeReference,
  type VideoTrackReference,
} from '../../src/card/index.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).error === undefined

interface Expected {
  readonly take: string
  /** Frames, frames that lack packets, decodable frames, sizes; by video track. */
  readonly video: Readonly<Record<string, readonly [number, number, number, string]>>
}

const takes: Expected[] = [
  { take: 'solo', video: { 'alice-video': [595, 0, 595, '640x360,960x540'] } },
  {
    take: 'meeting3',
    video: {
      'alice-video': [594, 0, 594, '640x360'],
      'bob-video': [330, 0, 330, '480x360'],
      'carol-video': [419, 0, 419, '360x640'],
    },
  },
  { take: 'lossy', video: { 'alice-video': [592, 3, 498, '640x360'] } },
  { take: 'burst-loss', video: { 'alice-video': [579, 2, 321, '640x360,960x540'] } },
  { take: 'mutes', video: { 'alice-video': [514, 0, 514, '640x360,1280x720,800x1000'] } },
  {
    take: 'rejoin',
    video: {
      'alice-video': [535, 0, 535, '640x360'],
      'bob-video': [202, 0, 202, '480x360'],
      'bob-video-2': [242, 0, 242, '480x360'],
    },
  },
  { take: 'ramp', video: { 'alice-video': [535, 0, 535, '640x360,960x540,1280x720'] } },
]

const isVideo = (track: TakeReference['tracks'][number]): track is VideoTrackReference => track.kind === 'video'
const isAudio = (track: TakeReference['tracks'][number]): track is AudioTrackReference => track.kind === 'audio'

describe.skipIf(!hasFfmpeg && !process.env['CI']).each(takes)('$take', ({ take, video }) => {
  let reference: TakeReference
  beforeAll(async () => {
    reference = await readTakeReference(fileURLToPath(new URL(`../../../../test/fixtures/${take}`, import.meta.url)))
  })

  it('has its pictures', () => {
    const found = reference.tracks.filter(isVideo).map(({ trackId, frames }) => {
      const decodable = frames.filter((frame) => frame.decodable)
      const sizes = [...new Set(decodable.map(({ width, height }) => `${width}x${height}`))].join()
      const incomplete = frames.filter(({ complete }) => !complete).length
      return [trackId, [frames.length, incomplete, decodable.length, sizes]]
    })
    expect(Object.fromEntries(found)).toEqual(video)
  })

  it('has cards that count up, by the clock of the sender', () => {
    for (const { frames } of reference.tracks.filter(isVideo)) {
      expect(frames[0]?.keyframe).toBe(true)
      const cards = frames.filter(({ counter }) => counter !== undefined)
      // Pictures of a camera that is switched off have no card.
      expect(cards.length).toBeGreaterThan(frames.filter(({ decodable }) => decodable).length - 95)
      expect(new Set(cards.map(({ cardId }) => cardId)).size).toBe(1)
      for (const [index, frame] of cards.entries()) {
        const before = cards[index - 1]
        if (before === undefined) continue
        expect(frame.rtpTimestamp).toBeGreaterThan(before.rtpTimestamp)
        const drawn = ((frame.counter ?? 0) - (before.counter ?? 0)) / 30
        // The same picture may come twice, and stamps jitter by half a frame.
        expect(Math.abs((frame.ntpUs - before.ntpUs) / 1e6 - drawn)).toBeLessThan(0.06)
      }
    }
  })

  it('has sound and picture together, by its sender reports', () => {
    for (const { participantId, trackId, frames, reportCount } of reference.tracks.filter(isVideo)) {
      expect(reportCount).toBeGreaterThan(5)
      const beeps = reference.tracks
        .filter((track) => isAudio(track) && track.participantId === participantId)
        .filter((track) => track.trackId.replace('audio', 'video') === trackId)
        .flatMap((track) => (isAudio(track) ? track.beeps.map(({ ntpUs }) => ntpUs) : []))
      const flashes = flashTimes(frames.filter(({ decodable }) => decodable))
      const sync = measureSync(
        flashes.map(({ ntpUs, sinceFlashUs }) => ntpUs - sinceFlashUs),
        beeps,
      )
      expect(sync.differencesUs.length).toBeGreaterThanOrEqual(5)
      expect(sync.medianUs / 1000).toBeGreaterThan(-2)
      expect(sync.medianUs / 1000).toBeLessThan(16.5)
      // Single pictures are stamped up to a frame late.
      expect(sync.minUs / 1000).toBeGreaterThan(-8)
      expect(sync.maxUs / 1000).toBeLessThan(20)
    }
  })

  it('has beeps at their gain', () => {
    for (const { beeps, packets } of reference.tracks.filter(isAudio)) {
      expect(packets.length).toBeGreaterThan(200)
      const levels = beeps.map(({ level }) => level).sort((a, b) => a - b)
      expect(levels[levels.length >> 1]).toBeCloseTo(0.5, 1)
    }
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('loss', () => {
  it('in lossy is where it was made, and padding that never came is none', async () => {
    const dir = fileURLToPath(new URL('../../../../test/fixtures/lossy', import.meta.url))
    const [video] = (await readTakeReference(dir)).tracks.filter(isVideo)
    const frames = video?.frames ?? []
    const starts = frames.filter((frame, index) => !frame.decodable && (frames[index - 1]?.decodable ?? true))
    // Five packets were taken away for good; the sixth that is missing was padding.
    expect(starts.length).toBe(5)
    for (const [index, frame] of frames.entries()) {
      if (frame.decodable && frames[index - 1]?.decodable === false) expect(frame.keyframe).toBe(true)
    }
  })
})
