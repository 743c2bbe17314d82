import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import type { EncodedSample, Track } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { createTsMuxerStream, TsMuxer } from '../src/index.js'
import { capturedSamples } from './captured-samples.js'
import { muxAll } from './mux-all.js'

const camera: Track = { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }
const samples = capturedSamples('solo', 'v')

describe('createTsMuxerStream', () => {
  it('gives the bytes of the core, one buffer a sample', async () => {
    const out: Uint8Array[] = []
    await pipeline(Readable.from(samples), createTsMuxerStream([camera]), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const bytes of chunks) out.push(bytes)
    })
    expect(out).toHaveLength(samples.length)
    expect(Buffer.concat(out).equals(muxAll(new TsMuxer([camera]), samples))).toBe(true)
  })

  it('makes a fast source wait for a slow sink', async () => {
    let read = 0
    let written = 0
    let most = 0
    function* source(): Generator<EncodedSample> {
      for (const sample of samples.slice(0, 200)) {
        read++
        most = Math.max(most, read - written)
        yield sample
      }
    }
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_chunk, _encoding, callback) {
        written++
        setImmediate(callback)
      },
    })
    await pipeline(
      Readable.from(source(), { highWaterMark: 1 }),
      createTsMuxerStream([camera], { highWaterMark: 2 }),
      sink,
    )
    expect(written).toBe(200)
    expect(most).toBeLessThan(16)
  })

  it('hands on an error of the source', async () => {
    async function* source(): AsyncGenerator<EncodedSample> {
      yield samples[0]!
      await turn()
      throw new Error('the camera fell')
    }
    const stream = createTsMuxerStream([camera])
    const run = pipeline(source, stream, async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const _ of chunks);
    })
    await expect(run).rejects.toThrow('the camera fell')
    expect(stream.destroyed).toBe(true)
  })

  it('fails the pipeline where an item is none', async () => {
    const source = Readable.from([samples[0], { type: 'sample', trackId: 'v', data: 7, pts: 1, dts: 1 }])
    const run = pipeline(source, createTsMuxerStream([camera]), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const _ of chunks);
    })
    await expect(run).rejects.toThrow(TypeError)
  })

  it('stops on abort', async () => {
    const controller = new AbortController()
    const stream = createTsMuxerStream([camera], { signal: controller.signal })
    const out: Uint8Array[] = []
    const run = pipeline(Readable.from(samples), stream, async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) {
        out.push(chunk)
        if (out.length === 3) controller.abort()
      }
    })
    await expect(run).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    expect(out.length).toBeLessThan(samples.length)
    expect(stream.destroyed).toBe(true)
  })

  it('takes a break out of the loop', async () => {
    const stream = createTsMuxerStream([camera])
    const closed = pipeline(Readable.from(samples), stream)
    for await (const _ of stream) break
    await expect(closed).rejects.toThrow(expect.objectContaining({ code: 'ABORT_ERR' }))
    expect(stream.destroyed).toBe(true)
  })

  it('throws on a bad track at once', () => {
    expect(() => createTsMuxerStream([{ ...camera, codec: 'vp8' }])).toThrow(
      expect.objectContaining({ field: 'tracks[0].codec' }),
    )
  })
})
