import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TimedItem } from '@rushes/media'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMp4Writable } from '../src/index.js'
import { opus, opusSample, temporaryFolder } from './media.js'

let folder: { path: string; remove: () => void }
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const options = (): Parameters<typeof createMp4Writable>[0] => ({
  path: join(folder.path, 'call.mp4'),
  tracks: [opus],
  originUs: 0,
})

function* packets(count: number): Generator<TimedItem> {
  for (let index = 0; index < count; index++) yield opusSample(index * 960, new Uint8Array(60), index === 0)
}

test('the file has its name when the pipeline resolves', async () => {
  const sink = createMp4Writable(options())
  expect(sink.summary).toBeUndefined()
  await pipeline(Readable.from(packets(5000)), sink)
  expect(sink.summary?.tracks).toEqual([expect.objectContaining({ samples: 5000, endUs: 100_000_000 })])
  expect(readdirSync(folder.path)).toEqual(['call.mp4'])
})

test('a source that fails leaves nothing', async () => {
  const sink = createMp4Writable(options())
  const failing = Readable.from(
    (function* () {
      yield* packets(500)
      throw new RangeError('the source broke')
    })(),
  )
  const closed = new Promise<void>((resolve) => sink.on('close', () => resolve()))
  await expect(pipeline(failing, sink)).rejects.toThrow('the source broke')
  await closed
  expect(readdirSync(folder.path)).toEqual([])
})

test('an abort leaves nothing', async () => {
  const sink = createMp4Writable(options())
  const control = new AbortController()
  const endless = Readable.from(
    (async function* () {
      yield* packets(200)
      control.abort()
      await new Promise((resolve) => setTimeout(resolve, 20))
      yield* packets(1)
    })(),
  )
  const closed = new Promise<void>((resolve) => sink.on('close', () => resolve()))
  await expect(pipeline(endless, sink, { signal: control.signal })).rejects.toMatchObject({ code: 'ABORT_ERR' })
  await closed
  expect(readdirSync(folder.path)).toEqual([])
})

test('what the writer refuses rejects the pipeline', async () => {
  const stranger: TimedItem = { ...opusSample(0, new Uint8Array(1), true), trackId: 'stranger' }
  await expect(pipeline(Readable.from([stranger]), createMp4Writable(options()))).rejects.toMatchObject({
    code: 'MP4_UNKNOWN_TRACK',
  })
  await expect(pipeline(Readable.from([]), createMp4Writable(options()))).rejects.toMatchObject({
    code: 'MP4_NO_MEDIA',
  })
})
