import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTakeWriter, openTake, type Refusal, type TakeError } from '../src/index.js'
import {
  collect,
  fixture,
  fixtureNames,
  packetsOf,
  plainRecords,
  rtcp,
  rtp,
  startedAt,
  temporaryFolder,
  videoTrack,
} from './fixtures.js'
import { ManualClock } from './manual-clock.js'

describe('a take that is written', () => {
  for (const name of fixtureNames) {
    it(`has the bytes of ${name} when it is fed with it`, async () => {
      const source = await openTake(fixture(name))
      const dir = join(temporaryFolder(), 'take')
      const { startedAt, name: title = '' } = source.session
      const writer = await createTakeWriter(dir, { startedAt, name: title })
      const entries = new Map(source.session.participants.flatMap(({ tracks }) => tracks).map((t) => [t.id, t]))
      for await (const batch of source.items()) {
        for (const item of batch) {
          if (item.type === 'track') {
            const entry = entries.get(item.track.id)
            if (entry !== undefined) writer.addTrack(item.participantId, entry)
          } else if (item.type === 'event') writer.event(item.event)
          else if (item.type === 'packet' && !writer.write(item.trackId, item.data, item.arrivalUs))
            await writer.drain()
        }
      }
      await writer.finish({ durationMs: source.session.durationMs ?? 0 })
      for (const { file } of entries.values()) {
        expect(readFileSync(join(dir, file)).equals(readFileSync(join(fixture(name), file)))).toBe(true)
      }
      const { session } = await openTake(dir)
      expect(session.finished).toBe(true)
      expect(session.events).toEqual(source.session.events)
      expect(session.participants.flatMap(({ tracks }) => tracks)).toEqual([...entries.values()])
      expect(readdirSync(dir).sort()).toEqual([...[...entries.values()].map(({ file }) => file), 'session.json'].sort())
    })
  }

  it('is on disk before it is finished, and reads as an unfinished one', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt, roomId: 'room' })
    writer.event({ type: 'join', atMs: 1, participant: 'alice', name: 'Alice' })
    writer.addTrack('alice', videoTrack('camera', 2))
    writer.write('camera', rtp(1), 2500)
    writer.write('camera', rtcp, 3999)
    await writer.flush()
    const take = await openTake(dir)
    expect(take.session.finished).toBe(false)
    expect(take.session).toMatchObject({ roomId: 'room', participants: [{ id: 'alice', name: 'Alice' }] })
    expect(await collect(take.records())).toMatchObject([
      { trackId: 'camera', arrivalUs: 2000, rtcp: false },
      { trackId: 'camera', arrivalUs: 3000, rtcp: true },
    ])
    await writer.abort()
    expect((await openTake(dir)).session.finished).toBe(false)
    expect(existsSync(join(dir, 'events.ndjson'))).toBe(true)
  })

  it('knows when tracks ended', async () => {
    const dir = temporaryFolder()
    const participants = [{ id: 'alice', tracks: [videoTrack('camera')] }]
    const writer = await createTakeWriter(dir, { startedAt, participants })
    writer.addTrack('bob', videoTrack('screen', 5))
    writer.addTrack('bob', videoTrack('silent', 6))
    writer.write('camera', rtp(1), 70_000)
    writer.write('screen', rtp(1), 50_000)
    writer.endTrack('screen', 61)
    const session = await writer.finish()
    expect(session.durationMs).toBe(70)
    expect(session.participants.flatMap(({ tracks }) => tracks.map(({ id, leftAtMs }) => [id, leftAtMs]))).toEqual([
      ['camera', 70],
      ['screen', 61],
      ['silent', 6],
    ])
    expect(packetsOf(await collect((await openTake(dir, { strict: true })).items()))).toHaveLength(2)
  })

  it('keeps no file open for a track that has ended, and takes what comes late', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt })
    const openFiles = (): number => readdirSync('/proc/self/fd').length
    const before = existsSync('/proc/self/fd') ? openFiles() : 0
    for (let index = 0; index < 20; index += 1) {
      writer.addTrack('alice', videoTrack(`t${index}`))
      writer.write(`t${index}`, rtp(index), index)
      writer.endTrack(`t${index}`, 1)
      await writer.flush()
    }
    if (before > 0) expect(openFiles()).toBeLessThan(before + 10)
    writer.write('t3', rtp(99), 5000)
    await writer.finish()
    expect(plainRecords(join(dir, 't3.rtpdump')).map(({ data }) => data[3])).toEqual([3, 99])
  })

  it('copies what it is given', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt, participants: [{ id: 'a', tracks: [videoTrack('v')] }] })
    const packet = rtp(7)
    writer.write('v', packet, 0)
    packet.fill(0)
    await writer.finish()
    expect(await collect((await openTake(dir)).records())).toMatchObject([{ data: rtp(7) }])
  })

  it('does not replace another take', async () => {
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt })
    await writer.finish()
    await expect(createTakeWriter(dir, { startedAt })).rejects.toMatchObject({ code: 'TAKE_EXISTS' })
  })

  it('says what is wrong with its options, its session and its tracks', async () => {
    const dir = temporaryFolder()
    await expect(createTakeWriter(dir, { startedAt }, { maxDelayMs: 0 })).rejects.toMatchObject({ field: 'maxDelayMs' })
    await expect(createTakeWriter(dir, { startedAt: 'now' })).rejects.toMatchObject({ path: '$.startedAt' })
    const writer = await createTakeWriter(dir, { startedAt })
    writer.addTrack('alice', videoTrack('camera'))
    const twice = expect.objectContaining({ code: 'TAKE_BAD_SESSION', trackId: 'camera' })
    expect(() => writer.addTrack('bob', videoTrack('camera'))).toThrow(twice)
    const escaping = { ...videoTrack('x'), file: '../x' }
    expect(() => writer.addTrack('bob', escaping)).toThrow(expect.objectContaining({ code: 'TAKE_BAD_SESSION' }))
    await writer.finish()
    expect(() => writer.addTrack('bob', videoTrack('late'))).toThrow(expect.objectContaining({ code: 'TAKE_CLOSED' }))
    await expect(writer.finish()).rejects.toMatchObject({ code: 'TAKE_CLOSED' })
  })
})

describe('what is not kept', () => {
  it('is counted by cause and told once per flush', async () => {
    const told: (readonly Refusal[])[] = []
    const options = { maxFileBytes: 300, onRefused: (refusals: readonly Refusal[]) => told.push(refusals) }
    const writer = await createTakeWriter(temporaryFolder(), { startedAt }, options)
    writer.addTrack('alice', videoTrack('camera'))
    expect(writer.write('nobody', rtp(1), 0)).toBe(true)
    writer.write('camera', new Uint8Array(20), 0)
    writer.write('camera', rtp(1).subarray(0, 11), 0)
    writer.write('camera', rtp(1, 65_528), 0)
    writer.write('camera', rtp(1), 2 ** 32 * 1000)
    for (let index = 0; index < 6; index += 1) writer.write('camera', rtp(index), index)
    await writer.flush()
    const refused = [
      { trackId: 'nobody', cause: 'unknown-track', count: 1, bytes: 40 },
      { trackId: 'camera', cause: 'not-rtp', count: 1, bytes: 20 },
      { trackId: 'camera', cause: 'too-short', count: 1, bytes: 11 },
      { trackId: 'camera', cause: 'file-full', count: 2, bytes: 65_528 + 40 },
      { trackId: 'camera', cause: 'too-late', count: 1, bytes: 40 },
    ]
    expect(told).toHaveLength(1)
    expect(new Set(told[0])).toEqual(new Set(refused))
    await writer.flush()
    expect(told).toHaveLength(1)
    await writer.finish()
    expect(writer.write('camera', rtp(9), 0)).toBe(true)
    expect(writer.stats.refused).toHaveLength(6)
    expect(writer.stats.packets).toBe(5)
  })

  it('is what exceeds the bound of memory; before that the caller is asked to wait', async () => {
    const clock = new ManualClock()
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt }, { maxBufferedBytes: 10_000, clock })
    writer.addTrack('alice', videoTrack('camera'))
    let accepted = 0
    let paused = 0
    for (let index = 0; index < 12; index += 1) {
      if (!writer.write('camera', rtp(index, 992), index * 1000)) paused += 1
      accepted = writer.stats.packets
    }
    expect(accepted).toBe(9)
    expect(paused).toBe(8)
    expect(writer.stats.bufferedBytes).toBeLessThanOrEqual(10_000)
    expect(writer.stats.refused).toEqual([{ trackId: 'camera', cause: 'buffer-full', count: 3, bytes: 3 * 992 }])
    let drained = false
    const waiting = writer.drain().then(() => {
      drained = true
    })
    await Promise.resolve()
    expect(drained).toBe(false)
    clock.advance(100)
    await waiting
    expect(writer.write('camera', rtp(20, 992), 20_000)).toBe(true)
    await writer.finish()
    expect(plainRecords(join(dir, 'camera.rtpdump'))).toHaveLength(10)
  })
})

describe('time', () => {
  it('passes for at most the delay before packets are on their way to the disk', async () => {
    const clock = new ManualClock()
    const dir = temporaryFolder()
    const writer = await createTakeWriter(dir, { startedAt }, { clock, maxDelayMs: 80 })
    writer.addTrack('alice', videoTrack('camera'))
    writer.write('camera', rtp(1), 0)
    clock.advance(79)
    expect(writer.stats.bufferedBytes).toBeGreaterThan(0)
    clock.advance(1)
    while (writer.stats.bufferedBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(plainRecords(join(dir, 'camera.rtpdump'))).toHaveLength(1)
    expect(clock.pending).toBe(0)
    await writer.finish()
  })
})

describe('a disk that fails', () => {
  it('is tried again; nothing that was buffered is lost or written twice', async () => {
    const clock = new ManualClock()
    const dir = join(temporaryFolder(), 'take')
    const errors: TakeError[] = []
    const options = { clock, retryMs: 500, onError: (error: TakeError) => errors.push(error) }
    const writer = await createTakeWriter(dir, { startedAt }, options)
    // Something stands where the new track's file should be.
    mkdirSync(join(dir, 'camera.rtpdump'))
    writer.addTrack('alice', videoTrack('camera'))
    writer.addTrack('alice', videoTrack('screen'))
    for (let index = 0; index < 3; index += 1) {
      writer.write('camera', rtp(index), index * 1000)
      writer.write('screen', rtp(index), index * 1000)
      await expect(writer.flush()).rejects.toMatchObject({ code: 'TAKE_WRITE_FAILED' })
    }
    expect(errors).toHaveLength(1)
    expect(plainRecords(join(dir, 'screen.rtpdump'))).toHaveLength(3)
    await expect(writer.finish()).rejects.toMatchObject({ code: 'TAKE_WRITE_FAILED' })
    rmSync(join(dir, 'camera.rtpdump'), { recursive: true })
    clock.advance(500)
    while (writer.stats.bufferedBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await writer.finish()
    const sequenceNumbers = plainRecords(join(dir, 'camera.rtpdump')).map(({ data }) => data[3])
    expect(sequenceNumbers).toEqual([0, 1, 2])
  })

  it('refuses at the start where nothing can be written', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(createTakeWriter(join(file, 'take'), { startedAt })).rejects.toMatchObject({
      code: 'TAKE_WRITE_FAILED',
    })
  })

  it.skipIf(process.seteuid === undefined)('says that a folder is read-only', async () => {
    const dir = temporaryFolder()
    const inner = join(dir, 'locked')
    mkdirSync(inner, { mode: 0o555 })
    // The superuser may write everywhere: the test steps down for a moment.
    const user = process.geteuid?.()
    if (user === 0) process.seteuid?.(65_534)
    try {
      const attempt = createTakeWriter(join(inner, 'take'), { startedAt })
      await expect(attempt).rejects.toMatchObject({ code: 'TAKE_WRITE_FAILED', cause: { code: 'EACCES' } })
      await expect(attempt).rejects.toThrow('may not write there')
    } finally {
      if (user === 0) process.seteuid?.(0)
    }
  })
})
