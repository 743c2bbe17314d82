import type { FuzzTarget } from './fuzz-target.js'
import { mutateBytes } from './mutators/bytes.js'

const base = { seeds: () => [new Uint8Array(8)], mutate: mutateBytes, weight: 1 }
const kept: unknown[] = []

/** Targets with what a thread of one's own is there for. */
export const fuzzTargets: readonly FuzzTarget[] = [
  {
    ...base,
    name: 'never-ends',
    run(input) {
      while (input[0] === 7);
    },
  },
  {
    ...base,
    name: 'takes-all-memory',
    run(input) {
      while (input[0] === 7) kept.push(new Array<number>(8192).fill(kept.length))
    },
  },
]
