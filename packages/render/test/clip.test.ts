import type { TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { Clip, type ClipOptions } from '../src/clip.js'
import { audio, opus, picture, short, size, sound, video } from './samples.js'

function clip(items: readonly TimedItem[], options: Partial<ClipOptions>): TimedItem[] {
  const out: TimedItem[] = []
  const stage = new Clip({ tracks: [video, audio], ...options })
  for (const item of items) stage.push(item, (cut) => void out.push(cut))
  return out
}

const first = size(640, 360)
/** Keyframes at 0, 100 and 200 ms, a picture every 20 ms, sound beside it. */
const call: TimedItem[] = Array.from({ length: 15 }, (_, i) => i * 20).flatMap((ms) => [
  picture(ms, ms === 0 ? { keyframe: true, configuration: first } : { keyframe: ms % 100 === 0 }),
  sound(ms, ms === 0 ? { configuration: opus } : {}),
])

describe('Clip', () => {
  it('lets everything through without a range', () => {
    expect(clip(call, {})).toEqual(call)
  })

  it('begins with the keyframe at or before `fromUs`, sound and picture together', () => {
    expect(
      short(clip(call, { fromUs: 150_000 }))
        .split(' ')
        .slice(0, 3),
    ).toEqual(['v100K', 'a100', 'v120'])
    expect(short(clip(call, { fromUs: 200_000 })).split(' ')[0]).toBe('v200K')
    expect(short(clip(call, { fromUs: 199_999 })).split(' ')[0]).toBe('v100K')
  })

  it('ends before `toUs`', () => {
    expect(short(clip(call, { toUs: 60_000 }))).toBe('v0K a0 v20 a20 v40 a40')
    expect(short(clip(call, { fromUs: 100_000, toUs: 140_000 }))).toBe('v100K a100 v120 a120')
  })

  it('carries over the configuration of what was skipped, the newest one', () => {
    const second = size(1280, 720)
    const items = call.map((item) =>
      item.type === 'sample' && item.trackId === 'v' && item.pts === 9000 ? { ...item, configuration: second } : item,
    )
    const out = clip(items, { fromUs: 240_000 })
    expect(out[0]).toMatchObject({ trackId: 'v', keyframe: true, configuration: second })
    expect(out[1]).toMatchObject({ trackId: 'a', configuration: opus })
    expect(out.slice(2).some((item) => item.type === 'sample' && item.configuration !== undefined)).toBe(false)
  })

  it('keeps a configuration that the first sample kept brings itself', () => {
    const second = size(1280, 720)
    const out = clip(
      call.map((item) =>
        item.type === 'sample' && item.pts === 18_000 && item.trackId === 'v'
          ? { ...item, configuration: second }
          : item,
      ),
      { fromUs: 200_000 },
    )
    expect(out[0]).toMatchObject({ configuration: second })
  })

  it('cuts sound alone where there is no picture', () => {
    const sounds = call.filter((item) => item.trackId === 'a')
    const out = clip(sounds, { tracks: [audio], fromUs: 105_000, toUs: 160_000 })
    expect(short(out)).toBe('a100 a120 a140')
    expect(out[0]).toMatchObject({ configuration: opus })
  })

  it('begins with sound at `fromUs` where the camera came later', () => {
    const late = call.filter((item) => item.trackId === 'a' || (item.type === 'sample' && item.pts >= 18_000))
    expect(short(clip(late, { fromUs: 100_000, toUs: 220_000 }))).toBe('a100 a120 a140 a160 a180 v200K a200')
  })

  it('begins with sound at `fromUs` where the camera ended before', () => {
    const early: TimedItem[] = [
      ...call.filter((item) => item.type === 'sample' && item.pts < 60 * (item.trackId === 'v' ? 90 : 48)),
      { type: 'track-end', trackId: 'v' },
      ...call.filter((item) => item.type === 'sample' && item.trackId === 'a' && item.pts >= 60 * 48),
    ]
    expect(short(clip(early, { fromUs: 200_000, toUs: 260_000 }))).toBe('v. a200 a220 a240')
  })

  it('gives nothing where everything ended before `fromUs`', () => {
    expect(clip(call, { fromUs: 60_000_000 }).filter(({ type }) => type === 'sample')).toEqual([])
  })

  it('begins with the last keyframe while the picture stands still', () => {
    const frozen: TimedItem[] = call.filter(
      (item) => item.trackId === 'a' || item.type !== 'sample' || item.pts < 9_900,
    )
    expect(short(clip(frozen, { fromUs: 250_000 }))).toMatch(/^v100K a100 a120 .* a280$/)
  })

  it('hears in its promises that time has passed', () => {
    const items: TimedItem[] = [
      picture(0, { keyframe: true, configuration: first }),
      picture(20),
      { type: 'watermark', trackId: 'v', dts: 9000 },
      { type: 'watermark', trackId: 'v', dts: 27_000 },
    ]
    const out: TimedItem[] = []
    const stage = new Clip({ tracks: [video], fromUs: 150_000 })
    for (const item of items) stage.push(item, (cut) => void out.push(cut))
    expect(short(out)).toBe('v0K v20 v>300')
  })

  it('ends in decoding order, so that no picture lacks what it refers to', () => {
    const reordered = [
      picture(0, { keyframe: true, configuration: first }),
      picture(120, { dts: 20 * 90 }),
      picture(40, { dts: 40 * 90 }),
      picture(80, { dts: 80 * 90 }),
      picture(160, { dts: 120 * 90 }),
    ]
    expect(short(clip(reordered, { tracks: [video], toUs: 100_000 }))).toBe('v0K v120 v40 v80')
  })

  it('takes a track that is announced later', () => {
    const stage = new Clip({ tracks: [audio], fromUs: 150_000 })
    const out: TimedItem[] = []
    stage.addTrack(video)
    for (const item of call) stage.push(item, (cut) => void out.push(cut))
    expect(short(out).split(' ')[0]).toBe('v100K')
  })

  it('does not hold more than its bound: a longer group of pictures is let through from its keyframe on', () => {
    const stage = new Clip({ tracks: [video], fromUs: 3_600_000_000 })
    let out = 0
    stage.push(picture(0, { keyframe: true, configuration: first, data: [new Uint8Array(1)] }), () => out++)
    for (let i = 1; i <= 100; i++) stage.push(picture(i * 20, { data: [new Uint8Array(1_048_576)] }), () => out++)
    expect(out).toBe(101)
  })
})
