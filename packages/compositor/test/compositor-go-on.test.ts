import { spawnSync } from 'node:child_process'
import type { EncodedSample, TimedItem } from '@rushes/media'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeVideo } from '../../codecs/test/video-source.js'
import {
  type CompositeGoOn,
  type CompositeObject,
  Compositor,
  type CompositorReport,
  CompositorThread,
  resolveComposite,
  type TakenThumbnail,
} from '../src/index.js'
import { videoConfiguration } from './video-configuration.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

const FPS = 15
const settings = resolveComposite(
  {
    size: '320x180',
    fps: FPS,
    video: { preset: 'ultrafast', renditions: [{ size: '160x90' }] },
    poster: { atSeconds: 2 },
    // As large as the picture itself, and lossless until it is on its sheet: shows what is on the canvas.
    thumbnails: { everySeconds: 1, width: 320, columns: 2, rows: 2 },
  },
  'composite',
)
const options = {
  settings,
  startUs: 1_000_000,
  startedAtUs: 0,
  sampleRate: 48_000,
  kinds: new Set(['audio', 'video'] as const),
  keyframeSeconds: 2,
} as const
const END_US = 9_000_000
const until = { knownUs: END_US, forcedUs: END_US }

interface Composed {
  readonly items: readonly TimedItem[]
  readonly objects: readonly CompositeObject[]
  readonly thumbnails: readonly TakenThumbnail[]
  readonly report: CompositorReport
}

/** Ann's camera runs for 8 s from 1 s on; Bob has none. From 4.5 s to 6.5 s the recording is held. */
async function compose(goOn?: CompositeGoOn): Promise<Composed> {
  const items: TimedItem[] = []
  const objects: CompositeObject[] = []
  const thumbnails: TakenThumbnail[] = []
  const compositor = await Compositor.create({
    ...options,
    onObject: (object) => objects.push(object),
    onThumbnail: (taken) => thumbnails.push(taken),
    ...(goOn === undefined ? {} : { goOn }),
  })
  compositor.scene({ type: 'join', atUs: 1_000_000, participantId: 'ann', name: 'Ann' })
  compositor.scene({ type: 'join', atUs: 3_000_000, participantId: 'bob', name: 'Bob' })
  compositor.scene({ type: 'leave', atUs: 7_000_000, participantId: 'bob' })
  const added = { participantId: 'ann', trackId: 'camera', media: 'video' } as const
  compositor.scene({ type: 'track-added', atUs: 1_000_000, ...added })
  compositor.hold(4_500_000)
  compositor.goOn(6_500_000)
  const { track, samples } = camera
  await compositor.addTrack(track, 'ann')
  for (const sample of samples) compositor.push(sample)
  compositor.push({ type: 'track-end', trackId: track.id })
  const emit = (item: TimedItem): void => void items.push(item)
  while (compositor.compose(until, emit));
  compositor.flush(emit, END_US)
  return { items, objects, thumbnails, report: compositor.report({ whole: true }) }
}

/** One keyframe in all. */
const camera = {
  track: { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const,
  samples: hasFfmpeg
    ? encodeVideo({ codec: 'h264', args: ['-bf', '0', '-g', '999'], seconds: 8 }).samples.map(
        (sample, index): EncodedSample => ({
          ...sample,
          trackId: 'camera',
          pts: 90_000 + index * 3000,
          dts: 90_000 + index * 3000,
          ...(index === 0 ? { configuration: videoConfiguration } : {}),
        }),
      )
    : [],
}

const ofTrack = (items: readonly TimedItem[], trackId: string): EncodedSample[] =>
  items.filter((item): item is EncodedSample => item.type === 'sample' && item.trackId === trackId)
const timesOf = (samples: readonly EncodedSample[]) =>
  samples.map(({ pts, dts, duration, keyframe }) => ({ pts, dts, duration, keyframe }))

describe.skipIf(!hasFfmpeg && !process.env['CI'])('a compositor that goes on', () => {
  let whole: Composed
  beforeAll(async () => {
    whole = await compose()
    expect(whole.report.layouts.some(({ tiles }) => tiles.some(({ picture }) => picture !== undefined))).toBe(true)
  })

  // A keyframe, one in the hold, one that was asked for and lies where no segment begins, and the first after the hold.
  it.each([45, 75, 80, 98])('at frame %i makes what one makes that was not interrupted', async (frame) => {
    const atUs = Math.round((frame * 1_000_000) / FPS)
    const before = whole.objects.filter((object) => object.atUs < atUs)
    const taken = whole.thumbnails.filter(({ thumbnail }) => thumbnail.atUs < atUs)
    const sheets = before.filter(({ suffix }) => suffix !== '/poster.jpg').length
    const rest = await compose({
      frame,
      stills: {
        hasPoster: sheets < before.length,
        thumbnails: taken.map(({ thumbnail }) => thumbnail),
        openSheet: taken.slice(sheets * 4).map(({ samples }) => samples),
      },
    })
    expect(whole.report.frames).toBe(120)
    expect(rest.report).toEqual({ ...whole.report, frames: 135 - frame })
    expect(rest.report.layouts.length).toBeGreaterThan(2)
    for (const id of ['composite-video', 'composite-video-1']) {
      const own = timesOf(ofTrack(rest.items, id))
      const due = timesOf(ofTrack(whole.items, id)).slice(frame - 15)
      expect(own[0]).toEqual({ ...due[0], keyframe: true })
      expect(own.slice(1), 'keyframes stay where they were').toEqual(due.slice(1))
      expect(ofTrack(rest.items, id)[0]?.configuration).toEqual(ofTrack(whole.items, id)[0]?.configuration)
    }
    expect(ofTrack(rest.items, 'composite-audio'), 'sound is from the beginning').toEqual(
      ofTrack(whole.items, 'composite-audio'),
    )
    expect(rest.thumbnails, 'sample by sample').toEqual(whole.thumbnails.slice(taken.length))
    expect([...before, ...rest.objects]).toEqual(whole.objects)
  })

  it('says from the start how far it is, and asks for no more effort while it passes over', async () => {
    const compositor = await Compositor.create({ ...options, goOn: { frame: 60 } })
    expect(compositor.composedUs).toBe(4_000_000)
    const limits = { knownUs: 2_000_000, forcedUs: 2_000_000 }
    while (compositor.compose(limits, () => {})) await compositor.relieve(60_000_000, 1_000_000)
    expect(compositor.report({ whole: false })).toMatchObject({ frames: 0, composedUs: 4_000_000, loadChanges: [] })
    compositor.close()
  })

  it('does so in a thread, which tells what it makes while one waits for it', async () => {
    const items: TimedItem[] = []
    const thumbnails: TakenThumbnail[] = []
    const thread = await CompositorThread.create({
      ...options,
      goOn: { frame: 30 },
      emit: (item) => items.push(item),
      onThumbnail: (taken) => thumbnails.push(taken),
      onObject: () => {},
    })
    await thread.advance(until)
    const counts = new Set<number>()
    const report = await thread.finish(END_US, async () => void counts.add(items.length))
    expect(report.frames).toBe(105)
    expect(ofTrack(items, 'composite-video')[0]).toMatchObject({ pts: 180_000, keyframe: true })
    expect(counts.size).toBeGreaterThan(2)
    expect(thumbnails.map(({ thumbnail }) => thumbnail.atUs)).toEqual([2, 3, 4, 5, 6, 7, 8].map((s) => s * 1_000_000))
  })
})
