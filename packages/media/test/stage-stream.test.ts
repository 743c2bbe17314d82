import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Emit, Stage } from '../src/stage.js'
import { type TypedTransform, toStream } from '../src/stage-stream.js'

interface Box {
  readonly value: number
}

/** Says each input `fanOut` times and the number of inputs at the end; fails at the input 13. */
class Counting implements Stage<number, Box> {
  readonly stats = { inputs: 0, flushed: false }
  readonly #fanOut: number
  constructor(fanOut = 1) {
    this.#fanOut = fanOut
  }
  push(input: number, emit: Emit<Box>): void {
    this.stats.inputs++
    for (let i = 0; i < this.#fanOut; i++) emit({ value: input })
    if (input === 13) throw new Error('thirteen')
  }
  flush(emit: Emit<Box>): void {
    this.stats.flushed = true
    emit({ value: -this.stats.inputs })
  }
}

function collect<T>(into: T[]): Writable {
  return new Writable({
    objectMode: true,
    write(chunk: T, _encoding, callback) {
      into.push(chunk)
      callback()
    },
  })
}

const values = (boxes: readonly Box[]): number[] => boxes.map(({ value }) => value)

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

describe('data', () => {
  test('what the core emits comes out in order, then what it held', async () => {
    const out: Box[] = []
    await pipeline(Readable.from([1, 2, 3]), toStream(new Counting(2)), collect(out))
    expect(values(out)).toEqual([1, 1, 2, 2, 3, 3, -3])
  })

  test('an empty source is flushed too', async () => {
    const out: Box[] = []
    await pipeline(Readable.from([]), toStream(new Counting()), collect(out))
    expect(values(out)).toEqual([-0])
  })

  test('the stream gives what the core gives, whatever the marks, the fan-out and the pace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 20, max: 99 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        async (inputs, highWaterMark, fanOut, isSlow) => {
          const expected: number[] = []
          const core = new Counting(fanOut)
          for (const input of inputs) core.push(input, ({ value }) => expected.push(value))
          core.flush(({ value }) => expected.push(value))

          const out: Box[] = []
          const stream = toStream(new Counting(fanOut), { highWaterMark })
          await pipeline(Readable.from(inputs), stream, async (boxes: AsyncIterable<Box>) => {
            for await (const box of boxes) {
              out.push(box)
              if (isSlow) await turn()
            }
          })
          expect(values(out)).toEqual(expected)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('objects are handed on, not copied', async () => {
    const packet = Uint8Array.of(1, 2, 3)
    const same: Stage<Uint8Array, Uint8Array> = { push: (input, emit) => emit(input), flush: () => {}, stats: {} }
    const out: Uint8Array[] = []
    await pipeline(Readable.from([packet], { objectMode: true }), toStream(same), collect(out))
    expect(out).toHaveLength(1)
    expect(out[0]).toBe(packet)
  })

  test('it can be read by for await, and leaving the loop destroys it', async () => {
    const core = new Counting()
    const source = Readable.from(Array.from({ length: 1000 }, (_, index) => index + 20))
    const stream = toStream(core, { highWaterMark: 4 })
    const piped = pipeline(source, stream).catch((error: NodeJS.ErrnoException) => error.code)
    const seen: number[] = []
    for await (const box of stream as AsyncIterable<Box>) {
      seen.push(box.value)
      if (seen.length === 3) break
    }
    expect(seen).toEqual([20, 21, 22])
    expect(await piped).toMatch(/ABORT_ERR|ERR_STREAM_PREMATURE_CLOSE/)
    expect(source.destroyed).toBe(true)
    expect(core.stats.flushed).toBe(false)
    expect(core.stats.inputs).toBeLessThan(20)
  })

  test('it stands between async generators', async () => {
    const out: number[] = []
    await pipeline(
      async function* () {
        yield 1
        await turn()
        yield 2
      },
      toStream(new Counting()),
      async function* (boxes: AsyncIterable<Box>) {
        for await (const box of boxes) yield box.value * 10
      },
      async (numbers: AsyncIterable<number>) => {
        for await (const number of numbers) out.push(number)
      },
    )
    expect(out).toEqual([10, 20, -20])
  })
})

describe('back-pressure', () => {
  test.each([1, 2, 16])(
    'with nobody reading and a mark of %i, the core is given no more than that',
    async (highWaterMark) => {
      const core = new Counting()
      let taken = 0
      const source = Readable.from(
        (function* () {
          for (;;) yield 20 + (taken++ % 50)
        })(),
        { highWaterMark: 1 },
      )
      const stream = toStream(core, { highWaterMark })
      const piped = pipeline(source, stream).catch(() => {})
      await turns(200)
      // The readable side is full at its mark; the input that filled it has been taken, the next ones wait as inputs.
      expect(core.stats.inputs).toBe(highWaterMark)
      expect(taken).toBeLessThanOrEqual(2 * highWaterMark + 3)

      // Each object read makes room for just one more.
      const iterator = (stream as AsyncIterable<Box>)[Symbol.asyncIterator]()
      await iterator.next()
      await turns(200)
      expect(core.stats.inputs).toBeLessThanOrEqual(2 * highWaterMark + 1)
      stream.destroy()
      await piped
    },
  )

  test('the default mark is 16 objects on either side', () => {
    const stream = toStream(new Counting())
    expect(stream.writableHighWaterMark).toBe(16)
    expect(stream.readableHighWaterMark).toBe(16)
    expect(stream.writableObjectMode && stream.readableObjectMode).toBe(true)
  })

  test('a writer is asked to wait, and told when to go on', async () => {
    const stream = toStream(new Counting(), { highWaterMark: 2 })
    let accepted = 0
    while (stream.write(20)) accepted++
    expect(accepted).toBeLessThanOrEqual(4)
    const drained = once(stream, 'drain')
    stream.resume()
    await drained
    stream.destroy()
  })
})

describe('errors', () => {
  test('a throw in push fails the pipeline with that very error, once, and closes both neighbours', async () => {
    const core = new Counting()
    const source = Readable.from([1, 13, 2])
    const out: Box[] = []
    const sink = collect(out)
    const stream = toStream(core)
    let errors = 0
    stream.on('error', () => errors++)
    await expect(pipeline(source, stream, sink)).rejects.toThrow('thirteen')
    await turns(5)
    expect(errors).toBe(1)
    expect([source.destroyed, stream.destroyed, sink.destroyed]).toEqual([true, true, true])
    expect(core.stats).toEqual({ inputs: 2, flushed: false })
  })

  test('a throw in flush fails the pipeline with that very error', async () => {
    const failure = new Error('no end')
    const core: Stage<number, number> = {
      push: (input, emit) => emit(input),
      flush: () => {
        throw failure
      },
      stats: {},
    }
    const out: number[] = []
    const sink = collect(out)
    const error: unknown = await pipeline(Readable.from([1]), toStream(core), sink).catch((caught: unknown) => caught)
    expect(error).toBe(failure)
    expect(sink.destroyed).toBe(true)
  })

  test('an error of the source is passed through, and the core is not flushed', async () => {
    const core = new Counting()
    const source = new PassThrough({ objectMode: true })
    const out: Box[] = []
    const piped = pipeline(source, toStream(core), collect(out))
    source.write(1)
    await turns(5)
    source.destroy(new Error('cut'))
    await expect(piped).rejects.toThrow('cut')
    expect(core.stats).toEqual({ inputs: 1, flushed: false })
  })
})

describe('stopping', () => {
  test('the signal of the stream discards: AbortError with its reason, no flush', async () => {
    const core = new Counting()
    const controller = new AbortController()
    const source = new PassThrough({ objectMode: true })
    const out: Box[] = []
    const piped = pipeline(source, toStream(core, { signal: controller.signal }), collect(out))
    source.write(1)
    await turns(5)
    controller.abort(new Error('enough'))
    await expect(piped).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } })
    expect(source.destroyed).toBe(true)
    expect(core.stats).toEqual({ inputs: 1, flushed: false })
  })

  test('a signal that was aborted before lets nothing in', async () => {
    const core = new Counting()
    const piped = pipeline(Readable.from([1]), toStream(core, { signal: AbortSignal.abort() }))
    await expect(piped).rejects.toMatchObject({ name: 'AbortError' })
    expect(core.stats).toEqual({ inputs: 0, flushed: false })
  })

  test('the signal of the pipeline does the same', async () => {
    const core = new Counting()
    const controller = new AbortController()
    const source = new PassThrough({ objectMode: true })
    const piped = pipeline(source, toStream(core), collect([]), { signal: controller.signal })
    source.write(1)
    await turns(5)
    controller.abort()
    await expect(piped).rejects.toMatchObject({ name: 'AbortError' })
    expect(core.stats).toEqual({ inputs: 1, flushed: false })
  })

  test('destroy without a reason is a premature close', async () => {
    const stream = toStream(new Counting())
    const piped = pipeline(new PassThrough({ objectMode: true }), stream, collect([]))
    stream.destroy()
    await expect(piped).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
  })
})

test('the chunk types are carried by the type of the stream', () => {
  type InputOf<S> = S extends TypedTransform<infer In, infer _Out> ? In : never
  type OutputOf<S> = S extends TypedTransform<infer _In, infer Out> ? Out : never
  const stream = toStream(new Counting())
  expectTypeOf<InputOf<typeof stream>>().toEqualTypeOf<number>()
  expectTypeOf<OutputOf<typeof stream>>().toEqualTypeOf<Box>()
  stream.destroy()
})
