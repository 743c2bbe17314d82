import {
  createMemoryStore,
  type MemoryStore,
  type PutFileOptions,
  putFile,
  type Store,
  StoreError,
  type StoreErrorCode,
  type TransferCheckpoint,
} from '../../src/index.js'

/** A store in memory that fails, waits and resumes as the test says. */
export class ScriptedStore implements Store {
  readonly name = 'scripted'
  readonly memory: MemoryStore = createMemoryStore()
  readonly capabilities = { get: true, list: true, delete: true, signedUrls: false, resume: true }
  /** What was asked, in order: `put key`, `delete key`. */
  readonly calls: string[] = []
  readonly resumedFrom: (TransferCheckpoint | undefined)[] = []
  readonly abandoned: TransferCheckpoint[] = []
  /** Fails everything, or what it names. */
  fails: StoreErrorCode | ((key: string) => StoreErrorCode | undefined) | undefined
  /** While it is there, transfers tell a checkpoint and wait. */
  gate: Promise<void> | undefined
  running = 0
  mostRunning = 0
  closed = false

  locationOf(key: string): string {
    return this.memory.locationOf(key)
  }

  urlFor(key: string): ReturnType<Store['urlFor']> {
    return this.memory.urlFor(key)
  }

  probe(options: Parameters<Store['probe']>[0]): ReturnType<Store['probe']> {
    return this.memory.probe(options)
  }

  async put(...args: Parameters<Store['put']>): ReturnType<Store['put']> {
    return this.#do(`put ${args[0]}`, args[0], args[2]?.signal, () => this.memory.put(...args))
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): ReturnType<Store['put']> {
    this.resumedFrom.push(options.resumeFrom)
    if (this.gate !== undefined) void options.onCheckpoint?.({ parts: 1, key })
    return this.#do(`put ${key}`, key, options.signal, () => putFile(this.memory, key, path, options))
  }

  async abandon(_key: string, checkpoint: TransferCheckpoint): Promise<void> {
    this.abandoned.push(checkpoint)
  }

  get(...args: Parameters<NonNullable<Store['get']>>): ReturnType<NonNullable<Store['get']>> {
    return (this.memory as Required<Store>).get(...args)
  }

  list(...args: Parameters<NonNullable<Store['list']>>): ReturnType<NonNullable<Store['list']>> {
    return (this.memory as Required<Store>).list(...args)
  }

  async delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#do(`delete ${key}`, key, options.signal, () => (this.memory as Required<Store>).delete(key))
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async #do<T>(call: string, key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    this.calls.push(call)
    this.running += 1
    this.mostRunning = Math.max(this.mostRunning, this.running)
    try {
      await (this.gate === undefined ? undefined : Promise.race([this.gate, aborted(signal)]))
      if (signal?.aborted === true) throw new StoreError('STORE_ABORTED', 'stopped', { key })
      const code = typeof this.fails === 'function' ? this.fails(key) : this.fails
      if (code !== undefined) throw new StoreError(code, `${key}: ${code}`, { key })
      return await work()
    } finally {
      this.running -= 1
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    signal?.addEventListener('abort', () => resolve())
  })
}
