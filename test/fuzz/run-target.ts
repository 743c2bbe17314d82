import { Worker } from 'node:worker_threads'
import type { Finding, FuzzOptions, FuzzReport } from './fuzz-engine.js'

/** What the thread of a target is given. */
export interface FuzzJob {
  readonly targetName: string
  readonly options: Pick<FuzzOptions, 'inputs' | 'seed' | 'maxSeconds' | 'guided'>
  /** Exports `fuzzTargets`. @defaultValue `./targets.js` */
  readonly targetsModule?: string
  /** Count of inputs and length of the current one in 32 bits each, then its bytes. */
  readonly shared: SharedArrayBuffer
}

const SHARED_INPUT_BYTES = 1_048_576
/** Slow inputs take 50 ms, and a loaded machine ten times that. */
const HANG_MS = 15_000
/** Most memory that a target may have: none keeps more than its corpus. */
const MAX_HEAP_MIB = 512

/** A thread does not have the loader of TypeScript that its process was started with. */
const START = `
  import('tsx/esm/api').then(({ register }) => {
    register()
    return import(${JSON.stringify(new URL('./fuzz-worker.ts', import.meta.url).href)})
  })`

/** Runs a target on a thread of its own, so that what hangs or takes all memory is found as well. */
export function runTarget(
  targetName: string,
  options: FuzzJob['options'],
  { hangMs = HANG_MS, ...job }: { readonly hangMs?: number; readonly targetsModule?: string } = {},
): Promise<FuzzReport> {
  const shared = new SharedArrayBuffer(8 + SHARED_INPUT_BYTES)
  const state = new Int32Array(shared, 0, 2)
  const startedMs = performance.now()
  const worker = new Worker(START, {
    eval: true,
    workerData: { targetName, options, shared, ...job } satisfies FuzzJob,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  })
  const reportOf = (kind: Finding['kind'], message: string): FuzzReport => ({
    target: targetName,
    inputs: state[0] ?? 0,
    seconds: (performance.now() - startedMs) / 1000,
    corpus: 0,
    coveredBytes: 0,
    seedBytes: 0,
    heapDeltaBytes: 0,
    slowestMs: 0,
    finding: { kind, input: state[0] ?? 0, message, hex: currentInput(shared) },
  })
  return new Promise((resolve) => {
    let seen = 0
    let sinceMs = performance.now()
    const watch = setInterval(() => {
      const inputs = Atomics.load(state, 0)
      if (inputs !== seen) {
        seen = inputs
        sinceMs = performance.now()
      } else if (inputs > 0 && performance.now() - sinceMs > hangMs) {
        done(reportOf('hang', `no end after ${hangMs} ms`))
      }
    }, 500)
    const done = (report: FuzzReport): void => {
      clearInterval(watch)
      resolve(report)
      void worker.terminate()
    }
    worker.once('message', done)
    worker.once('error', (error) => done(reportOf('error', `the thread ended: ${error.stack ?? error.message}`)))
  })
}

function currentInput(shared: SharedArrayBuffer): string {
  const length = Math.min(SHARED_INPUT_BYTES, new Int32Array(shared, 0, 2)[1] ?? 0)
  return Buffer.from(new Uint8Array(shared, 8, length)).toString('hex')
}
