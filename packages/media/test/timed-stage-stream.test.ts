import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Emit, Stage, TimedStage } from '../src/stage.js'
import { toStream } from '../src/stage-stream.js'
import { FakeClock } from './fake-clock.js'

/** Holds each input for 100 us, counted from the time that the input names; the input -1 makes the next tick fail. */
class Delay implements TimedStage<number, string> {
  readonly stats = { ticks: 0 }
  #held: number[] = []
  push(arrivalUs: number, _emit: Emit<string>): void {
    this.#held.push(arrivalUs)
  }
  tick(nowUs: number, emit: Emit<string>): void {
    this.stats.ticks++
    if (this.#held.includes(-1)) throw new Error('late')
    const due = this.#held.filter((arrivalUs) => arrivalUs + 100 <= nowUs)
    this.#held = this.#held.filter((arrivalUs) => arrivalUs + 100 > nowUs)
    for (const arrivalUs of due) emit(`${arrivalUs} at ${nowUs}`)
  }
  nextDeadline(): number | undefined {
    return this.#held.length === 0 ? undefined : Math.min(...this.#held) + 100
  }
  flush(emit: Emit<string>): void {
    for (const arrivalUs of this.#held) emit(`${arrivalUs} at the end`)
  }
}

let clock: FakeClock
let core: Delay
let out: string[]
beforeEach(() => {
  clock = new FakeClock()
  core = new Delay()
  out = []
})

function sink(): Writable {
  return new Writable({
    objectMode: true,
    write(chunk: string, _encoding, callback) {
      out.push(chunk)
      callback()
    },
  })
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn()
}

describe('deadlines', () => {
  test('the core is ticked at its deadline, and only then', async () => {
    const source = new PassThrough({ objectMode: true })
    const piped = pipeline(source, toStream(core, { clock }), sink())
    source.write(0)
    await settle()
    expect(clock.deadlines).toEqual([100])
    clock.advanceTo(99)
    await settle()
    expect({ out, ticks: core.stats.ticks }).toEqual({ out: [], ticks: 0 })
    clock.advanceTo(100)
    await settle()
    expect(out).toEqual(['0 at 100'])
    source.end()
    await piped
  })

  test('one wake is waited for at a time, and the next is set when it came', async () => {
    const source = new PassThrough({ objectMode: true })
    const piped = pipeline(source, toStream(core, { clock }), sink())
    for (const arrivalUs of [0, 30, 60]) source.write(arrivalUs)
    await settle()
    expect(clock.deadlines).toEqual([100])
    clock.advanceTo(130)
    await settle()
    expect(out).toEqual(['0 at 100', '30 at 130'])
    expect(clock.deadlines).toEqual([160])
    source.end()
    await piped
    expect(out).toEqual(['0 at 100', '30 at 130', '60 at the end'])
  })

  test('nothing held, nothing waited for', async () => {
    const source = new PassThrough({ objectMode: true })
    const piped = pipeline(source, toStream(core, { clock }), sink())
    source.write(0)
    await settle()
    clock.advanceTo(500)
    await settle()
    expect(clock.deadlines).toEqual([])
    source.write(500)
    await settle()
    expect(clock.deadlines).toEqual([600])
    source.end()
    await piped
  })

  test('an untimed stage never asks the clock', async () => {
    const untimed: Stage<number, string> = {
      push: (input, emit) => emit(String(input)),
      flush: () => {},
      stats: {},
    }
    await pipeline(Readable.from([1, 2]), toStream(untimed, { clock }), sink())
    expect(out).toEqual(['1', '2'])
    expect(clock.deadlines).toEqual([])
  })
})

describe('no wake outlives the stream', () => {
  test('after a good end', async () => {
    await pipeline(Readable.from([0, 10]), toStream(core, { clock }), sink())
    expect(out).toEqual(['0 at the end', '10 at the end'])
    expect(clock.deadlines).toEqual([])
  })

  test('after the input ended, while the output is still being read', async () => {
    const stream = toStream(core, { clock })
    stream.write(0)
    await settle()
    stream.end()
    await settle()
    expect({ destroyed: stream.destroyed, deadlines: clock.deadlines }).toEqual({ destroyed: false, deadlines: [] })
    expect(await stream.toArray()).toEqual(['0 at the end'])
  })

  test('after destroy', async () => {
    const stream = toStream(core, { clock })
    stream.write(0)
    await settle()
    expect(clock.deadlines).toEqual([100])
    stream.destroy()
    expect(clock.deadlines).toEqual([])
    clock.advanceTo(1000)
    expect(core.stats.ticks).toBe(0)
  })

  test('after an abort', async () => {
    const controller = new AbortController()
    const source = new PassThrough({ objectMode: true })
    const piped = pipeline(source, toStream(core, { clock, signal: controller.signal }), sink())
    source.write(0)
    await settle()
    controller.abort()
    await expect(piped).rejects.toMatchObject({ name: 'AbortError' })
    expect(clock.deadlines).toEqual([])
  })

  test('after an error in push', async () => {
    const stream = toStream(core, { clock })
    const failed = new Promise((resolve) => stream.once('error', resolve))
    stream.write(0)
    await settle()
    core.push = () => {
      throw new Error('no')
    }
    stream.write(1)
    expect(await failed).toMatchObject({ message: 'no' })
    expect(clock.deadlines).toEqual([])
  })
})

test('a throw in tick fails the pipeline with that error', async () => {
  const source = new PassThrough({ objectMode: true })
  const piped = pipeline(source, toStream(core, { clock }), sink())
  source.write(-1)
  await settle()
  clock.advanceTo(200)
  await expect(piped).rejects.toThrow('late')
  expect(source.destroyed).toBe(true)
  expect(clock.deadlines).toEqual([])
})

test('what a tick emits counts for back-pressure: the next input that emits waits for a reader', async () => {
  const stream = toStream(core, { clock, highWaterMark: 2 })
  for (const arrivalUs of [0, 0, 0, 0]) stream.write(arrivalUs)
  await settle()
  clock.advanceTo(100)
  // A tick cannot be held back half-way: all that was due is there.
  expect(stream.readableLength).toBe(4)
  let pushes = 0
  core.push = (_input: number, emit: Emit<string>) => {
    pushes++
    emit('at once')
  }
  for (const arrivalUs of [200, 300, 400]) stream.write(arrivalUs)
  await settle()
  expect(pushes).toBe(1)
  stream.resume()
  await settle()
  expect(pushes).toBe(3)
  stream.destroy()
})
