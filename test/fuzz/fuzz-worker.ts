import { parentPort, workerData } from 'node:worker_threads'
import { FuzzEngine } from './fuzz-engine.js'
import type { FuzzTarget } from './fuzz-target.js'
import type { FuzzJob } from './run-target.js'

const { targetName, options, shared, targetsModule = './targets.js' } = workerData as FuzzJob
const state = new Int32Array(shared, 0, 2)
const bytes = new Uint8Array(shared, 8)

const { fuzzTargets } = (await import(targetsModule)) as { readonly fuzzTargets: readonly FuzzTarget[] }
const target = fuzzTargets.find(({ name }) => name === targetName)
if (target === undefined) throw new Error(`no target has the name ${targetName}`)
const engine = new FuzzEngine(target, {
  ...options,
  // The thread beside this one must be able to tell which input never came back.
  onInput(input) {
    bytes.set(input.subarray(0, bytes.byteLength))
    state[1] = input.byteLength
    Atomics.add(state, 0, 1)
  },
})
parentPort?.postMessage(await engine.run(), [])
