import { expect, test } from 'vitest'
import { type Track, timescaleOf } from '../src/track.js'

const camera: Track = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 }

test('samples are counted in the RTP clock unless the track says otherwise', () => {
  expect(timescaleOf(camera)).toBe(90_000)
  expect(timescaleOf({ ...camera, timescale: 1_000_000 })).toBe(1_000_000)
})

test('a codec belongs to its kind', () => {
  // @ts-expect-error Opus is no video codec
  const wrong: Track = { ...camera, codec: 'opus' }
  expect(wrong.kind).toBe('video')
})
