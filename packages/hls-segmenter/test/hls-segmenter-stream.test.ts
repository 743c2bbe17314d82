import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { OutputObject, TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { createHlsSegmenterStream, parseMediaPlaylist } from '../src/index.js'
import { RecordingFormat } from './recording-format.js'
import { audio, camera, every, merge, microphone, run, textOf, video, view } from './samples.js'

const pictures = video(0, 20, every(2))
const sounds = audio(0, 20)
/** Tracks that arrive one second of each in turn. */
const items: TimedItem[] = Array.from({ length: 20 }, (_, second) => [
  ...sounds.filter(({ dts }) => Math.floor(dts / 48_000) === second),
  ...pictures.filter(({ dts }) => Math.floor(dts / 90_000) === second),
]).flat()

const format = (): RecordingFormat => new RecordingFormat([camera, microphone])

describe('createHlsSegmenterStream', () => {
  it('gives what the cores give, whatever the order between tracks', async () => {
    const objects: OutputObject[] = []
    const stream = createHlsSegmenterStream({ format: format(), playlistType: 'event' })
    await pipeline(Readable.from(items), stream, async (source: AsyncIterable<OutputObject>) => {
      for await (const object of source) objects.push(object)
    })
    // Ties go to the track that the format names first.
    const expected = run({ playlistType: 'event' }, merge(pictures, sounds)).objects
    expect(objects.map(({ name }) => name)).toEqual(expected.map(({ name }) => name))
    expect(objects.map(textOf)).toEqual(expected.map(textOf))
    expect(stream.summary()).toMatchObject({ segments: 4, codecs: ['avc1.42c01f', 'mp4a.40.2'] })
    expect(stream.stats.interleaver).toMatchObject({ late: 0, heldSamples: 0 })
    expect(stream.stats.segmenter.samples).toBe(items.length)
  })

  it('holds its writer while the reader is slow', async () => {
    const stream = createHlsSegmenterStream({
      format: format(),
      playlistType: 'event',
      segmentDuration: 1,
      highWaterMark: 2,
    })
    let read = 0
    let mostAhead = 0
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_object, _encoding, callback) {
        read++
        mostAhead = Math.max(mostAhead, stream.readableLength)
        setImmediate(callback)
      },
    })
    await pipeline(Readable.from(items), stream, slow)
    expect(read).toBeGreaterThan(20)
    expect(mostAhead).toBeLessThanOrEqual(6)
  })

  it('fails the pipeline with the error of the format', async () => {
    class Broken extends RecordingFormat {
      override end(): void {
        throw new Error('disk on fire')
      }
    }
    const stream = createHlsSegmenterStream({ format: new Broken([camera, microphone]) })
    await expect(
      pipeline(Readable.from(items), stream, new Writable({ objectMode: true, write: (_o, _e, done) => done() })),
    ).rejects.toThrow('disk on fire')
  })

  it('is aborted by a signal, and writes no end then', async () => {
    const controller = new AbortController()
    const objects: OutputObject[] = []
    const stream = createHlsSegmenterStream({ format: format(), playlistType: 'event', signal: controller.signal })
    const done = pipeline(Readable.from(items), stream, async (source: AsyncIterable<OutputObject>) => {
      for await (const object of source) {
        objects.push(object)
        if (objects.length === 3) controller.abort()
      }
    })
    await expect(done).rejects.toMatchObject({ code: 'ABORT_ERR' })
    expect(objects.map(textOf).some((text) => text.includes('ENDLIST'))).toBe(false)
  })

  it('can be read with for await, and left', async () => {
    const stream = createHlsSegmenterStream({ format: format(), playlistType: 'event' })
    for await (const object of Readable.from(items).pipe(stream) as AsyncIterable<OutputObject>) {
      expect(object.name).toBe('segment-00001.ts')
      break
    }
    expect(stream.destroyed).toBe(true)
  })

  it('takes a late track', async () => {
    const objects: OutputObject[] = []
    const stream = createHlsSegmenterStream({ format: new RecordingFormat([microphone]) })
    const late = video(8, 20, every(2))
    async function* source(): AsyncGenerator<TimedItem> {
      yield* sounds.slice(0, 300)
      stream.addTrack(camera)
      yield* merge(late, sounds.slice(300))
    }
    await pipeline(source, stream, async (output: AsyncIterable<OutputObject>) => {
      for await (const object of output) objects.push(object)
    })
    const { segments, playlist } = view(objects)
    expect(playlist).toEqual(parseMediaPlaylist(textOf(objects.at(-2) as OutputObject)))
    expect(segments.map(({ lines }) => lines[0])).toEqual([
      'B microphone',
      'B microphone',
      'D microphone camera',
      'B microphone camera',
    ])
    expect(stream.stats.segmenter).toMatchObject({ heldOff: 0, samples: sounds.length + late.length })
  })

  it('checks its options at once', () => {
    expect(() => createHlsSegmenterStream({ format: format(), maxHeldUs: -1 })).toThrow(
      expect.objectContaining({ field: 'maxHeldUs' }),
    )
    expect(() => createHlsSegmenterStream({ format: format(), segmentDuration: -1 })).toThrow(
      expect.objectContaining({ field: 'segmentDuration' }),
    )
  })
})
