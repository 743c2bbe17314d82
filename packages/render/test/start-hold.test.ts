import { spawnSync } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import type { TakeSource } from '@rushes/take'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it, vi } from 'vitest'
import { type Manifest, type RenderEvent, type RenderPlan, render } from '../src/index.js'
import { hlsFindings, textOf } from './fixtures.js'
import { liveOf, type SimulatedTrack, takeOf, timesMs, trackIdOf } from './simulated-call.js'

vi.mock('node:timers/promises', async (original) => {
  const real = await original<{ readonly setImmediate: () => Promise<void> }>()
  return { ...real, setImmediate: vi.fn<() => Promise<void>>(real.setImmediate) }
})

const hasFfprobe = spawnSync('ffprobe', ['-version']).status === 0

/** Sound arrives 120 ms later than its picture, and the first report of it comes at 3.5 s: Chromium under load. */
function lateSound(participant: string, fromMs: number, seconds: number, more: Partial<SimulatedTrack> = {}) {
  const untilMs = fromMs + seconds * 1000
  const every = (first: number, step: number): number[] =>
    Array.from(
      { length: Math.max(0, Math.ceil((untilMs - fromMs - first) / step)) },
      (_, i) => fromMs + first + i * step,
    )
  const video = { participant, kind: 'video', fromMs, untilMs, delayMs: 40, reportsMs: every(500, 1000) } as const
  const audio = { participant, kind: 'audio', fromMs, untilMs, delayMs: 160, reportsMs: every(3500, 5000) } as const
  return [
    { ...video, ...more },
    { ...audio, ...more },
  ] satisfies SimulatedTrack[]
}

interface Rendered {
  readonly manifest: Manifest
  readonly store: MemoryStore
  readonly events: readonly RenderEvent[]
}

async function rendered(source: TakeSource, plan: RenderPlan = {}): Promise<Rendered> {
  const store = createMemoryStore()
  const events: RenderEvent[] = []
  const manifest = await render(
    source,
    { audio: { codec: 'opus' }, ...plan },
    { store, onEvent: (event) => void events.push(event) },
  )
  return { manifest, store, events }
}

/** Recording times of all samples of somebody's MP4. */
function placesMs({ manifest, store }: Rendered, participant = 'alice') {
  const output = manifest.outputs.find((one) => one.container === 'mp4' && one.participantId === participant)
  if (output === undefined) throw new Error('no MP4')
  const { video, audio } = timesMs(store.objects.get(output.key)?.data as Uint8Array)
  const place = (ms: number): number => output.startUs / 1000 + ms
  return { video: video.map(place), audio: audio.map(place) }
}

/** How far the sound of each instant is off against the picture, given when the first of both was captured. */
function syncErrorsMs(
  places: { video: number[]; audio: number[] },
  captureMs: (kind: string, index: number) => number,
  firstMs = 0,
) {
  const audioErrors = places.audio.map((ms, index) => ms - captureMs('audio', index))
  return places.video.map((ms, index) => {
    const capture = captureMs('video', index)
    const error = audioErrors[
      Math.min(audioErrors.length - 1, Math.max(0, Math.round((capture - firstMs) / 20)))
    ] as number
    return error - (ms - capture)
  })
}

const fromStart = (kind: string, index: number): number => index * (kind === 'video' ? 40 : 20)
const worst = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

describe.skipIf(!hasFfprobe && !process.env['CI'])('a live render whose sound comes late', () => {
  it('is in sync from the first picture on, as the same call rendered afterwards', async () => {
    const call = lateSound('alice', 0, 20)
    const live = await rendered(liveOf(call))
    const offline = await rendered(await takeOf(call))
    const [places, known] = [placesMs(live), placesMs(offline)]
    expect([places.video.length, places.audio.length]).toEqual([500, 1000])
    expect(worst(syncErrorsMs(places, fromStart))).toBeLessThan(2)
    expect(worst(places.video.map((ms, index) => ms - (known.video[index] as number)))).toBeLessThan(2)
    expect(worst(places.audio.map((ms, index) => ms - (known.audio[index] as number)))).toBeLessThan(2)
  })

  it('is not, where nothing is waited for', async () => {
    const live = await rendered(liveOf(lateSound('alice', 0, 20)), { startHold: { seconds: 0 } })
    expect(worst(syncErrorsMs(placesMs(live), fromStart))).toBeGreaterThan(100)
  })

  it('is in sync from the first picture of somebody who comes later, and holds nobody else back', async () => {
    const call = [...lateSound('alice', 0, 24), ...lateSound('bob', 10_000, 14)]
    const both = await rendered(liveOf(call), { hls: { segmentDuration: 2 } })
    const bob = placesMs(both, 'bob')
    expect([bob.video.length, bob.audio.length]).toEqual([350, 700])
    const sinceTen = (kind: string, index: number): number => 10_000 + fromStart(kind, index)
    expect(worst(syncErrorsMs(bob, sinceTen, 10_000))).toBeLessThan(2)
    const alone = await rendered(liveOf(lateSound('alice', 0, 24)), { hls: { segmentDuration: 2 } })
    const [withBob, without] = [segmentTimesMs(both), segmentTimesMs(alone)]
    expect(withBob.length).toBe(12)
    // Progress is told each half second.
    for (const [index, ms] of withBob.entries())
      expect(Math.abs(ms - (without[index] as number))).toBeLessThanOrEqual(500)
  })

  it('is in sync from the first picture of a camera that is switched on later', async () => {
    const [video, audio] = lateSound('alice', 0, 24)
    const camera = lateSound('alice', 10_000, 14)[0] as SimulatedTrack
    const late = { ...camera, reportsMs: camera.reportsMs.map((ms) => ms + 700) }
    const places = placesMs(await rendered(liveOf([late, audio as SimulatedTrack])))
    expect([places.video.length, places.audio.length]).toEqual([350, 1200])
    const captured = (kind: string, index: number): number => (kind === 'video' ? 10_000 : 0) + fromStart(kind, index)
    expect(worst(syncErrorsMs(places, captured))).toBeLessThan(2)
    expect(video?.kind).toBe('video')
  })

  it('sees through a first report that is wrong, where a second comes in time', async () => {
    const [video, audio] = lateSound('alice', 0, 20) as [SimulatedTrack, SimulatedTrack]
    const reports = { reportsMs: [300, 3500, 8500, 13_500, 18_500], reportErrorsMs: [250] }
    const places = placesMs(await rendered(liveOf([video, { ...audio, ...reports }])))
    expect(worst(syncErrorsMs(places, fromStart))).toBeLessThan(2)
  })
})

/** When each segment of the first participant was stored, by the recording time told before; milliseconds. */
function segmentTimesMs({ events }: Rendered, participant = 'alice'): number[] {
  let nowMs = 0
  return events.flatMap((event) => {
    if (event.type === 'progress') nowMs = event.recordedUs / 1000
    return event.type === 'stored' && event.key.includes(`${participant}/segment-`) ? [nowMs] : []
  })
}

describe('the start of a live output', () => {
  const hls = { formats: ['hls'], hls: { segmentDuration: 2 } } as const
  const without = (seconds: number): SimulatedTrack[] =>
    lateSound('alice', 0, seconds).map((track) => ({ ...track, reportsMs: [] }))

  it('comes once the reports are there, and what follows no later than ever', async () => {
    const [held, unheld] = await Promise.all([
      rendered(liveOf(lateSound('alice', 0, 20)), hls),
      rendered(liveOf(lateSound('alice', 0, 20)), { ...hls, startHold: { seconds: 0 } }),
    ])
    const [times, usual] = [segmentTimesMs(held), segmentTimesMs(unheld)]
    expect(times.length).toBe(usual.length)
    expect(times[0]).toBeLessThanOrEqual(4000)
    // The first that was not whole when the reports came is not late any more. Progress is told each half second.
    for (const [index, ms] of usual.entries()) {
      if (ms >= 4000) expect(Math.abs((times[index] as number) - ms)).toBeLessThanOrEqual(500)
    }
  })

  it.each([
    [undefined, 5000],
    [2, 2000],
  ])('waits no longer than it may (%s s) for reports that never come', async (seconds, boundMs) => {
    const startHold = seconds === undefined ? {} : { startHold: { seconds } }
    const { events, manifest } = await rendered(liveOf(without(20)), { ...hls, ...startHold })
    const first = segmentTimesMs({ events, manifest, store: createMemoryStore() })[0] as number
    expect(first).toBeGreaterThanOrEqual(boundMs - 500)
    expect(first).toBeLessThanOrEqual(Math.max(boundMs, 2040) + 1000)
    expect(manifest.outputs[0]?.durationUs).toBeGreaterThan(19_900_000)
  })

  it('waits no longer than its bytes allow', async () => {
    // Half a megabyte a second.
    const call = without(8).map((track) => (track.kind === 'video' ? { ...track, paddingBytes: 20_000 } : track))
    const { events, manifest } = await rendered(liveOf(call), { ...hls, startHold: { bytes: 1_000_000 } })
    const first = segmentTimesMs({ events, manifest, store: createMemoryStore() })[0] as number
    expect(first).toBeGreaterThanOrEqual(1500)
    expect(first).toBeLessThanOrEqual(3100)
    expect(manifest.outputs[0]?.durationUs).toBeGreaterThan(7_900_000)
  })

  it('gives others their turn after each participant whose media goes on at once', async () => {
    const call = ['alice', 'bob', 'carol'].flatMap((participant) =>
      lateSound(participant, 0, 7).map((track) => ({ ...track, reportsMs: [] })),
    )
    vi.mocked(nextTurn).mockClear()
    const { manifest } = await rendered(liveOf(call), { formats: ['hls'] })
    expect(manifest.outputs).toHaveLength(3)
    expect(nextTurn).toHaveBeenCalledTimes(3)
  })

  it('tells of a keyframe when it comes: nobody has to ask for it again', async () => {
    const { events } = await rendered(liveOf(lateSound('alice', 0, 6)))
    let nowMs = 0
    const keyframes = events.flatMap((event) => {
      if (event.type === 'progress') nowMs = event.recordedUs / 1000
      return event.type === 'keyframe' ? [{ nowMs, atMs: event.atUs / 1000 }] : []
    })
    expect(keyframes).toHaveLength(150)
    for (const [index, { nowMs, atMs }] of keyframes.entries()) {
      expect(nowMs).toBeLessThanOrEqual(index * 40 + 500)
      expect(Math.abs(atMs - index * 40)).toBeLessThan(150)
    }
  })
})

describe.skipIf(!hasFfprobe && !process.env['CI'])('what happens while the start is waited for', () => {
  it('a stop: all that had come is there', async () => {
    const result = await rendered(liveOf(lateSound('alice', 0, 20), { untilMs: 2000 }))
    const places = placesMs(result)
    expect([places.video.length, places.audio.length]).toEqual([50, 93])
    for (const { key, container } of result.manifest.outputs) {
      if (container === 'mp4') expect(await checkMp4(result.store.objects.get(key)?.data as Uint8Array)).toEqual([])
      else expect(textOf(result.store, key.replace('index', 'media'))).toContain('#EXT-X-ENDLIST')
    }
  })

  it('a track that is removed: its media stays, and the other one is not waited for longer', async () => {
    const call = lateSound('alice', 0, 20)
    let removed = false
    const source = liveOf(call, {
      onPacket: ({ arrivalUs }, live) => {
        if (!removed && arrivalUs > 1_500_000) {
          removed = true
          live.endTrack('alice-audio', 1500)
        }
        return undefined
      },
    })
    const result = await rendered(source, { hls: { segmentDuration: 2 } })
    const places = placesMs(result)
    expect(places.video).toHaveLength(500)
    // What was on its way a second later is still taken.
    expect(places.audio.length).toBeGreaterThanOrEqual(67)
    expect(places.audio.length).toBeLessThanOrEqual(120)
    expect(segmentTimesMs(result)[0]).toBeLessThanOrEqual(3500)
  })

  it.each(['hold', 'cut'] as const)(
    'a pause (%s): what came before it is there, and what comes after',
    async (mode) => {
      // A pause ends the tracks, and others go on after it.
      const before = lateSound('alice', 0, 2).map((track) => ({ ...track, reportsMs: [] }))
      const after = lateSound('alice', 6000, 12).map((track) => ({ ...track, name: '~2' }))
      const done = new Set<string>()
      const source = liveOf([...before, ...after], {
        onPacket: ({ arrivalUs }, live) => {
          if (arrivalUs > 2_200_000 && !done.has('pause')) {
            done.add('pause')
            for (const track of before) live.endTrack(trackIdOf(track), 2200)
            live.event({ type: 'pause', atMs: 2200, mode })
          }
          if (arrivalUs >= 6_000_000 && !done.has('resume')) {
            done.add('resume')
            live.event({ type: 'resume', atMs: 5900 })
          }
          return undefined
        },
      })
      const result = await rendered(source)
      const { video, audio } = placesMs(result)
      expect(video).toHaveLength(350)
      expect(audio.length).toBeGreaterThanOrEqual(700)
      const pausedMs = mode === 'cut' ? 3700 : 0
      const resumed = { video: video.slice(50), audio: audio.slice(-600) }
      const captured = (kind: string, index: number): number => 6000 - pausedMs + fromStart(kind, index)
      expect(worst(syncErrorsMs(resumed, captured, 6000 - pausedMs))).toBeLessThan(2)
      const hls = result.manifest.outputs.find(({ container }) => container === 'hls')
      const findings = await hlsFindings(result.store, hls?.key ?? '', { allowIdle: true })
      expect(findings.filter(({ rule }) => rule !== 'variant-codecs')).toEqual([])
    },
  )

  it('parts that are shorter than the wait: each is whole', async () => {
    const { manifest, store } = await rendered(liveOf(lateSound('alice', 0, 8)), {
      parts: { seconds: 1 },
      formats: ['mp4'],
    })
    expect(manifest.outputs).toHaveLength(8)
    let [video, audio] = [0, 0]
    for (const { key } of manifest.outputs) {
      const mp4 = store.objects.get(key)?.data as Uint8Array
      expect(await checkMp4(mp4), key).toEqual([])
      const times = timesMs(mp4)
      video += times.video.length
      audio += times.audio.length
    }
    expect([video, audio]).toEqual([200, 400])
  })
})
