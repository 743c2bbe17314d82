import type { Random } from '../long/seeded-random.js'

/** Makes another input out of one. It may take parts of the corpus, and changes nothing that it is given. */
export type Mutator = (input: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array

/** One parser, or a few in a row, as the fuzzer sees it. */
export interface FuzzTarget {
  readonly name: string
  /** Inputs as they should be, from captures where there are any. */
  readonly seeds: () => readonly Uint8Array[]
  readonly mutate: Mutator
  /**
   * Parses one input and checks what came out. What it throws is a finding: errors that the parser's contract allows are
   * caught within.
   */
  readonly run: (input: Uint8Array) => void | Promise<void>
  /**
   * The input without `count` of its parts from the one numbered `first`, for a shorter report of what was found;
   * `undefined` where there are not so many.
   */
  readonly withoutParts?: (input: Uint8Array, first: number, count: number) => Uint8Array | undefined
  /** Share of the inputs of a long run, relative to other targets. */
  readonly weight: number
}

/** A parser returned what it must not. */
class ViolationError extends Error {
  override name = 'ViolationError'
}

/** Throws unless `condition` holds. */
export function check(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new ViolationError(rule)
}

/** What `parse` returns, or `undefined` where it refuses with the error that its contract names. */
export function unlessRefused<T>(allowed: abstract new (...args: never[]) => Error, parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof allowed) return undefined
    throw error
  }
}
