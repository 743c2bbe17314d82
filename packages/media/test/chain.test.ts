import { expect, expectTypeOf, test } from 'vitest'
import { chain } from '../src/chain.js'
import type { Emit, Stage } from '../src/stage.js'

/** Emits each input `times` times, and at the end what it counted. */
class Repeat implements Stage<number, number> {
  readonly stats = { inputs: 0 }
  readonly #times: number
  constructor(times: number) {
    this.#times = times
  }
  push(input: number, emit: Emit<number>): void {
    this.stats.inputs++
    for (let i = 0; i < this.#times; i++) emit(input)
  }
  flush(emit: Emit<number>): void {
    emit(-this.stats.inputs)
  }
}

class Print implements Stage<number, string> {
  readonly stats = { inputs: 0 }
  push(input: number, emit: Emit<string>): void {
    this.stats.inputs++
    emit(String(input))
  }
  flush(emit: Emit<string>): void {
    emit('end')
  }
}

test('what the first emits goes through the second at once, in order', () => {
  const out: string[] = []
  const chained = chain(new Repeat(2), new Print())
  chained.push(7, (text) => out.push(text))
  expect(out).toEqual(['7', '7'])
})

test('flush: first what the first still held, through the second, then the second itself', () => {
  const out: string[] = []
  const emit = (text: string): void => void out.push(text)
  const chained = chain(new Repeat(1), new Print())
  chained.push(7, emit)
  chained.push(8, emit)
  chained.flush(emit)
  expect(out).toEqual(['7', '8', '-2', 'end'])
})

test('each output goes to the emit of its own call', () => {
  const chained = chain(new Repeat(1), new Print())
  const one: string[] = []
  const other: string[] = []
  const toOne = (text: string): void => void one.push(text)
  chained.push(1, toOne)
  chained.push(2, (text) => other.push(text))
  chained.push(3, toOne)
  expect(one).toEqual(['1', '3'])
  expect(other).toEqual(['2'])
})

test('chains nest, and their stats are read live', () => {
  const chained = chain(chain(new Repeat(2), new Repeat(3)), new Print())
  const out: string[] = []
  chained.push(1, (text) => out.push(text))
  expect(out).toHaveLength(6)
  expect(chained.stats).toEqual({ first: { first: { inputs: 1 }, second: { inputs: 2 } }, second: { inputs: 6 } })
})

test('an error of either stage reaches the caller', () => {
  const failing: Stage<string, string> = {
    push: () => {
      throw new Error('no')
    },
    flush: () => {},
    stats: {},
  }
  const chained = chain(new Print(), failing)
  expect(() => chained.push(1, () => {})).toThrow('no')
})

test('only stages that fit can be chained', () => {
  expectTypeOf(chain(new Repeat(1), new Print())).toExtend<Stage<number, string>>()
  // @ts-expect-error the second stage takes numbers and the first gives strings
  chain(new Print(), new Repeat(1))
})
