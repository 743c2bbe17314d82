import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, openTake, type TakeItem, tailTake } from '../src/index.js'
import { collect, fixture, packetsOf, rtp, startedAt, temporaryFolder, videoTrack } from './fixtures.js'

const pollMs = 5

describe('a take that grows', () => {
  it('is followed from the beginning to the end, in order of arrival', async () => {
    const source = await openTake(fixture('rejoin'))
    const dir = join(temporaryFolder(), 'take')
    const writer = await createTakeWriter(dir, { startedAt: source.session.startedAt }, { maxDelayMs: 3 })
    const tail = await tailTake(dir, { pollMs })
    expect(tail.finished).toBe(false)
    const following = collect(tail.items())
    const entries = new Map(source.session.participants.flatMap(({ tracks }) => tracks).map((t) => [t.id, t]))
    const announced = new Set<string>()
    for await (const batch of source.items()) {
      for (const item of batch) {
        if (item.type === 'event') writer.event(item.event)
        if (item.type !== 'packet') continue
        const entry = entries.get(item.trackId)
        if (entry !== undefined && !announced.has(entry.id)) {
          announced.add(entry.id)
          writer.addTrack(entry.id.startsWith('alice') ? 'alice' : 'bob', entry)
        }
        writer.write(item.trackId, item.data, item.arrivalUs)
      }
      await writer.flush()
      await new Promise((resolve) => setTimeout(resolve, 4))
    }
    await writer.finish()
    const items = await following
    const order = (list: readonly TakeItem[]): string[] =>
      packetsOf(list).map(({ trackId, arrivalUs, data }) => `${trackId} ${arrivalUs} ${data[2]} ${data[3]}`)
    const offline = await collect((await openTake(dir)).items())
    expect(order(items)).toEqual(order(offline))
    expect(items.filter(({ type }) => type === 'event')).toEqual(offline.filter(({ type }) => type === 'event'))
    expect(items.at(-1)).toEqual({ type: 'end' })
    for (const id of announced) {
      const start = items.findIndex((item) => item.type === 'track' && item.track.id === id)
      const first = items.findIndex((item) => item.type === 'packet' && item.trackId === id)
      expect(start).toBeGreaterThanOrEqual(0)
      expect(start).toBeLessThan(first)
    }
    expect(tail.finished).toBe(true)
    expect(tail.session).toEqual((await openTake(dir)).session)
  })

  it('reads as the finished one when it is finished already', async () => {
    const tail = await tailTake(fixture('solo'), { pollMs })
    expect(tail.finished).toBe(true)
    const items = await collect(tail.items({ tracks: ['alice-audio'] }))
    expect(items).toEqual(await collect((await openTake(fixture('solo'))).items({ tracks: ['alice-audio'] })))
  })

  it('says that time passes while nothing comes', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt }, { maxDelayMs: 1 })
    writer.addTrack('alice', videoTrack('camera'))
    writer.write('camera', rtp(1), 40_000)
    const idle: number[] = []
    for await (const batch of (await tailTake(dir, { pollMs, lagMs: 10 })).items()) {
      for (const item of batch) if (item.type === 'idle') idle.push(item.arrivalUs)
      if (idle.length === 4) break
    }
    expect(idle[0]).toBeGreaterThan(40_000)
    expect([...idle].sort((one, other) => one - other)).toEqual(idle)
    await writer.abort()
  })

  it('ends when it is aborted', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt })
    const controller = new AbortController()
    const following = collect((await tailTake(dir, { pollMs: 60_000, signal: controller.signal })).items())
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 20)
    await expect(following).rejects.toBe(reason)
    await writer.abort()
  })

  it('needs a session.json', async () => {
    await expect(tailTake(temporaryFolder())).rejects.toMatchObject({ code: 'TAKE_NO_SESSION' })
    await expect(tailTake(fixture('solo'), { pollMs: 0 })).rejects.toMatchObject({ field: 'pollMs' })
  })
})
