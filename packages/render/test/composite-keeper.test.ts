import { join } from 'node:path'
import { type LoadChange, resolveComposite } from '@rushes/compositor'
import type { EncodedSample, TimedItem } from '@rushes/media'
import type { Session } from '@rushes/take'
import { beforeEach, describe, expect, it } from 'vitest'
import { CompositeKeeper, type CompositeKeeperOptions } from '../src/composite-keeper.js'
import type { CompositeStill } from '../src/composite-segment.js'
import type { OutputContext } from '../src/output.js'
import { resolvePlan } from '../src/plan.js'
import type { RenderEvent } from '../src/render-event.js'
import { filesBelow, temporaryFolder } from './fixtures.js'

const FPS = 15
const settings = resolveComposite({ size: '320x180', fps: FPS }, 'composite')
const tracks = [
  { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 },
  { id: 'a', kind: 'audio', codec: 'aac', clockRate: 48_000 },
] as const

let workDir: string
let events: RenderEvent[]
beforeEach(() => {
  workDir = join(temporaryFolder(), 'work')
  events = []
})

function open(more: Partial<CompositeKeeperOptions> = {}): Promise<CompositeKeeper | undefined> {
  const context = {
    plan: resolvePlan({}, true),
    startedAtUs: 0,
    subject: { kind: 'composite' },
    signal: undefined,
    emit: (event: RenderEvent) => void events.push(event),
  } as unknown as OutputContext
  return CompositeKeeper.open({ workDir, recordingId: 'r', context, settings, session: undefined, ...more })
}

const sample = (trackId: 'v' | 'a', dts: number, keyframe: boolean): EncodedSample => ({
  type: 'sample',
  trackId,
  data: [Uint8Array.of(dts & 255)],
  pts: dts,
  dts,
  keyframe,
})
const picture = (frame: number): EncodedSample => sample('v', frame * 6000, frame % FPS === 0)
const sheet = (atUs: number, suffix: string): CompositeStill => ({
  ...{ type: 'object', atUs, suffix, contentType: 'image/jpeg' },
  body: Uint8Array.of(1),
})
const thumbnail = (atUs: number): CompositeStill => ({
  type: 'thumbnail',
  thumbnail: { atUs, sheet: 1, x: 0, y: 0, width: 2, height: 2 },
  samples: new Uint8Array(6).fill(atUs / 500_000),
})
const change = (atUs: number): LoadChange => ({ atUs, preset: 'ultrafast', frameStep: 1, sizeDivisor: 1 })

/** Frames 15 to 62, of which 15 to 59 are whole seconds; 1 s to 4 s of sound. */
async function fill(keeper: CompositeKeeper, participants: readonly string[] = ['ann']): Promise<TimedItem[]> {
  await keeper.begin(tracks)
  const given: TimedItem[] = []
  const loadChanges = [change(2_000_000), change(4_100_000)]
  for (const still of [thumbnail(1_000_000), sheet(1_500_000, '/poster.jpg'), thumbnail(2_000_000)]) {
    keeper.pushStill(still)
  }
  for (const still of [sheet(2_000_000, '/thumbnails-1.jpg'), thumbnail(3_500_000), thumbnail(4_000_000)]) {
    keeper.pushStill(still)
  }
  for (let dts = 48_000; dts < 4 * 48_000; dts += 1024) keeper.push(sample('a', dts, true))
  for (let frame = 15; frame < 63; frame++) keeper.push(picture(frame))
  const whole = (): number => filesBelow(workDir).filter((name) => name.includes('segment-')).length
  await keeper.drain(
    (item) => {
      expect(whole(), 'it is on the disk before it goes on').toBe(3)
      given.push(item)
    },
    () => ({ participants, loadChanges }),
  )
  return given
}

interface Replayed {
  readonly items: readonly TimedItem[]
  readonly stills: readonly CompositeStill[]
  readonly drains: number
}

async function replay(keeper: CompositeKeeper): Promise<Replayed> {
  const items: TimedItem[] = []
  const stills: CompositeStill[] = []
  let drains = 0
  await keeper.replay({
    push: (item) => items.push(item),
    still: (still) => stills.push(still),
    drain: async () => void drains++,
  })
  return { items, stills, drains }
}

describe('a composite that is kept', () => {
  it('gives out what it gave out before, says where it goes on, and leaves out what comes again', async () => {
    const first = (await open()) as CompositeKeeper
    expect([first.tracks, first.startUs, first.goOn]).toEqual([undefined, undefined, undefined])
    const given = await fill(first)
    expect(given).toHaveLength(48 + 141)
    await first.close()

    const next = (await open()) as CompositeKeeper
    expect(next.tracks).toEqual(tracks)
    const { items, stills, drains } = await replay(next)
    expect(drains, 'segment by segment').toBe(3)
    expect(items.filter(({ trackId }) => trackId === 'v')).toEqual(given.slice(-48, -3))
    expect(items.filter(({ trackId }) => trackId === 'a')).toEqual(given.slice(0, 141))
    expect([next.startUs, next.goesOnAtUs]).toEqual([1_000_000, 4_000_000])
    expect(stills.map((still) => (still.type === 'object' ? still.suffix : still.thumbnail.atUs))).toEqual([
      1_000_000,
      '/poster.jpg',
      2_000_000,
      '/thumbnails-1.jpg',
      3_500_000,
    ])
    expect(next.goOn).toEqual({
      frame: 60,
      stills: {
        hasPoster: true,
        thumbnails: [1_000_000, 2_000_000, 3_500_000].map((atUs) => expect.objectContaining({ atUs })),
        openSheet: [new Uint8Array(6).fill(7)],
      },
    })
    expect(next.loadChanges, 'what was given up in what is kept').toEqual([change(2_000_000)])

    await next.begin(tracks)
    const again: TimedItem[] = []
    const news = [sample('a', 48_000 + 140 * 1024, true), sample('a', 48_000 + 141 * 1024, true), picture(60)]
    for (const item of [...news, { type: 'track-end', trackId: 'a' } as const]) next.push(item)
    const surroundings = () => ({ participants: [], loadChanges: [] })
    await next.drain((item) => again.push(item), surroundings)
    expect(again).toEqual([...news.slice(1), { type: 'track-end', trackId: 'a' }])
    await next.remove()
    expect(filesBelow(join(workDir, '..'))).toEqual([])
    expect(events).toEqual([])
  })

  it('of somebody who was erased since is not shown', async () => {
    const first = (await open()) as CompositeKeeper
    await fill(first, ['ann', 'bob'])
    await first.close()
    const session = { participants: [{ id: 'ann', tracks: [] }], events: [] } as unknown as Session
    const next = (await open({ session })) as CompositeKeeper
    expect((await replay(next)).items).toEqual([])
    expect(next.goOn).toBeUndefined()
    await next.remove()
  })

  it('goes on without being kept where that cannot be, with a warning', async () => {
    const first = (await open()) as CompositeKeeper
    expect(await open(), 'another one is at it').toBeUndefined()
    expect(events).toMatchObject([{ type: 'warning', warning: { code: 'COMPOSITE_NOT_KEPT' } }])
    await first.begin(tracks)
    // The folder is gone: nothing can be written there.
    await first.remove()
    for (let frame = 0; frame < 40; frame++) first.push(picture(frame))
    const given: TimedItem[] = []
    const surroundings = () => ({ participants: [], loadChanges: [] })
    await first.drain((item) => given.push(item), surroundings)
    for (let frame = 40; frame < 80; frame++) first.push(picture(frame))
    await first.drain((item) => given.push(item), surroundings)
    expect(given).toHaveLength(80)
    expect(events, 'told once').toHaveLength(2)
  })
})
