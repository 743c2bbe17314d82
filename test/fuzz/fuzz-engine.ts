import { type Random, seededRandom } from '../long/seeded-random.js'
import { CoverageMeter } from './coverage-meter.js'
import type { FuzzTarget } from './fuzz-target.js'
import { heapBytes } from './heap-bytes.js'
import { minimize } from './minimize.js'

/** How long, and from where. */
export interface FuzzOptions {
  readonly inputs: number
  readonly seed: number
  /** Ends the run early. @defaultValue none */
  readonly maxSeconds?: number
  /** Whether the first tenth is led by block coverage. @defaultValue false */
  readonly guided?: boolean
  /** Told of each input before it is run. */
  readonly onInput?: (input: Uint8Array) => void
}

/** What a run found. */
export interface FuzzReport {
  readonly target: string
  readonly inputs: number
  readonly seconds: number
  /** Seeds, and what coverage added to them. */
  readonly corpus: number
  /** Bytes of source within the packages that were reached; 0 without guidance. */
  readonly coveredBytes: number
  /** Bytes of source that the seeds alone reach. */
  readonly seedBytes: number
  /** Heap in use after a collection, at the end against after the first tenth. */
  readonly heapDeltaBytes: number
  readonly slowestMs: number
  readonly finding?: Finding
}

/** An input that must not do what it did. */
export interface Finding {
  readonly kind: 'error' | 'slow' | 'growth' | 'hang'
  /** Number of the input within the run. */
  readonly input: number
  readonly message: string
  /** The smallest input found that does the same. */
  readonly hex: string
}

const SLOW_MS = 50
/** On a busy machine one measurement says little: an input is slow when it takes that much of the processor each time. */
const SLOW_TRIES = 4
const GUIDED_SHARE = 0.1
const MAX_CORPUS = 3000
const MAX_BATCH = 256
/** Code that is compiled late, and the corpus of a batch: what is kept by each input would be far more. */
const MAX_GROWTH_BYTES = 6_000_000

/** Runs a target on its seeds and on what comes of them, until something is found or the run is over. */
export class FuzzEngine {
  readonly #target: FuzzTarget
  readonly #options: FuzzOptions
  readonly #corpus: Uint8Array[]
  #inputs = 0
  #slowestMs = 0
  #finding: Finding | undefined

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target
    this.#options = options
    this.#corpus = [...target.seeds()]
    if (this.#corpus.length === 0) throw new Error(`${target.name} has no seeds`)
  }

  async run(): Promise<FuzzReport> {
    const { inputs, maxSeconds = Number.POSITIVE_INFINITY } = this.#options
    const startedMs = performance.now()
    const isOver = (): boolean =>
      this.#finding !== undefined || this.#inputs >= inputs || performance.now() - startedMs > maxSeconds * 1000
    const meter = this.#options.guided === true ? new CoverageMeter() : undefined
    for (const seed of [...this.#corpus]) if (this.#finding === undefined) await this.#try(seed)
    const seedBytes = meter?.take() ?? 0
    const guidedEnd = Math.min(inputs * GUIDED_SHARE, inputs)
    const isGuidedOver = (): boolean =>
      isOver() || this.#inputs >= guidedEnd || performance.now() - startedMs > maxSeconds * 250
    if (meter !== undefined) await this.#explore(meter, isGuidedOver)
    meter?.close()
    const tenth = Math.max(this.#inputs, Math.floor(inputs / 10))
    let firstHeap: number | undefined
    while (!isOver()) {
      const waiting = this.#try(this.#mutant())
      // Nearly all parsers are synchronous: a turn of the event loop for each input would cost more than they do.
      if (waiting !== undefined) await waiting
      if (this.#inputs === tenth + 1) firstHeap = heapBytes()
    }
    const heapDeltaBytes = firstHeap === undefined ? 0 : heapBytes() - firstHeap
    if (heapDeltaBytes > MAX_GROWTH_BYTES)
      this.#found('growth', `${heapDeltaBytes} bytes more are in use`, new Uint8Array(0))
    return {
      target: this.#target.name,
      inputs: this.#inputs,
      seconds: (performance.now() - startedMs) / 1000,
      corpus: this.#corpus.length,
      coveredBytes: meter?.coveredBytes ?? 0,
      seedBytes,
      heapDeltaBytes,
      slowestMs: this.#slowestMs,
      ...(this.#finding === undefined ? {} : { finding: this.#finding }),
    }
  }

  /** Keeps what reaches new code: whole batches are measured, and only those with news input by input. */
  async #explore(meter: CoverageMeter, isOver: () => boolean): Promise<void> {
    let batchSize = 4
    while (!isOver()) {
      const batch: Uint8Array[] = []
      while (batch.length < batchSize && !isOver()) {
        const input = this.#mutant()
        batch.push(input)
        await this.#try(input)
      }
      const isNews = meter.peek()
      for (const input of isNews && this.#finding === undefined ? batch : []) {
        await this.#run(input)
        meter.take()
        if (meter.wasNews && this.#corpus.length < MAX_CORPUS) this.#corpus.push(input)
      }
      batchSize = isNews ? Math.max(4, batchSize >> 1) : Math.min(MAX_BATCH, batchSize * 2)
    }
  }

  #mutant(): Uint8Array {
    const random: Random = seededRandom(Math.imul(this.#options.seed + 1, 0x9e37_79b1) ^ (this.#inputs + 1))
    // What coverage found last leads furthest.
    const { length } = this.#corpus
    const index = random.integer(2) === 0 ? random.integer(length) : Math.max(0, length - 1 - random.integer(64))
    return this.#target.mutate(this.#corpus[index]!, random, this.#corpus)
  }

  async #run(input: Uint8Array): Promise<void> {
    try {
      await this.#target.run(input)
    } catch (error) {
      // Judged when it was run first.
      void error
    }
  }

  /** Runs one input and judges it. Synchronous where the target is and nothing is found. */
  #try(input: Uint8Array): void | Promise<void> {
    this.#inputs++
    this.#options.onInput?.(input)
    const startedMs = performance.now()
    try {
      const running = this.#target.run(input)
      if (running !== undefined)
        return running.then(
          () => this.#judge(input, startedMs),
          (error) => this.#fail(input, error),
        )
    } catch (error) {
      return this.#fail(input, error)
    }
    return this.#judge(input, startedMs)
  }

  #judge(input: Uint8Array, startedMs: number): void | Promise<void> {
    const tookMs = performance.now() - startedMs
    if (tookMs <= SLOW_MS) {
      if (tookMs > this.#slowestMs) this.#slowestMs = tookMs
      return
    }
    return this.#confirmSlow(input, tookMs)
  }

  async #confirmSlow(input: Uint8Array, tookMs: number): Promise<void> {
    if (!(await this.#isSlow(input))) return
    this.#slowestMs = Math.max(this.#slowestMs, tookMs)
    this.#found(
      'slow',
      `takes ${tookMs.toFixed(0)} ms`,
      await this.#minimize(input, (smaller) => this.#isSlow(smaller)),
    )
  }

  async #fail(input: Uint8Array, error: unknown): Promise<void> {
    const smallest = await this.#minimize(input, (smaller) => this.#throwsAlike(smaller, error))
    this.#found('error', describe(error), smallest)
  }

  #minimize(input: Uint8Array, holds: (smaller: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
    return minimize(input, holds, this.#target.withoutParts)
  }

  async #isSlow(input: Uint8Array): Promise<boolean> {
    for (let tries = 0; tries < SLOW_TRIES; tries++) {
      const before = process.cpuUsage()
      await this.#run(input)
      const { user, system } = process.cpuUsage(before)
      if (user + system <= SLOW_MS * 1000) return false
    }
    return true
  }

  async #throwsAlike(input: Uint8Array, error: unknown): Promise<boolean> {
    try {
      await this.#target.run(input)
      return false
    } catch (other) {
      return signature(other) === signature(error)
    }
  }

  #found(kind: Finding['kind'], message: string, input: Uint8Array): void {
    this.#finding ??= { kind, input: this.#inputs, message, hex: Buffer.from(input).toString('hex') }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join('\n') : String(error)
}

/** The same kind of error from the same place: its words may hold numbers of the input. */
function signature(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const frame = (error.stack ?? '').split('\n').find((line) => line.trimStart().startsWith('at ')) ?? ''
  return `${error.name} ${error.name === 'ViolationError' ? error.message : ''} ${frame.replaceAll(/:\d+\)?$/g, '')}`
}
