import { describe, expect, it } from 'vitest'
import { createLiveSource, type TakeItem } from '../src/index.js'
import { collect, packetsOf, rtcp, rtp, startedAt, videoTrack } from './fixtures.js'
import { ManualClock } from './manual-clock.js'

async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a live source', () => {
  it('gives what is written, in order, and ends', async () => {
    const source = createLiveSource({ startedAt, roomId: 'room' })
    const reading = collect(source.items())
    source.event({ type: 'join', atMs: 1, participant: 'alice' })
    source.addTrack('alice', videoTrack('camera', 1))
    for (let index = 0; index < 1000; index += 1) {
      expect(source.write('camera', index === 500 ? rtcp : rtp(index), 1000 + index)).toBe(true)
      if (index % 300 === 0) await turns()
    }
    source.endTrack('camera', 2)
    source.end()
    const items = await reading
    expect(items.map(({ type }) => type).filter((type) => type !== 'packet')).toEqual([
      'event',
      'track',
      'event',
      'end',
    ])
    const packets = packetsOf(items)
    expect(packets.map(({ arrivalUs }) => arrivalUs)).toEqual(Array.from({ length: 1000 }, (_, index) => 1000 + index))
    expect(packets.filter((packet) => packet.rtcp)).toHaveLength(1)
    expect(source.session).toMatchObject({
      roomId: 'room',
      finished: true,
      participants: [{ id: 'alice', tracks: [{ id: 'camera', leftAtMs: 2 }] }],
    })
  })

  it('wakes the reader once for many packets, and says that time passes', async () => {
    const clock = new ManualClock()
    const source = createLiveSource({ startedAt, participants: [{ id: 'a', tracks: [videoTrack('v')] }] }, { clock })
    const batches: (readonly TakeItem[])[] = []
    const reading = (async () => {
      for await (const batch of source.items()) batches.push(batch)
    })()
    await turns()
    expect(batches).toMatchObject([[{ type: 'track' }]])
    for (let index = 0; index < 5; index += 1) source.write('v', rtp(index), index)
    await turns()
    expect(batches).toHaveLength(1)
    clock.advance(20)
    await turns()
    expect(batches).toHaveLength(2)
    expect(batches[1]).toHaveLength(5)
    clock.advance(250)
    await turns()
    expect(batches[2]).toEqual([{ type: 'idle', arrivalUs: 270_000 }])
    // A packet that was stamped before that is not earlier for it.
    source.write('v', rtp(9), 260_000)
    source.end()
    await reading
    expect(batches.slice(3)).toMatchObject([[{ type: 'packet', arrivalUs: 270_000 }], [{ type: 'end' }]])
    expect(clock.pending).toBe(0)
  })

  it('bounds what it holds, and counts what it refuses', async () => {
    const source = createLiveSource({ startedAt }, { maxBufferedBytes: 4096 })
    source.addTrack('alice', videoTrack('camera'))
    const answers = Array.from({ length: 10 }, (_, index) => source.write('camera', rtp(index, 872), index))
    expect(answers).toEqual(
      [true, false, false, false, false, false, false, false, false, false].map((yes, i) => (i < 1 ? true : yes)),
    )
    expect(source.stats.packets).toBe(3)
    expect(source.stats.bufferedBytes).toBeLessThanOrEqual(4096)
    expect(source.stats.refused).toEqual([{ trackId: 'camera', cause: 'buffer-full', count: 7, bytes: 7 * 872 }])
    const reader = source.items()[Symbol.asyncIterator]()
    const draining = source.drain()
    expect((await reader.next()).value).toHaveLength(4)
    await draining
    expect(source.write('camera', rtp(11), 11)).toBe(true)
    expect(source.write('nobody', rtp(11), 11)).toBe(true)
    expect(source.write('camera', new Uint8Array(12), 11)).toBe(true)
    expect(source.stats.refused.map(({ cause }) => cause)).toEqual(['buffer-full', 'unknown-track', 'not-rtp'])
  })

  it('has one reader, and takes nothing in after it has left', async () => {
    const source = createLiveSource({ startedAt, participants: [{ id: 'a', tracks: [videoTrack('v')] }] })
    for await (const batch of source.items()) {
      expect(batch).toHaveLength(1)
      break
    }
    await expect(collect(source.items())).rejects.toMatchObject({ code: 'TAKE_IN_USE' })
    expect(source.finished).toBe(false)
    expect(source.session.finished).toBe(true)
    expect(source.write('v', rtp(1), 0)).toBe(true)
    source.event({ type: 'join', atMs: 0 })
    source.addTrack('b', videoTrack('late'))
    expect(source.stats.refused).toEqual([
      { trackId: 'v', cause: 'closed', count: 1, bytes: 40 },
      { cause: 'closed', count: 2, bytes: 0 },
    ])
    expect(source.stats.bufferedBytes).toBe(0)
  })

  it('is read in part, and ends when it is aborted', async () => {
    const source = createLiveSource({ startedAt })
    source.addTrack('alice', videoTrack('one'))
    source.addTrack('bob', videoTrack('two'))
    source.write('one', rtp(1), 0)
    source.write('two', rtp(2), 0)
    const controller = new AbortController()
    const reason = new Error('enough')
    const items: TakeItem[] = []
    const reading = (async () => {
      for await (const batch of source.items({ participants: ['bob'], signal: controller.signal })) items.push(...batch)
    })()
    await turns()
    controller.abort(reason)
    await expect(reading).rejects.toBe(reason)
    expect(items).toMatchObject([{ track: { id: 'two' } }, { trackId: 'two' }])
  })
})
