import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigurationError, type MonotonicClock, type SourceItem } from '@rushes/media'
import { expect, test } from 'vitest'
import { createDepacketizerStream, OpusDepacketizer, serializeRtpPacket } from '../src/index.js'
import { collect } from './collect.js'

const microphone = { id: 'microphone', kind: 'audio', codec: 'opus', clockRate: 48_000 } as const

const packets = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    serializeRtpPacket({
      payloadType: 96,
      ssrc: 1,
      sequenceNumber: i,
      rtpTimestamp: i * 960,
      payload: Uint8Array.of(0xf8, i),
    }),
  )

test('emits what the core emits, flush included', async () => {
  const items: SourceItem[] = []
  const stream = createDepacketizerStream(microphone)
  await pipeline(Readable.from(packets(100)), stream, async (source: AsyncIterable<SourceItem>) => {
    for await (const item of source) items.push(item)
  })
  expect(items).toEqual(collect(new OpusDepacketizer(microphone), packets(100)))
  expect(items).toHaveLength(101)
})

test('makes its source wait while nobody reads', async () => {
  let taken = 0
  const source = Readable.from(
    (function* () {
      for (const packet of packets(1000)) {
        taken++
        yield packet
      }
    })(),
    { highWaterMark: 1 },
  )
  const stream = createDepacketizerStream(microphone, { highWaterMark: 4, startPackets: 1 })
  const done = pipeline(source, stream, new PassThrough({ objectMode: true, highWaterMark: 4 }))
  // Caught at once: the rejection comes before the test asks for it.
  const outcome = done.catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(taken).toBeLessThan(40)
  stream.destroy()
  expect(await outcome).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
})

test('an error downstream ends the pipeline with that very error', async () => {
  const failure = new Error('disk full')
  const sink = new Writable({ objectMode: true, write: (_chunk, _encoding, callback) => callback(failure) })
  await expect(pipeline(Readable.from(packets(100)), createDepacketizerStream(microphone), sink)).rejects.toBe(failure)
})

test('damage in the network does not end it', async () => {
  const inputs = [Uint8Array.of(1), ...packets(3), new Uint8Array(0), Uint8Array.from({ length: 50 }, () => 0xff)]
  const items = await createDepacketizerStreamItems(inputs)
  expect(items.map(({ type }) => type)).toEqual(['audio-frame', 'audio-frame', 'audio-frame', 'track-end'])
})

async function createDepacketizerStreamItems(inputs: Uint8Array[]): Promise<SourceItem[]> {
  const items: SourceItem[] = []
  const stream = Readable.from(inputs).compose(createDepacketizerStream(microphone))
  for await (const item of stream) items.push(item as SourceItem)
  return items
}

test('abort discards', async () => {
  const controller = new AbortController()
  const source = new PassThrough({ objectMode: true })
  const items: SourceItem[] = []
  const done = pipeline(
    source,
    createDepacketizerStream(microphone, { signal: controller.signal }),
    async (read: AsyncIterable<SourceItem>) => {
      for await (const item of read) items.push(item)
    },
  )
  for (const packet of packets(3)) source.write(packet)
  setImmediate(() => controller.abort())
  await expect(done).rejects.toMatchObject({ name: 'AbortError' })
  expect(items).toEqual([])
})

test('deadlines run on the clock that is given', async () => {
  let wake: (() => void) | undefined
  let deadline = 0
  const clock: MonotonicClock = {
    nowUs: () => deadline,
    schedule(at, callback) {
      deadline = at
      wake = callback
      return () => {
        wake = undefined
      }
    },
  }
  const stream = createDepacketizerStream(microphone, { clock })
  const items: SourceItem[] = []
  stream.on('data', (item: SourceItem) => items.push(item))
  const [first] = packets(1)
  stream.write({ data: first, arrivalUs: 1000 })
  await new Promise((resolve) => setImmediate(resolve))
  expect(items).toHaveLength(0)
  expect(deadline).toBe(101_000)
  wake?.()
  await new Promise((resolve) => setImmediate(resolve))
  expect(items).toHaveLength(1)
  stream.destroy()
})

test('what is emitted is not used again', () => {
  const items = collect(new OpusDepacketizer(microphone), packets(50))
  const data = items.flatMap((item) => (item.type === 'audio-frame' ? [item.data] : []))
  expect(new Set(data.map(({ buffer }) => buffer)).size).toBe(50)
  expect(data.map((bytes) => bytes[1])).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('bad options are refused at once', () => {
  expect(() => createDepacketizerStream({ ...microphone, codec: 'pcmu' })).toThrow(ConfigurationError)
})
