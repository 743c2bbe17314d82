import type { TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { resolveComposite } from '../../src/composite-settings.js'
import { Compositor, type CompositorOptions } from '../../src/compositor.js'
import { CompositorThread } from '../../src/thread/compositor-thread.js'

const options: CompositorOptions = {
  settings: resolveComposite({ size: '160x90', fps: 10, video: { preset: 'ultrafast' } }, 'composite'),
  startUs: 1_000_000,
  startedAtUs: 0,
  sampleRate: 48_000,
  kinds: new Set(['audio', 'video']),
  keyframeSeconds: 2,
}

/** Somebody without any track: a placeholder, and silence. */
const join = { type: 'join', atUs: 1_200_000, participantId: 'ann', name: 'Ann' } as const
const limits = { knownUs: 3_000_000, forcedUs: 3_000_000 }

/** Of each track in its order: how pictures and sounds are mixed depends on the encoder's thread. */
const samplesOf = (items: readonly TimedItem[]): unknown[] =>
  items
    .flatMap((item) => (item.type === 'sample' ? [{ ...item, data: Buffer.concat([item.data].flat()) }] : []))
    .sort((one, other) => one.trackId.localeCompare(other.trackId))

describe('a compositor in a thread', () => {
  it('makes what one makes that has none', async () => {
    const inThread: TimedItem[] = []
    const thread = await CompositorThread.create({ ...options, emit: (item) => inThread.push(item) })
    thread.scene(join)
    await thread.advance(limits)
    const report = await thread.finish(3_000_000)

    const here: TimedItem[] = []
    const compositor = await Compositor.create(options)
    compositor.scene(join)
    while (compositor.compose(limits, (item) => here.push(item)));
    compositor.flush((item) => here.push(item), 3_000_000)

    expect(thread.tracks).toEqual(compositor.tracks)
    expect(samplesOf(inThread)).toEqual(samplesOf(here))
    expect(report).toEqual(compositor.report({ whole: true }))
    expect(report).toMatchObject({ frames: 20, composedUs: 3_000_000, loadChanges: [] })
    expect(report.layouts.map(({ startUs, tiles }) => [startUs, tiles.length])).toEqual([
      [1_000_000, 0],
      [1_200_000, 1],
    ])
    expect(inThread.filter(({ type }) => type === 'track-end')).toHaveLength(2)
  })

  it('fails with what made it fail, and not the process', async () => {
    const overlays = [{ type: 'image', image: '/no/such/file.png' }] as const
    const settings = { ...options.settings, overlays }
    await expect(CompositorThread.create({ ...options, settings, emit: () => {} })).rejects.toMatchObject({
      code: 'COMPOSITOR_IMAGE_UNREADABLE',
    })
    const thread = await CompositorThread.create({ ...options, emit: () => {} })
    thread.addTrack({ id: 'v', kind: 'video', codec: 'theora' as never, clockRate: 90_000 }, 'ann')
    await expect(thread.advance(limits).then(() => thread.finish(3_000_000))).rejects.toMatchObject({
      name: 'CompositorError',
    })
    await expect(thread.advance(limits), 'and says so again').rejects.toMatchObject({ name: 'CompositorError' })
  })

  it('makes its giver wait while too much is on its way', async () => {
    const thread = await CompositorThread.create({ ...options, emit: () => {} })
    let wasSlow = false
    for (let round = 0; round < 200; round++) {
      const isEarly = await Promise.race([
        thread.advance({ knownUs: 0, forcedUs: 0 }).then(() => true),
        new Promise<false>((resolve) => setImmediate(() => resolve(false))),
      ])
      wasSlow ||= !isEarly
    }
    expect(wasSlow).toBe(true)
    await thread.settled()
    thread.close()
  })
})
