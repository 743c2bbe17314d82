import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type EncodedSample, type Stage, type TimedItem, toStream } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { createAacTranscoder, createVideoTranscoder } from '../src/index.js'
import { nativePictures } from './native-pictures.js'

interface Case {
  readonly make: () => Promise<Stage<TimedItem, TimedItem> & { close(): void }>
  readonly input: readonly EncodedSample[]
}

const tone = Array.from({ length: 150 }, (_, index): EncodedSample => {
  const data = Uint8Array.from({ length: 160 }, (__, at) => (index + at) & 255)
  return { type: 'sample', trackId: 'voice', data, pts: index * 160, dts: index * 160, keyframe: true }
})
const cases: Readonly<Record<string, Case>> = {
  sound: {
    make: () => createAacTranscoder({ track: { id: 'voice', kind: 'audio', codec: 'pcma', clockRate: 8_000 } }),
    input: tone,
  },
  pictures: {
    make: () => createVideoTranscoder({ track: { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } }),
    input: nativePictures(100),
  },
}

describe.each(Object.keys(cases))('%s as a stream', (name) => {
  const { make, input } = cases[name]!

  test('puts out what the core does, flush included', async () => {
    const core = await make()
    const want: TimedItem[] = []
    for (const sample of input) core.push(sample, (item) => want.push(item))
    const pushed = want.length
    core.flush((item) => want.push(item))
    const got: TimedItem[] = []
    await pipeline(Readable.from(input), toStream(await make()), async (items: AsyncIterable<TimedItem>) => {
      for await (const item of items) got.push(item)
    })
    expect(got).toEqual(want)
    expect(name === 'pictures' || want.length > pushed).toBe(true)
  })

  test('waits for a slow reader', async () => {
    let read = 0
    let taken = 0
    let most = 0
    const source = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        this.push(input[read++] ?? null)
      },
    })
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_, __, callback) {
        taken++
        most = Math.max(most, read - taken)
        setImmediate(callback)
      },
    })
    await pipeline(source, toStream(await make(), { highWaterMark: 4 }), slow)
    expect(taken).toBeGreaterThan(70)
    // 20 ms packets become fewer frames of 21.3 ms: the difference grows by itself.
    expect(most).toBeLessThan(16 + input.length - taken)
  })

  test('an error of the core is that of the pipeline', async () => {
    const core = await make()
    core.close()
    await expect(pipeline(Readable.from(input), toStream(core), drain())).rejects.toMatchObject({
      code: 'CODECS_CLOSED',
    })
  })

  test('ends at once when it is aborted', async () => {
    const core = await make()
    const control = new AbortController()
    const endless = Readable.from(
      (function* (): Generator<TimedItem> {
        for (let index = 0; ; index++) {
          if (index === 50) control.abort()
          const sample = input[index % input.length]!
          const pts = index * (input[1]!.pts - input[0]!.pts)
          yield { ...sample, pts, dts: pts }
        }
      })(),
    )
    await expect(pipeline(endless, toStream(core, { signal: control.signal }), drain())).rejects.toMatchObject({
      name: 'AbortError',
    })
    core.close()
  })
})

function drain(): Writable {
  return new Writable({ objectMode: true, write: (_, __, callback) => callback() })
}
