import { appendFileSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { openTake, serializeRtpdumpHeader, serializeRtpdumpRecord, type TakeDamage } from '../src/index.js'
import { collect, fixture, fixtureNames, packetsOf, plainRecords, rtp, temporaryFolder } from './fixtures.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Memory that is still in use: what only waits for the collector says how busy the machine is. */
function liveBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function copyOf(name: string): string {
  const dir = temporaryFolder()
  cpSync(fixture(name), dir, { recursive: true })
  return dir
}

describe('a finished take', () => {
  for (const name of fixtureNames) {
    it(`${name} is read completely, in order of arrival`, async () => {
      const take = await openTake(fixture(name))
      expect(take.finished).toBe(true)
      const tracks = take.session.participants.flatMap((participant) => participant.tracks)
      const plain = tracks.map(({ id, file }) => ({ id, records: plainRecords(join(fixture(name), file)) }))
      // Independent of the merge: all records sorted by time; the sort is stable, so tracks keep their order.
      const expected = plain
        .flatMap(({ id, records }) => records.map((record) => ({ trackId: id, ...record })))
        .sort((one, other) => one.offsetMs - other.offsetMs)
      const items = await collect(take.items())
      const packets = packetsOf(items)
      expect(packets.length).toBe(expected.length)
      for (const [index, packet] of packets.entries()) {
        const record = expected[index] as (typeof expected)[number]
        expect(packet.trackId).toBe(record.trackId)
        expect(packet.arrivalUs).toBe(record.offsetMs * 1000)
        expect(packet.rtcp).toBe(record.rtcp)
        expect(Buffer.compare(packet.data, record.data)).toBe(0)
      }
      expect(items.slice(0, tracks.length)).toMatchObject(tracks.map(({ id }) => ({ type: 'track', track: { id } })))
      expect(items.at(-1)).toEqual({ type: 'end' })
      expect(items.filter(({ type }) => type === 'event').length).toBe(take.session.events.length)
      expect(items.length).toBe(tracks.length + packets.length + take.session.events.length + 1)
      expect(take.damage).toEqual([])
    })

    it(`${name} tells its RTCP alone`, async () => {
      const take = await openTake(fixture(name))
      const reports = await collect(take.reports())
      const expected = packetsOf(await collect(take.items())).filter(({ rtcp }) => rtcp)
      expect(expected.length).toBeGreaterThan(0)
      expect(reports).toEqual(expected)
    })
  }

  it('puts events at their time', async () => {
    const items = await collect((await openTake(fixture('mutes'))).items())
    let lastUs = 0
    for (const item of items) {
      if (!('arrivalUs' in item)) continue
      expect(item.arrivalUs).toBeGreaterThanOrEqual(lastUs)
      lastUs = item.arrivalUs
      if (item.type === 'event') expect(item.arrivalUs).toBe(item.event.atMs * 1000)
    }
  })

  it('can be read several times, also at once', async () => {
    const take = await openTake(fixture('solo'))
    const [one, other] = await Promise.all([collect(take.records()), collect(take.records())])
    const bytes = (packets: typeof one): Buffer => Buffer.concat(packets.map(({ data }) => data))
    expect(bytes(one).equals(bytes(other))).toBe(true)
    expect(one.length).toBe(packetsOf(await collect(take.items())).length)
  })

  it('is read in part', async () => {
    const take = await openTake(fixture('meeting3'))
    const bob = await collect(take.items({ participants: ['bob'] }))
    expect(new Set(packetsOf(bob).map(({ trackId }) => trackId))).toEqual(new Set(['bob-video', 'bob-audio']))
    expect(bob.filter(({ type }) => type === 'track')).toHaveLength(2)
    const one = await collect(take.records({ participants: ['bob', 'carol'], tracks: ['carol-audio', 'alice-audio'] }))
    expect(new Set(one.map(({ trackId }) => trackId))).toEqual(new Set(['carol-audio']))
  })

  it('gives bounded batches and ends when it is left or aborted', async () => {
    const take = await openTake(fixture('solo'))
    let batches = 0
    for await (const batch of take.items()) {
      expect(batch.length).toBeGreaterThan(0)
      expect(batch.length).toBeLessThanOrEqual(256)
      batches += 1
      if (batches === 3) break
    }
    const controller = new AbortController()
    const reason = new Error('enough')
    await expect(async () => {
      for await (const _ of take.items({ signal: controller.signal })) controller.abort(reason)
    }).rejects.toBe(reason)
  })

  it('clamps a record that says that it came before its predecessor', async () => {
    const dir = copyOf('solo')
    const records = [40, 10, 50].map((offsetMs, index) =>
      serializeRtpdumpRecord({ data: rtp(index), offsetMs, rtcp: false }),
    )
    const header = serializeRtpdumpHeader({ address: '127.0.0.1/5004', startUs: 0 })
    writeFileSync(join(dir, 'alice-audio.rtpdump'), Buffer.concat([header, ...records]))
    const packets = await collect((await openTake(dir)).records({ tracks: ['alice-audio'] }))
    expect(packets.map(({ arrivalUs }) => arrivalUs)).toEqual([40_000, 40_000, 50_000])
  })
})

describe('a damaged take', () => {
  it('goes on without a file that is missing, and says so', async () => {
    const dir = copyOf('solo')
    rmSync(join(dir, 'alice-audio.rtpdump'))
    const told: TakeDamage[] = []
    const take = await openTake(dir, { onDamage: (damage) => told.push(damage) })
    const packets = packetsOf(await collect(take.items()))
    expect(packets.length).toBe(plainRecords(join(dir, 'alice-video.rtpdump')).length)
    expect(take.damage).toEqual([{ trackId: 'alice-audio', cause: 'missing', bytes: 0 }])
    expect(told).toEqual(take.damage)
    const strict = await openTake(dir, { strict: true })
    await expect(collect(strict.items())).rejects.toMatchObject({
      code: 'TAKE_MISSING_TRACK_FILE',
      trackId: 'alice-audio',
    })
  })

  it('refuses when no file is left', async () => {
    const dir = copyOf('solo')
    rmSync(join(dir, 'alice-audio.rtpdump'))
    rmSync(join(dir, 'alice-video.rtpdump'))
    await expect(collect((await openTake(dir)).items())).rejects.toMatchObject({ code: 'TAKE_MISSING_TRACK_FILE' })
  })

  it('gives what is whole of a torn file', async () => {
    const dir = copyOf('solo')
    const path = join(dir, 'alice-video.rtpdump')
    const records = plainRecords(path)
    truncateSync(path, readFileSync(path).length - 3)
    const take = await openTake(dir)
    const packets = await collect(take.records({ tracks: ['alice-video'] }))
    expect(packets.length).toBe(records.length - 1)
    const bytes = (records.at(-1)?.data.byteLength ?? 0) + 8 - 3
    expect(take.damage).toEqual([{ trackId: 'alice-video', cause: 'torn', bytes }])
    await expect(collect((await openTake(dir, { strict: true })).items())).rejects.toMatchObject({
      code: 'TAKE_BAD_TRACK_FILE',
    })
  })

  it('cuts zeros that a power failure left', async () => {
    const dir = copyOf('solo')
    appendFileSync(join(dir, 'alice-video.rtpdump'), Buffer.alloc(200_000))
    const take = await openTake(dir)
    const records = plainRecords(join(fixture('solo'), 'alice-video.rtpdump'))
    expect(await collect(take.records({ tracks: ['alice-video'] }))).toHaveLength(records.length)
    expect(take.damage).toEqual([{ trackId: 'alice-video', cause: 'zero-filled', bytes: 200_000 }])
  })

  it('reports a file that is no rtpdump file and a codec that nobody knows', async () => {
    const dir = copyOf('solo')
    writeFileSync(join(dir, 'alice-video.rtpdump'), 'not at all')
    const path = join(dir, 'session.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('audio/opus', 'audio/speex'))
    const take = await openTake(dir)
    expect(packetsOf(await collect(take.items()))).toEqual([])
    expect(take.damage).toEqual([
      { trackId: 'alice-audio', cause: 'unknown-codec', bytes: 0 },
      { trackId: 'alice-video', cause: 'bad-header', bytes: 10 },
    ])
  })

  it('needs a session.json', async () => {
    await expect(openTake(temporaryFolder())).rejects.toMatchObject({ code: 'TAKE_NO_SESSION' })
    await expect(openTake(join(fixture('solo'), 'alice-video.rtpdump'))).rejects.toMatchObject({
      code: 'TAKE_NO_SESSION',
    })
  })
})

describe('memory', () => {
  it('does not grow with the length of a take', async () => {
    const dir = copyOf('solo')
    const path = join(dir, 'alice-video.rtpdump')
    const header = serializeRtpdumpHeader({ address: '127.0.0.1/5004', startUs: 0 })
    const record = serializeRtpdumpRecord({ data: rtp(1, 1192), offsetMs: 0, rtcp: false })
    const block = Buffer.concat(Array.from({ length: 1000 }, () => record))
    writeFileSync(path, header)
    for (let written = 0; written < 60; written += 1) appendFileSync(path, block)
    const take = await openTake(dir)
    let packets = 0
    let peakBytes = 0
    let batches = 0
    const before = liveBytes()
    for await (const batch of take.records({ tracks: ['alice-video'] })) {
      packets += batch.length
      batches += 1
      if (batches % 10 === 0) peakBytes = Math.max(peakBytes, liveBytes() - before)
    }
    expect(packets).toBe(60_000)
    // The file has 72 MB, a chunk 64 KiB.
    expect(peakBytes).toBeLessThan(4 * 1024 * 1024)
  })
})
