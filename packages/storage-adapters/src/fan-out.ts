import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { ConfigurationError } from '@rushes/media'
import { teeBody } from './body-tee.js'
import { StoreError } from './errors.js'
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

/** A copy that was not made. */
export interface CopyError {
  /** Name of the store. */
  readonly store: string
  /** Place in `copies`. */
  readonly index: number
  /** The key; absent where it was not about one object. */
  readonly key?: string
  readonly error: StoreError
}

/** Where everything goes. */
export interface FanOutOptions {
  /** What is stored, listed and signed here counts. */
  readonly primary: Store
  /** Stores that get everything too. */
  readonly copies: readonly Store[]
  /**
   * What the failure of a copy means: `report` tells `onCopyError` and goes on, and the copy lacks that object from then
   * on; `fail` fails the call, and the same call again makes good what is missing.
   */
  readonly copyFailure: 'report' | 'fail'
  readonly onCopyError?: (error: CopyError) => void
}

/**
 * One store out of several: everything goes to all of them, at the pace of the slowest, and is read from the first. A put
 * is atomic in each of them and not over all.
 * @throws ConfigurationError
 */
export function fanOut(options: FanOutOptions): Store {
  if (!Array.isArray(options.copies) || options.copies.length === 0) {
    throw new ConfigurationError('copies', 'must be one store at least')
  }
  if (options.copyFailure !== 'report' && options.copyFailure !== 'fail') {
    throw new ConfigurationError('copyFailure', 'must be report or fail', options.copyFailure)
  }
  return new FanOutStore(options)
}

/** How far a file has come in one of the stores; one of the two is there. */
interface TransferState {
  readonly transfer?: TransferCheckpoint
  readonly stored?: Stored
}

type Outcome<Value> = { readonly value: Value } | { readonly error: StoreError }

class FanOutStore implements Store {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly get?: (key: string, options?: { readonly signal?: AbortSignal }) => Promise<Readable>
  readonly list?: (prefix?: string, options?: { readonly signal?: AbortSignal }) => AsyncIterable<StoreEntry>
  readonly delete?: (key: string, options?: { readonly signal?: AbortSignal }) => Promise<void>
  readonly abandon?: (key: string, checkpoint: TransferCheckpoint) => Promise<void>
  readonly settled?: (prefix?: string, options?: { readonly signal?: AbortSignal }) => Promise<void>
  readonly #primary: Store
  readonly #stores: readonly Store[]
  readonly #copyFails: boolean
  readonly #onCopyError: ((error: CopyError) => void) | undefined

  constructor({ primary, copies, copyFailure, onCopyError }: FanOutOptions) {
    this.#primary = primary
    this.#stores = [primary, ...copies]
    this.#copyFails = copyFailure === 'fail'
    this.#onCopyError = onCopyError
    this.name = this.#stores.map((store) => store.name).join(' + ')
    const { get, list, delete: remove } = primary
    const resume = this.#stores.some((store) => store.capabilities.resume === true)
    const progress = this.#stores.every((store) => store.capabilities.progress === true)
    const deletes = this.#stores.every((store) => store.delete !== undefined)
    this.capabilities = {
      get: get !== undefined,
      list: list !== undefined,
      delete: deletes,
      signedUrls: primary.capabilities.signedUrls,
      ...(resume ? { resume } : {}),
      ...(progress ? { progress } : {}),
    }
    if (get !== undefined) this.get = get.bind(primary)
    if (list !== undefined) this.list = list.bind(primary)
    if (deletes && remove !== undefined) this.delete = (key, options) => this.#delete(key, options)
    if (resume) this.abandon = (key, checkpoint) => this.#abandon(key, checkpoint)
    if (this.#stores.some((store) => store.settled !== undefined)) {
      this.settled = (prefix, options) => this.#settled(prefix, options)
    }
  }

  locationOf(key: string): string {
    return this.#primary.locationOf(key)
  }

  urlFor(key: string, options?: { readonly expiresIn?: number }): Promise<StoreUrl> {
    return this.#primary.urlFor(key, options)
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    const transfer = new Transfer(options.signal)
    const { bodies, leave, source } = teeBody(body, this.#stores.length, transfer.signal)
    const outcomes = this.#stores.map(async (store, index) => {
      const outcome = await outcomeOf(() =>
        store.put(key, bodies[index] as StoreBody, { ...options, signal: transfer.signal }),
      )
      leave(index)
      if ('error' in outcome && this.#isFatal(index)) transfer.stop(outcome.error)
      return outcome
    })
    return this.#primaryOf(key, transfer, await Promise.all(outcomes), source)
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    const { move, onCheckpoint, resumeFrom, signal, ...rest } = options
    const states = readStates(resumeFrom, this.#stores.length)
    const transfer = new Transfer(signal)
    const reached = async (index: number, state: TransferState): Promise<void> => {
      states[index] = state
      await onCheckpoint?.({ stores: [...states] })
    }
    const putOne = async (store: Store, index: number): Promise<Stored> => {
      const before = states[index]
      if (before?.stored !== undefined) return before.stored
      const resumes = store.capabilities.resume === true
      const stored = await putFile(store, key, path, {
        ...rest,
        signal: transfer.signal,
        ...(resumes && before?.transfer !== undefined ? { resumeFrom: before.transfer } : {}),
        ...(resumes && onCheckpoint !== undefined
          ? { onCheckpoint: (checkpoint) => reached(index, { transfer: checkpoint }) }
          : {}),
      })
      void reached(index, { stored })
      return stored
    }
    const outcomes = this.#stores.map(async (store, index) => {
      const outcome = await outcomeOf(() => putOne(store, index))
      if ('error' in outcome && this.#isFatal(index)) transfer.stop(outcome.error)
      return outcome
    })
    const stored = await this.#primaryOf(key, transfer, await Promise.all(outcomes), Promise.resolve())
    if (move === true) await rm(path, { force: true })
    return stored
  }

  async probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    const reports = await Promise.all(this.#stores.map((store) => store.probe(options)))
    const [primary, ...copies] = reports as [ProbeReport, ...ProbeReport[]]
    if (!primary.ok) return withField(primary, 'primary')
    const index = copies.findIndex((report) => !report.ok)
    const failed = copies[index]
    if (failed === undefined) return { ok: true, message: `${options.name} could be written to ${this.name}` }
    const report = withField(failed, `copies[${index}]`)
    // A copy that may fail does not keep anybody from writing.
    return this.#copyFails ? report : { ...report, ok: true }
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.map(async (store) => store.close?.()))
  }

  async #delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const outcomes = await Promise.all(this.#stores.map((store) => outcomeOf(async () => store.delete?.(key, options))))
    this.#check(outcomes, key)
  }

  async #abandon(key: string, checkpoint: TransferCheckpoint): Promise<void> {
    const states = readStates(checkpoint, this.#stores.length)
    const outcomes = await Promise.all(
      this.#stores.map((store, index) =>
        outcomeOf(async () => {
          const own = states[index]?.transfer
          if (own !== undefined) await store.abandon?.(key, own)
        }),
      ),
    )
    this.#check(outcomes, key)
  }

  async #settled(prefix?: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#check(await Promise.all(this.#stores.map((store) => outcomeOf(async () => store.settled?.(prefix, options)))))
  }

  async #primaryOf(
    key: string,
    transfer: Transfer,
    outcomes: readonly Outcome<Stored>[],
    source: Promise<void>,
  ): Promise<Stored> {
    transfer.release()
    await source
    // What stopped the others is the reason, and that they were stopped is not.
    if (transfer.failure !== undefined) throw transfer.failure
    this.#check(outcomes, key)
    return (outcomes[0] as { readonly value: Stored }).value
  }

  /** Throws what the call fails with, and tells of the rest. */
  #check(outcomes: readonly Outcome<unknown>[], key?: string): void {
    for (const [index, outcome] of outcomes.entries()) {
      if (!('error' in outcome)) continue
      const { error } = outcome
      if (this.#isFatal(index)) throw error
      const name = this.#stores[index]?.name ?? ''
      this.#onCopyError?.({ store: name, index: index - 1, error, ...(key === undefined ? {} : { key }) })
    }
  }

  #isFatal(index: number): boolean {
    return index === 0 || this.#copyFails
  }
}

/** A signal for all stores that also fires when one of them has failed for all. */
class Transfer {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #forward: () => void
  failure: StoreError | undefined

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer
    this.#forward = () => this.#controller.abort(outer?.reason)
    if (outer?.aborted === true) this.#forward()
    else outer?.addEventListener('abort', this.#forward)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(failure: StoreError): void {
    this.failure ??= failure
    this.#controller.abort(failure)
  }

  release(): void {
    this.#outer?.removeEventListener('abort', this.#forward)
  }
}

async function outcomeOf<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await work() }
  } catch (error) {
    if (error instanceof StoreError) return { error }
    return {
      error: new StoreError('STORE_UNAVAILABLE', 'a store failed in a way that it does not know', { cause: error }),
    }
  }
}

/** A checkpoint comes from a disk: what does not look like one of ours is none. */
function readStates(checkpoint: TransferCheckpoint | undefined, stores: number): (TransferState | null)[] {
  const states: unknown = checkpoint?.['stores']
  const isOurs = Array.isArray(states) && states.length === stores && states.every((each) => typeof each === 'object')
  return isOurs ? [...(states as (TransferState | null)[])] : Array.from({ length: stores }, () => null)
}

function withField(report: ProbeReport, place: string): ProbeReport {
  return { ...report, field: report.field === undefined ? place : `${place}.${report.field}` }
}
