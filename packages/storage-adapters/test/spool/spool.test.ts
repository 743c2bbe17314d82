import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getWhole, type Store, type StoreBody } from '../../src/index.js'
import { createSpool, readSpool, type Spool, type SpoolEvent, type SpoolOptions } from '../../src/spool/index.js'
import { ScriptedStore } from './scripted-store.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Waits of some milliseconds only. */
const backOff = { firstMs: 2, maxMs: 10 }

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-spool-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function open(
  store: Store,
  options: Partial<SpoolOptions> = {},
): Promise<{ spool: Spool; dir: string; events: SpoolEvent[] }> {
  const dir = options.dir ?? temporaryFolder()
  const spool = await createSpool({ store, dir, backOff, ...options })
  onTestFinished(() => spool.close())
  const events: SpoolEvent[] = []
  spool.on((event) => events.push(event))
  return { spool, dir, events }
}

/** Until it is so; a busy machine takes its time. */
const expectSoon = <T>(read: () => T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(read, { timeout: 30_000, interval: 5 })
const typesOf = (events: readonly SpoolEvent[]): string[] => events.map(({ type }) => type)
const bodiesIn = (dir: string): string[] => readdirSync(join(dir, 'objects'))

describe('a put', () => {
  it('is there before the store has it: read, listed, and sent later', async () => {
    const store = new ScriptedStore()
    await store.memory.put('room/0.ts', bytes('old'))
    store.fails = 'STORE_UNAVAILABLE'
    const { spool } = await open(store)
    const stored = await spool.put('room/1.ts', bytes('one'), { contentType: 'video/mp2t', cacheControl: 'no-cache' })
    expect(stored).toEqual({ bytes: 3, location: store.locationOf('room/1.ts') })
    expect(Buffer.from(await getWhole(spool, 'room/1.ts')).toString()).toBe('one')
    expect(await keysOf(spool)).toEqual(['room/0.ts', 'room/1.ts'])
    expect(store.memory.objects.has('room/1.ts')).toBe(false)
    await spool.delete?.('room/0.ts')
    expect(await keysOf(spool)).toEqual(['room/1.ts'])
    await expect(spool.get?.('room/0.ts')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    store.fails = undefined
    await spool.drain()
    expect([...store.memory.objects.keys()]).toEqual(['room/1.ts'])
    expect(store.memory.objects.get('room/1.ts')).toMatchObject({ contentType: 'video/mp2t', cacheControl: 'no-cache' })
  })

  it('runs beside others up to the concurrency', async () => {
    const store = new ScriptedStore()
    const release = gateOf(store)
    const { spool } = await open(store, { concurrency: 3 })
    await Promise.all(Array.from({ length: 10 }, (_, index) => spool.put(`${index}.ts`, bytes('x'))))
    expect(spool.stats).toMatchObject({ waiting: 10, waitingBytes: 10, uploading: 3, state: 'running' })
    expect([...spool.entries()].map(({ state }) => state).filter((state) => state === 'sending')).toHaveLength(3)
    release()
    await spool.drain()
    expect(store.mostRunning).toBe(3)
    expect(spool.stats).toMatchObject({ waiting: 0, stored: 10, storedBytes: 10, accepted: 10, diskBytes: 0 })
  })

  it('is paced by the rate', async () => {
    const store = new ScriptedStore()
    const { spool } = await open(store, { bytesPerSecond: 1_000_000 })
    const started = performance.now()
    await Promise.all([0, 1].map((index) => spool.put(`${index}.mp4`, new Uint8Array(400_000))))
    await spool.drain()
    // A fifth of a second's worth may go at once.
    expect(performance.now() - started).toBeGreaterThanOrEqual(590)
    expect(store.memory.objects.get('1.mp4')?.data.byteLength).toBe(400_000)
  })

  it('that the store took in part is sent again', async () => {
    const store = new ScriptedStore()
    let short = 2
    const put = store.putFile.bind(store)
    store.putFile = async (...args) => ({ ...(await put(...args)), ...(short-- > 0 ? { bytes: 1 } : {}) })
    const { spool, events } = await open(store)
    await spool.put('a.ts', bytes('abc'))
    await spool.drain()
    expect(spool.stats.failures).toEqual({ STORE_CORRUPTED: 2 })
    expect(typesOf(events)).toEqual(['retrying', 'retrying', 'stored', 'idle'])
  })
})

describe('order', () => {
  it('holds an index back until all is there that it may name, and leaves out versions', async () => {
    const store = new ScriptedStore()
    let down = true
    store.fails = (key) => (down && key.endsWith('.ts') ? 'STORE_UNAVAILABLE' : undefined)
    const { spool, events } = await open(store)
    for (let count = 0; count < 40; count += 1) {
      await spool.put(`r/${count}.ts`, bytes(String(count)))
      await spool.put('r/index.m3u8', bytes(`0..${count}`), { contentType: 'application/vnd.apple.mpegurl' })
    }
    expect(spool.stats.waiting, 'versions are left out while they wait').toBeLessThanOrEqual(40 + 16)
    await spool.put('r/manifest.json', bytes('{}'))
    await spool.put('other/index.m3u8', bytes('not held up'))
    await expectSoon(() => store.memory.objects.has('other/index.m3u8')).toBe(true)
    expect(store.memory.objects.has('r/index.m3u8')).toBe(false)
    down = false
    await spool.drain()
    expect(Buffer.from(store.memory.objects.get('r/index.m3u8')?.data ?? []).toString()).toBe('0..39')
    const order = store.calls.filter((call) => !call.endsWith('.ts'))
    expect(order.at(-1)).toBe('put r/manifest.json')
    expect(spool.stats.replaced).toBe(40 - order.filter((call) => call === 'put r/index.m3u8').length)
    expect(events.at(-1)).toEqual({ type: 'idle' })
  })

  it('deletes what an index named after the index that no longer does', async () => {
    const store = new ScriptedStore()
    const { spool } = await open(store, { concurrency: 8 })
    await spool.put('r/0.ts', bytes('0'))
    await spool.put('r/index.m3u8', bytes('0'))
    await spool.drain()
    store.calls.length = 0
    const release = gateOf(store)
    await spool.put('r/1.ts', bytes('1'))
    await spool.put('r/index.m3u8', bytes('1'))
    await spool.delete?.('r/0.ts')
    await spool.put('r/0.ts', bytes('again'))
    release()
    await spool.drain()
    expect(store.calls).toEqual(['put r/1.ts', 'put r/index.m3u8', 'delete r/0.ts', 'put r/0.ts'])
  })

  it('takes the rule of the host', async () => {
    const store = new ScriptedStore()
    const { spool } = await open(store, {
      concurrency: 8,
      isIndex: (key) => key.endsWith('.list'),
      scopeOf: () => 'shared/',
    })
    const release = gateOf(store)
    await spool.put('shared/a.bin', bytes('a'))
    await spool.put('lists/of.list', bytes('a'))
    await spool.put('lists/index.m3u8', bytes('plain here'))
    release()
    await spool.drain()
    expect(store.calls).toEqual(['put shared/a.bin', 'put lists/index.m3u8', 'put lists/of.list'])
  })
})

describe('failures', () => {
  it('of the store as a whole are told once, and once that it is back', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_UNAVAILABLE'
    const { spool, events } = await open(store)
    await Promise.all(Array.from({ length: 8 }, (_, index) => spool.put(`${index}.ts`, bytes('x'))))
    await expectSoon(() => spool.stats.state).toBe('unavailable')
    await expectSoon(() => spool.stats.failures.STORE_UNAVAILABLE).toBeGreaterThan(10)
    expect(store.running).toBeLessThanOrEqual(1)
    store.fails = undefined
    await spool.drain()
    const told = events.filter(({ type }) => type !== 'retrying' && type !== 'stored')
    expect(told).toEqual([
      { type: 'blocked', code: 'STORE_UNAVAILABLE', message: expect.any(String), retryable: true },
      { type: 'resumed' },
      { type: 'idle' },
    ])
  })

  it('of rights stop everything, until somebody says so', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_ACCESS_DENIED'
    const { spool, events } = await open(store)
    const settled: Promise<string>[] = []
    for (const key of ['a/1.ts', 'a/2.ts', 'b/1.ts']) {
      await spool.put(key, bytes('x'))
      settled.push(spool.settled(key.slice(0, 2)).then(String, ({ code }: { code: string }) => code))
    }
    expect(await Promise.all(settled)).toEqual(settled.map(() => 'STORE_ACCESS_DENIED'))
    await expectSoon(() => spool.stats.state).toBe('blocked')
    await expect(spool.drain()).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED' })
    await expectSoon(() => spool.stats.uploading).toBe(0)
    const { length } = store.calls
    await spool.put('b/2.ts', bytes('x'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(store.calls.length, 'nothing is sent any more').toBe(length)
    store.fails = undefined
    spool.retry()
    await spool.drain()
    expect(store.memory.objects.size).toBe(4)
    expect(typesOf(events).filter((type) => type !== 'stored' && type !== 'retrying')).toEqual([
      'blocked',
      'resumed',
      'idle',
    ])
  })

  it('of rights are tried again after a long time', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_NO_BUCKET'
    const { spool } = await open(store, { resumeAfterMs: 30 })
    await spool.put('a.ts', bytes('x'))
    await expectSoon(() => store.calls.length).toBeGreaterThan(2)
    store.fails = undefined
    await expectSoon(() => spool.stats.waiting).toBe(0)
    expect(spool.stats.state).toBe('running')
  })

  it('of one key give that one up, and no other', async () => {
    const store = new ScriptedStore()
    store.fails = (key) => (key.startsWith('secret/') ? 'STORE_ACCESS_DENIED' : undefined)
    const { spool, dir, events } = await open(store)
    await spool.put('secret/1.ts', bytes('x'))
    await expectSoon(() => spool.stats.state).toBe('blocked')
    for (let count = 0; count < 5; count += 1) await spool.put(`open/${count}.ts`, bytes('x'))
    await spool.settled('open/')
    await expectSoon(() => spool.stats.givenUp).toBe(1)
    await expect(spool.settled('secret/')).rejects.toMatchObject({ code: 'STORE_ACCESS_DENIED', key: 'secret/1.ts' })
    expect(events.filter(({ type }) => type === 'failed')).toEqual([
      { type: 'failed', key: 'secret/1.ts', code: 'STORE_ACCESS_DENIED', message: expect.any(String) },
    ])
    await expectSoon(async () => (await readSpool(dir)).entries[0]?.failure?.code).toBe('STORE_ACCESS_DENIED')
    expect(bodiesIn(dir), 'it is kept').toHaveLength(1)
    store.fails = undefined
    spool.retry()
    await spool.drain()
    expect(store.memory.objects.has('secret/1.ts')).toBe(true)
  })

  it('for good can be discarded, or deleted', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_TOO_LARGE'
    const { spool, dir } = await open(store)
    await spool.put('a.ts', bytes('x'))
    await spool.put('b.ts', bytes('x'))
    await expectSoon(() => spool.stats.givenUp).toBe(2)
    expect(await spool.discard('nothing')).toBe(false)
    expect(await spool.discard('a.ts')).toBe(true)
    store.fails = undefined
    await spool.delete?.('b.ts')
    await spool.drain()
    expect(store.memory.objects.size).toBe(0)
    await expectSoon(() => bodiesIn(dir)).toEqual([])
    expect(spool.stats).toMatchObject({ givenUp: 0, diskBytes: 0, deleted: 1 })
  })

  it('of something that is no StoreError are tried again', async () => {
    const store = new ScriptedStore()
    const put = store.putFile.bind(store)
    let failures = 2
    store.putFile = async (...args) => {
      failures -= 1
      if (failures >= 0) throw new TypeError('fetch failed: https://host/?X-Amz-Signature=5ecret')
      return put(...args)
    }
    const { spool, dir, events } = await open(store)
    await spool.put('a.ts', bytes('x'))
    await spool.drain()
    expect(spool.stats.failures).toEqual({ STORE_UNAVAILABLE: 2 })
    // Nobody knows what the text of a foreign error holds.
    expect(JSON.stringify(events)).not.toContain('5ecret')
    expect(readFileSync(join(dir, 'journal.ndjson'), 'utf8')).not.toContain('5ecret')
  })
})

describe('settled', () => {
  it('waits for what was put before under the prefix, and for nothing else', async () => {
    const store = new ScriptedStore()
    store.fails = (key) => (key.startsWith('b/') || key.endsWith('late.ts') ? 'STORE_CORRUPTED' : undefined)
    const { spool } = await open(store)
    await spool.settled('a/')
    await spool.put('b/1.ts', bytes('x'))
    await spool.put('a/1.ts', bytes('x'))
    const settled = spool.settled('a/')
    await spool.put('a/late.ts', bytes('x'))
    await settled
    expect(store.memory.objects.has('a/1.ts')).toBe(true)
    const controller = new AbortController()
    const waiting = spool.settled('b/', { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'STORE_ABORTED' })
    const closing = spool.settled('b/')
    void spool.close()
    await expect(closing).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('takes a newer version for an older one', async () => {
    const store = new ScriptedStore()
    const release = gateOf(store)
    const { spool } = await open(store)
    await spool.put('i.m3u8', bytes('1'))
    await spool.put('i.m3u8', bytes('2'))
    const settled = spool.settled('i')
    await spool.put('i.m3u8', bytes('3'))
    release()
    await settled
    await spool.drain()
    expect(store.calls).toHaveLength(2)
  })
})

describe('the local copy', () => {
  const put = async (spool: Spool): Promise<void> => {
    for (const key of ['1.ts', '2.ts', '3.ts']) {
      await spool.put(key, new Uint8Array(1000))
      await spool.drain()
    }
  }

  it('stays for ever, across restarts too, the newest of each key', async () => {
    const store = new ScriptedStore()
    const { spool, dir } = await open(store, { free: 'never' })
    await put(spool)
    await spool.put('1.ts', new Uint8Array(500))
    await spool.drain()
    await expectSoon(() => spool.stats).toMatchObject({ keptCopies: 3, keptBytes: 2500, diskBytes: 2500 })
    await spool.close()
    expect(bodiesIn(dir)).toHaveLength(3)
    expect((await readSpool(dir)).entries.map(({ key, state }) => `${key} ${state}`).sort()).toEqual([
      '1.ts stored',
      '2.ts stored',
      '3.ts stored',
    ])
    const again = await open(store, { dir, free: 'never' })
    expect(again.spool.stats).toMatchObject({ keptCopies: 3, diskBytes: 2500, waiting: 0 })
    await again.spool.close()
    // With another policy what is there goes.
    const last = await open(store, { dir })
    expect(last.spool.stats).toMatchObject({ keptCopies: 0, diskBytes: 0 })
    expect(bodiesIn(dir)).toEqual([])
  })

  it('goes after a time', async () => {
    const { spool, dir } = await open(new ScriptedStore(), { free: { afterMs: 60 } })
    await put(spool)
    await expectSoon(() => bodiesIn(dir)).toEqual([])
    expect(spool.stats).toMatchObject({ keptCopies: 0, diskBytes: 0 })
  })

  it('goes when there are too many bytes, oldest first', async () => {
    const { spool, dir } = await open(new ScriptedStore(), { free: { whenBytesAbove: 2500 } })
    await put(spool)
    await expectSoon(() => spool.stats).toMatchObject({ keptCopies: 2, diskBytes: 2000 })
    await expectSoon(() => bodiesIn(dir)).toEqual(['000000000001.body', '000000000002.body'])
  })
})

describe('the budget', () => {
  it('refuses beyond, after freeing what may go, and takes more once something is stored', async () => {
    const store = new ScriptedStore()
    const { spool } = await open(store, { maxBytes: 2500, free: { afterMs: 1e9 } })
    await spool.put('1.ts', new Uint8Array(1000))
    await spool.drain()
    await expectSoon(() => spool.stats.keptCopies).toBe(1)
    store.fails = 'STORE_UNAVAILABLE'
    await spool.put('2.ts', new Uint8Array(2000))
    expect(spool.stats).toMatchObject({ keptCopies: 0, diskBytes: 2000 })
    const refused = spool.put('3.ts', streamOf(10, 100))
    await expect(refused).rejects.toMatchObject({ code: 'STORE_NO_SPACE', retryable: true, key: '3.ts' })
    expect(spool.stats).toMatchObject({ diskBytes: 2000, refused: 1, waiting: 1 })
    store.fails = undefined
    await spool.drain()
    await spool.put('3.ts', streamOf(10, 100))
    await spool.drain()
    expect(store.memory.objects.get('3.ts')?.data.byteLength).toBe(1000)
  })

  it('bounds the number of entries', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_UNAVAILABLE'
    const { spool } = await open(store, { maxEntries: 2 })
    await spool.put('1.ts', bytes('x'))
    await spool.put('2.ts', bytes('x'))
    await expect(spool.put('3.ts', bytes('x'))).rejects.toMatchObject({ code: 'STORE_NO_SPACE' })
  })
})

describe('a restart', () => {
  it('goes on with everything, in the middle of a transfer too', async () => {
    const store = new ScriptedStore()
    gateOf(store)
    const { spool, dir } = await open(store, { concurrency: 1 })
    await spool.put('r/large.mp4', bytes('large'))
    await spool.put('r/1.ts', bytes('1'))
    await spool.put('r/index.m3u8', bytes('1'))
    await expectSoon(() => store.running).toBe(1)
    await spool.close()
    expect(store.closed).toBe(true)
    const state = await readSpool(dir)
    expect(state).toMatchObject({ version: 1, waiting: 3, waitingBytes: 7, damagedLines: 0 })
    expect(state.owner).toBeUndefined()
    expect(state.entries[0]).toMatchObject({ key: 'r/large.mp4', hasCheckpoint: true, state: 'waiting' })
    await expect(spool.put('late', bytes('x'))).rejects.toMatchObject({ code: 'STORE_CLOSED' })

    const next = new ScriptedStore()
    const again = await open(next, { dir, concurrency: 1 })
    expect(again.spool.stats).toMatchObject({ resumed: 3, accepted: 0 })
    await again.spool.drain()
    expect(next.resumedFrom).toEqual([{ parts: 1, key: 'r/large.mp4' }, undefined, undefined])
    expect(next.calls).toEqual(['put r/large.mp4', 'put r/1.ts', 'put r/index.m3u8'])
    expect(bodiesIn(dir)).toEqual([])
  })

  it('keeps other processes out while the first one lives', async () => {
    const { spool, dir } = await open(new ScriptedStore())
    await expect(createSpool({ store: new ScriptedStore(), dir })).rejects.toMatchObject({
      code: 'BAD_CONFIGURATION',
      field: 'dir',
    })
    expect((await readSpool(dir)).owner).toMatchObject({ pid: process.pid })
    await spool.close()
    await open(new ScriptedStore(), { dir })
  })

  it('takes a torn line, tells of a damaged one, and of a body that is gone', async () => {
    const store = new ScriptedStore()
    store.fails = 'STORE_UNAVAILABLE'
    const { spool, dir } = await open(store)
    for (const key of ['1.ts', '2.ts', '3.ts', '4.ts']) await spool.put(key, bytes(key))
    await spool.close()
    const journal = join(dir, 'journal.ndjson')
    const lines = readFileSync(journal, 'utf8').split('\n')
    lines[2] = `${lines[2]?.slice(0, 20)}`
    writeFileSync(journal, lines.join('\n'))
    appendFileSync(journal, '{"kind":"put","id":77')
    rmSync(join(dir, 'objects', '000000000002.body'))
    truncateSync(join(dir, 'objects', '000000000003.body'), 1)
    writeFileSync(join(dir, 'objects', '00000000abcd.part'), 'of nobody')
    writeFileSync(join(dir, 'objects', 'foreign'), 'of somebody else')
    const next = new ScriptedStore()
    const again = await open(next, { dir })
    expect(again.spool.stats).toMatchObject({ damagedLines: 1, orphans: 2, resumed: 3 })
    await expectSoon(() => again.spool.stats.givenUp).toBe(2)
    // Those that fail are through sooner than the one that is sent.
    await expectSoon(() => again.spool.stats.stored).toBe(1)
    expect(again.spool.stats.failures).toEqual({ STORE_BODY_FAILED: 2 })
    expect([...next.memory.objects.keys()]).toEqual(['1.ts'])
    expect(readFileSync(join(dir, 'journal.damaged'), 'utf8')).toContain('"id":77')
    // Nothing is removed that may be all there is of an object; ids are not given again.
    expect(bodiesIn(dir)).toEqual(
      expect.arrayContaining(['000000000001.body', '000000000003.body', '00000000abcd.part', 'foreign']),
    )
    await again.spool.put('5.ts', bytes('x'))
    await again.spool.settled('5.ts')
  })

  it('removes what was never acknowledged', async () => {
    const { spool, dir } = await open(new ScriptedStore())
    await spool.close()
    writeFileSync(join(dir, 'objects', '000000000009.part'), 'half')
    const again = await open(new ScriptedStore(), { dir })
    expect(bodiesIn(dir)).toEqual([])
    expect(again.spool.stats.orphans).toBe(0)
  })

  it('refuses a later version', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'journal.ndjson'), '{"kind":"head","version":2,"nextId":0}\n')
    await expect(createSpool({ store: new ScriptedStore(), dir })).rejects.toMatchObject({ field: 'dir' })
    await expect(readSpool(dir)).rejects.toThrow('version 2')
    await expect(readSpool(join(dir, 'nowhere'))).rejects.toThrow('holds no spool')
  })

  it('has a short journal, whatever happened before', async () => {
    const store = new ScriptedStore()
    const { spool, dir } = await open(store, { concurrency: 16 })
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => spool.put(`${round}/${index}.ts`, bytes('x'))))
    }
    await spool.drain()
    expect(store.memory.objects.size).toBe(3000)
    await spool.close()
    // 6,000 lines were written.
    expect(readFileSync(join(dir, 'journal.ndjson'), 'utf8').split('\n').length).toBeLessThan(3500)
    expect(bodiesIn(dir)).toEqual([])
  })
})

describe('events', () => {
  it('can be read by many, and end with the spool', async () => {
    const { spool } = await open(new ScriptedStore())
    const read = async (): Promise<string[]> => {
      const types: string[] = []
      for await (const event of spool.events) types.push(event.type)
      return types
    }
    const readers = [read(), read()]
    await spool.put('a.ts', bytes('x'))
    await spool.drain()
    await spool.delete?.('a.ts')
    await spool.drain()
    await spool.close()
    expect(await Promise.all(readers)).toEqual([
      ['stored', 'idle', 'deleted', 'idle'],
      ['stored', 'idle', 'deleted', 'idle'],
    ])
  })
})

it('passes on what is the store’s', async () => {
  const store = new ScriptedStore()
  const { spool } = await open(store)
  expect(spool.locationOf('a b')).toBe(store.locationOf('a b'))
  expect(await spool.urlFor('a b')).toEqual(await store.urlFor('a b'))
  expect(await spool.probe({ name: 'probe.json' })).toMatchObject({ ok: true })
  const blind: Store = {
    name: 'blind',
    capabilities: { get: false, list: false, delete: false, signedUrls: true },
    put: (key: string, body: StoreBody) => store.put(key, body),
    locationOf: (key) => store.locationOf(key),
    urlFor: (key) => store.urlFor(key),
    probe: (options) => store.probe(options),
  }
  const other = await open(blind)
  expect(other.spool.get).toBeUndefined()
  expect(other.spool.capabilities).toEqual(blind.capabilities)
  await other.spool.put('by.ts', bytes('stream'))
  await other.spool.drain()
  expect(Buffer.from(store.memory.objects.get('by.ts')?.data ?? []).toString()).toBe('stream')
})

it('checks its options', async () => {
  const store = new ScriptedStore()
  const dir = temporaryFolder()
  const cases: readonly [Partial<SpoolOptions>, string][] = [
    [{ store: {} as Store }, 'store'],
    [{ dir: '' }, 'dir'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurrency: 65 }, 'concurrency'],
    [{ bytesPerSecond: 1 }, 'bytesPerSecond'],
    [{ stallMs: 10 }, 'stallMs'],
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ maxEntries: 0.5 }, 'maxEntries'],
    [{ resumeAfterMs: -1 }, 'resumeAfterMs'],
    [{ free: { afterMs: -1 } }, 'free'],
    [{ free: 'later' as 'never' }, 'free'],
    [{ backOff: { firstMs: 0 } }, 'backOff.firstMs'],
    [{ backOff: { maxMs: 1 } }, 'backOff.maxMs'],
    [{ backOff: { factor: 0.5 } }, 'backOff.factor'],
    [{ backOff: { jitter: 2 } }, 'backOff.jitter'],
  ]
  for (const [options, field] of cases) {
    await expect(createSpool({ store, dir, ...options }), field).rejects.toMatchObject({ field })
  }
  writeFileSync(join(dir, 'file'), '')
  await expect(createSpool({ store, dir: join(dir, 'file', 'below') })).rejects.toMatchObject({ field: 'dir' })
})

/** Holds all transfers until the function is called. */
function gateOf(store: ScriptedStore): () => void {
  let open: () => void = () => {}
  store.gate = new Promise((resolve) => {
    open = () => {
      store.gate = undefined
      resolve()
    }
  })
  return open
}

async function* streamOf(chunks: number, size: number): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < chunks; count += 1) yield new Uint8Array(size)
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list?.() ?? []) keys.push(key)
  return keys
}
