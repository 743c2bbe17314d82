import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreError, type StoreErrorCode } from '../../src/index.js'
import { folderOf, foldersOf } from '../../src/spool/index-rule.js'
import type { QueuedEntry } from '../../src/spool/queued-entry.js'
import { SpoolQueue } from '../../src/spool/spool-queue.js'

const FOLDERS = ['', 'a/', 'a/b/', 'c/']
const CODES: readonly StoreErrorCode[] = [
  'STORE_UNAVAILABLE',
  'STORE_THROTTLED',
  'STORE_CREDENTIALS_EXPIRED',
  'STORE_NO_SPACE',
  'STORE_CORRUPTED',
  'STORE_ACCESS_DENIED',
  'STORE_NO_BUCKET',
  'STORE_BAD_SETTINGS',
  'STORE_TOO_LARGE',
  'STORE_BODY_FAILED',
]

type Action =
  | { readonly do: 'segment'; readonly folder: number }
  | { readonly do: 'index'; readonly folder: number; readonly name: number }
  | { readonly do: 'slide'; readonly folder: number }
  | { readonly do: 'again'; readonly pick: number }
  | { readonly do: 'settle'; readonly pick: number; readonly code: number }
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'retry' }

const folder = fc.nat(FOLDERS.length - 1)
const actionArbitrary: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('segment' as const), folder }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('index' as const), folder, name: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slide' as const), folder }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), pick: fc.nat() }) },
  {
    weight: 6,
    // Beyond the codes: it ends well.
    arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat(), code: fc.nat(3 * CODES.length) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'retry' as const }) },
)

/** A writer of recordings, a store, and a reader who looks at the store after every change. */
class World {
  readonly queue: SpoolQueue
  nowMs = 0
  #id = 0
  /** What the writer has put, and not deleted: the id of the version. */
  readonly put = new Map<string, number>()
  /** What an index names, by the id of its version. */
  readonly #names = new Map<number, readonly string[]>()
  /** For an index that is put for the first time: what had been put before it. */
  readonly #demands = new Map<number, ReadonlyMap<string, number>>()
  readonly store = new Map<string, number>()
  readonly #lastStored = new Map<string, number>()
  readonly running: QueuedEntry[] = []
  begun = 0

  constructor(concurrency: number, random: () => number) {
    this.queue = new SpoolQueue({
      concurrency,
      backOff: { firstMs: 100, maxMs: 1000, factor: 2, jitter: 1 },
      resumeAfterMs: 5000,
      isIndex: (key) => key.endsWith('.m3u8'),
      scopeOf: folderOf,
      random,
    })
  }

  segment(folder: string): void {
    this.putKey(`${folder}${this.#id}.ts`)
  }

  index(folder: string, name: number): void {
    this.putKey(`${folder}${name}.m3u8`)
  }

  /** A live window moves on: all indexes above are put again without the oldest segment, which is then deleted. */
  slide(folder: string): void {
    const key = [...this.put.keys()].find((each) => each.endsWith('.ts') && folderOf(each) === folder)
    if (key === undefined) return
    this.put.delete(key)
    const above = foldersOf(key)
    const indexes = [...this.put.keys()].filter((each) => each.endsWith('.m3u8') && above.includes(folderOf(each)))
    for (const each of indexes) this.putKey(each)
    this.#add('delete', key)
  }

  again(pick: number): void {
    const keys = [...this.put.keys()]
    const key = keys[pick % Math.max(1, keys.length)]
    if (key !== undefined) this.putKey(key)
  }

  putKey(key: string): void {
    const isIndex = key.endsWith('.m3u8')
    const scope = folderOf(key)
    const below = [...this.put].filter(([each]) => each.startsWith(scope) && each !== key)
    const id = this.#id
    if (isIndex)
      this.#names.set(
        id,
        below.map(([each]) => each),
      )
    if (isIndex && !this.put.has(key)) this.#demands.set(id, new Map(below))
    this.put.set(key, id)
    this.#add('put', key)
  }

  #add(kind: 'put' | 'delete', key: string): void {
    const id = this.#id
    this.#id += 1
    this.queue.add({ id, kind, key, bytes: kind === 'put' ? 10 : 0, putAtMs: this.nowMs })
    this.pump()
  }

  pump(): void {
    for (let entry = this.queue.next(this.nowMs); entry !== undefined; entry = this.queue.next(this.nowMs)) {
      const { key } = entry
      expect(this.running.filter((each) => each.key === key)).toEqual([])
      this.running.push(entry)
      this.begun += 1
    }
  }

  settle(pick: number, code: StoreErrorCode | undefined): void {
    const [entry] = this.running.splice(pick % Math.max(1, this.running.length), 1)
    if (entry === undefined) return
    if (code !== undefined) this.queue.fail(entry, new StoreError(code, code, { key: entry.key }), this.nowMs)
    else {
      this.#apply(entry)
      this.queue.done(entry, this.nowMs)
    }
    this.pump()
  }

  #apply({ id, key, kind }: QueuedEntry): void {
    expect(id, 'a key never goes backwards').toBeGreaterThan(this.#lastStored.get(key) ?? -1)
    this.#lastStored.set(key, id)
    if (kind === 'delete') this.store.delete(key)
    else this.store.set(key, id)
    for (const [other, version] of this.#demands.get(id) ?? []) {
      expect(this.#lastStored.get(other) ?? -1, `${key} was put after ${other}`).toBeGreaterThanOrEqual(version)
    }
    for (const [index, version] of this.store) {
      for (const named of this.#names.get(version) ?? []) {
        expect(this.store.has(named), `${index} names ${named}`).toBe(true)
      }
    }
  }
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The first key, refused, is due again while the second one is tried, and that is refused too: it went twice at a time. */
const secondChanceBesideARefusal: Action[] = [
  { do: 'segment', folder: 0 },
  { do: 'settle', pick: 0, code: CODES.indexOf('STORE_BAD_SETTINGS') },
  { do: 'time', ms: 2780 },
  { do: 'index', folder: 1, name: 0 },
  { do: 'time', ms: 2220 },
  { do: 'settle', pick: 0, code: CODES.indexOf('STORE_ACCESS_DENIED') },
]

describe('the queue of a spool', () => {
  it('keeps readers whole, never goes backwards, and brings everything there in the end', () => {
    fc.assert(
      fc.property(
        fc.array(actionArbitrary, { maxLength: 120, size: 'max' }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (actions, concurrency, seed) => {
          const world = new World(concurrency, seeded(seed))
          for (const action of actions) {
            if (action.do === 'segment') world.segment(FOLDERS[action.folder] as string)
            else if (action.do === 'index') world.index(FOLDERS[action.folder] as string, action.name)
            else if (action.do === 'slide') world.slide(FOLDERS[action.folder] as string)
            else if (action.do === 'again') world.again(action.pick)
            else if (action.do === 'settle') world.settle(action.pick, CODES[action.code])
            else if (action.do === 'retry') {
              world.queue.retry(world.nowMs)
              world.pump()
            } else {
              world.nowMs += action.ms
              world.pump()
            }
            // Beside transfers that may hang, one trial.
            expect(world.running.length).toBeLessThanOrEqual(concurrency + 1)
          }
          // The store is well again, and somebody presses the button.
          world.queue.retry(world.nowMs)
          world.pump()
          for (let step = 0; world.queue.size > 0 && step < 2000; step += 1) {
            if (world.running.length > 0) world.settle(step, undefined)
            else {
              const deadline = world.queue.nextDeadline()
              expect(deadline, 'it waits for a time').toBeDefined()
              world.nowMs = Math.max(world.nowMs, deadline ?? 0)
              world.pump()
            }
          }
          expect(world.queue.size).toBe(0)
          expect(world.queue.bytes).toBe(0)
          expect(world.queue.failed.size).toBe(0)
          expect(world.queue.state).toBe('running')
          expect(Object.fromEntries(world.store)).toEqual(Object.fromEntries(world.put))
        },
      ),
      { examples: [[secondChanceBesideARefusal, 2, 0]] },
    )
  })

  it('costs an outage few trials, whatever waits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 2, max: 60 }),
        fc.nat(),
        (concurrency, keys, seed) => {
          const world = new World(concurrency, seeded(seed))
          for (let index = 0; index < keys; index += 1) world.segment('a/')
          // Ten minutes down; each attempt fails after a second.
          while (world.nowMs < 600_000) {
            world.nowMs += 1000
            for (const _ of [...world.running]) world.settle(0, 'STORE_UNAVAILABLE')
            world.pump()
          }
          // All that had begun, one more each for the first failures, and one in half a second on the average.
          expect(world.begun).toBeLessThanOrEqual(2 * concurrency + 601)
          expect(world.running.length).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('lets no failing key hold up the others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(...CODES.filter((code) => code !== 'STORE_NO_BUCKET')),
        fc.nat(),
        (concurrency, code, seed) => {
          const world = new World(concurrency, seeded(seed))
          world.segment('a/')
          for (let count = 0; count < 200; count += 1) {
            world.segment('c/')
            world.nowMs += 50
            world.pump()
            for (const entry of [...world.running]) {
              world.settle(world.running.indexOf(entry), entry.key === 'a/0.ts' ? code : undefined)
            }
          }
          expect(world.store.size).toBeGreaterThanOrEqual(180)
          expect(world.store.has('a/0.ts')).toBe(false)
        },
      ),
      { numRuns: 200 },
    )
  })
})
