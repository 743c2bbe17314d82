import { Readable } from 'node:stream'
import { ConfigurationError } from '@rushes/media'
import { StoreError, type StoreErrorCode } from './errors.js'
import { mergeLists } from './merge-lists.js'
import { putFile } from './put-file.js'
import type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
  TransferCheckpoint,
} from './store.js'
import { bodyPieces, readBody } from './store-body.js'

/** Which of the two stores. */
export type FallbackSide = 'first' | 'second'

/** Two stores, of which the second one is for when the first has failed for long. */
export interface FallbackOptions {
  readonly first: Store
  readonly second: Store
  /** How long the first must have failed, without a success between, before the second is used. In milliseconds. @defaultValue 300,000 */
  readonly afterMs?: number
  /** How long the second is used before a put tries the first again. In milliseconds. @defaultValue 60,000 */
  readonly retryFirstAfterMs?: number
  /** Told when puts go elsewhere from now on. */
  readonly onSwitch?: (change: { readonly to: FallbackSide; readonly error?: StoreError }) => void
  /** Milliseconds; only differences count. @defaultValue Date.now */
  readonly now?: () => number
}

/** What the caller did, or what is true of both stores: no reason to use another one. */
const notOfTheStore: ReadonlySet<StoreErrorCode> = new Set([
  'STORE_BAD_KEY',
  'STORE_KEY_OUTSIDE_BASE',
  'STORE_NOT_FOUND',
  'STORE_CLOSED',
  'STORE_ABORTED',
  'STORE_BODY_FAILED',
  'STORE_TOO_LARGE',
  'STORE_CANNOT_SIGN',
])

/** Bodies up to this size are kept while the first store is tried, to be given to the second when that fails. */
const REPLAY_BYTES = 8 * 1024 * 1024
/** Keys that are known to be in the second store; of the oldest ones it is forgotten, and found out by looking. */
const MAX_KNOWN_KEYS = 100_000

/**
 * Puts into `first`, and into `second` once `first` has failed for `afterMs`; tries `first` again every
 * `retryFirstAfterMs` and goes back when that works. Before `afterMs` has passed a put fails with the error of `first`,
 * for the caller to try again. Objects stay where they are put: those of one recording may lie in both stores.
 * @throws ConfigurationError
 */
export function fallback(options: FallbackOptions): Store {
  for (const field of ['afterMs', 'retryFirstAfterMs'] as const) {
    const value = options[field]
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
      throw new ConfigurationError(field, 'must be milliseconds from 0', value)
    }
  }
  return new FallbackStore(options)
}

class FallbackStore implements Store {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly get?: (key: string, options?: { readonly signal?: AbortSignal }) => Promise<Readable>
  readonly list?: (prefix?: string, options?: { readonly signal?: AbortSignal }) => AsyncIterable<StoreEntry>
  readonly delete?: (key: string, options?: { readonly signal?: AbortSignal }) => Promise<void>
  readonly abandon?: (key: string, checkpoint: TransferCheckpoint) => Promise<void>
  readonly settled?: (prefix?: string, options?: { readonly signal?: AbortSignal }) => Promise<void>
  readonly #first: Store
  readonly #second: Store
  readonly #afterMs: number
  readonly #retryFirstAfterMs: number
  readonly #onSwitch: FallbackOptions['onSwitch']
  readonly #now: () => number
  readonly #inSecond = new Set<string>()
  /** Since when no put to the first has worked. */
  #failingSinceMs: number | undefined
  /** When the first may be tried again; set while the second is used. */
  #retryAtMs: number | undefined

  constructor(options: FallbackOptions) {
    const { first, second } = options
    this.#first = first
    this.#second = second
    this.#afterMs = options.afterMs ?? 300_000
    this.#retryFirstAfterMs = options.retryFirstAfterMs ?? 60_000
    this.#onSwitch = options.onSwitch
    this.#now = options.now ?? Date.now
    this.name = `${first.name}, else ${second.name}`
    const both = (has: (store: Store) => boolean): boolean => has(first) && has(second)
    const resume = both((store) => store.capabilities.resume === true)
    const progress = both((store) => store.capabilities.progress === true)
    this.capabilities = {
      get: both((store) => store.get !== undefined),
      list: both((store) => store.list !== undefined),
      delete: both((store) => store.delete !== undefined),
      signedUrls: both((store) => store.capabilities.signedUrls),
      ...(resume ? { resume } : {}),
      ...(progress ? { progress } : {}),
    }
    if (this.capabilities.get) this.get = (key, options) => this.#get(key, options)
    if (this.capabilities.list) {
      this.list = (prefix, options) =>
        mergeLists([first, second].map((store) => store.list?.(prefix, options) as AsyncIterable<StoreEntry>))
    }
    if (this.capabilities.delete) this.delete = (key, options) => this.#delete(key, options)
    if (resume) this.abandon = (key, checkpoint) => this.#abandon(key, checkpoint)
    if (first.settled !== undefined || second.settled !== undefined) {
      this.settled = async (prefix, options) => {
        await Promise.all([first.settled?.(prefix, options), second.settled?.(prefix, options)])
      }
    }
  }

  /** Where the object is, when this process has put it; else where it would be put now. */
  locationOf(key: string): string {
    return this.#store(this.#sideOf(key)).locationOf(key)
  }

  urlFor(key: string, options?: { readonly expiresIn?: number }): Promise<StoreUrl> {
    return this.#store(this.#sideOf(key)).urlFor(key, options)
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    const side = this.#side()
    if (side === 'second' && !this.#isTrialDue())
      return this.#putInto('second', key, (store) => store.put(key, body, options))
    // Only a body that can be given twice can go to the second store when the first one fails.
    const held =
      side === 'second' || this.#afterMs === 0
        ? await hold(body, options.signal)
        : { body, whole: bodyPieces(body) !== undefined }
    if (!held.whole && side === 'second')
      return this.#putInto('second', key, (store) => store.put(key, held.body, options))
    return this.#tryFirst(key, held.whole, (store) => store.put(key, held.body, options))
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    const { onCheckpoint, resumeFrom, ...rest } = options
    const before = readCheckpoint(resumeFrom)
    const work = async (store: Store, side: FallbackSide): Promise<Stored> => {
      if (before !== undefined && before.side !== side) {
        // Nobody will go on with it; what cannot be removed now is left to a rule of the bucket.
        await this.#store(before.side)
          .abandon?.(key, before.checkpoint)
          .catch(() => {})
      }
      return putFile(store, key, path, {
        ...rest,
        ...(onCheckpoint === undefined ? {} : { onCheckpoint: (checkpoint) => onCheckpoint({ side, checkpoint }) }),
        ...(before?.side === side ? { resumeFrom: before.checkpoint } : {}),
      })
    }
    if (this.#side() === 'second' && !this.#isTrialDue()) return this.#putInto('second', key, work)
    return this.#tryFirst(key, true, work)
  }

  async probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    const reports = await Promise.all([this.#first.probe(options), this.#second.probe(options)])
    for (const [index, side] of (['first', 'second'] as const).entries()) {
      const report = reports[index] as ProbeReport
      if (!report.ok) return { ...report, field: report.field === undefined ? side : `${side}.${report.field}` }
    }
    return { ok: true, message: `${options.name} could be written to ${this.name}` }
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close?.(), this.#second.close?.()])
  }

  /** Where puts go now. */
  #side(): FallbackSide {
    return this.#retryAtMs === undefined ? 'first' : 'second'
  }

  #sideOf(key: string): FallbackSide {
    return this.#inSecond.has(key) ? 'second' : this.#side()
  }

  #store(side: FallbackSide): Store {
    return side === 'first' ? this.#first : this.#second
  }

  /** True for one caller each time that it is due. */
  #isTrialDue(): boolean {
    if (this.#retryAtMs === undefined || this.#now() < this.#retryAtMs) return false
    this.#retryAtMs = this.#now() + this.#retryFirstAfterMs
    return true
  }

  async #tryFirst(
    key: string,
    canRepeat: boolean,
    work: (store: Store, side: FallbackSide) => Promise<Stored>,
  ): Promise<Stored> {
    try {
      const stored = await this.#putInto('first', key, work)
      this.#worked()
      return stored
    } catch (error) {
      if (!(error instanceof StoreError) || notOfTheStore.has(error.code)) throw error
      this.#failed(error)
      if (this.#side() === 'first' || !canRepeat) throw error
      return this.#putInto('second', key, work)
    }
  }

  async #putInto(
    side: FallbackSide,
    key: string,
    work: (store: Store, side: FallbackSide) => Promise<Stored>,
  ): Promise<Stored> {
    const stored = await work(this.#store(side), side)
    this.#inSecond.delete(key)
    if (side === 'second') {
      this.#inSecond.add(key)
      const oldest = this.#inSecond.size > MAX_KNOWN_KEYS ? this.#inSecond.values().next() : undefined
      if (oldest?.done === false) this.#inSecond.delete(oldest.value)
    }
    return stored
  }

  #worked(): void {
    this.#failingSinceMs = undefined
    if (this.#retryAtMs === undefined) return
    this.#retryAtMs = undefined
    this.#onSwitch?.({ to: 'first' })
  }

  #failed(error: StoreError): void {
    const now = this.#now()
    this.#failingSinceMs ??= now
    if (this.#retryAtMs !== undefined || now - this.#failingSinceMs < this.#afterMs) return
    this.#retryAtMs = now + this.#retryFirstAfterMs
    this.#onSwitch?.({ to: 'second', error })
  }

  async #get(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<Readable> {
    const side = this.#sideOf(key)
    try {
      return await this.#getFrom(side, key, options)
    } catch (error) {
      if (!(error instanceof StoreError) || (error.code !== 'STORE_NOT_FOUND' && notOfTheStore.has(error.code)))
        throw error
      try {
        return await this.#getFrom(side === 'first' ? 'second' : 'first', key, options)
      } catch (otherError) {
        // What the likelier place says counts, unless that was only that it does not have it.
        throw error.code === 'STORE_NOT_FOUND' ? otherError : error
      }
    }
  }

  async #getFrom(side: FallbackSide, key: string, options: { readonly signal?: AbortSignal }): Promise<Readable> {
    const { get } = this.#store(side)
    if (get === undefined) throw new StoreError('STORE_ACCESS_DENIED', `the ${side} store cannot be read from`, { key })
    return get.call(this.#store(side), key, options)
  }

  async #delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await Promise.all([this.#first.delete?.(key, options), this.#second.delete?.(key, options)])
    this.#inSecond.delete(key)
  }

  async #abandon(key: string, checkpoint: TransferCheckpoint): Promise<void> {
    const before = readCheckpoint(checkpoint)
    if (before !== undefined) await this.#store(before.side).abandon?.(key, before.checkpoint)
  }
}

/** A body that can be given more than once, as far as it is small enough. */
async function hold(
  body: StoreBody,
  signal: AbortSignal | undefined,
): Promise<{ readonly body: StoreBody; readonly whole: boolean }> {
  if (bodyPieces(body) !== undefined) return { body, whole: true }
  const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  let bytes = 0
  let ended = false
  const head = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (bytes >= REPLAY_BYTES) return
      const next = await iterator.next()
      if (next.done === true) {
        ended = true
        return
      }
      yield next.value
    }
  }
  try {
    await readBody(head(), signal, (chunk) => {
      pieces.push(chunk)
      bytes += chunk.byteLength
    })
  } catch (error) {
    // Not awaited: the source may hang, which may be why we stop.
    if (body instanceof Readable) body.on('error', () => {}).destroy()
    else void Promise.resolve(iterator.return?.()).catch(() => {})
    throw error
  }
  if (ended) return { body: pieces, whole: true }
  return { body: rest(pieces, iterator), whole: false }
}

async function* rest(
  pieces: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* pieces
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

function readCheckpoint(
  checkpoint: TransferCheckpoint | undefined,
): { readonly side: FallbackSide; readonly checkpoint: TransferCheckpoint } | undefined {
  const side = checkpoint?.['side']
  const own = checkpoint?.['checkpoint']
  if ((side !== 'first' && side !== 'second') || typeof own !== 'object' || own === null) return undefined
  return { side, checkpoint: own as TransferCheckpoint }
}
