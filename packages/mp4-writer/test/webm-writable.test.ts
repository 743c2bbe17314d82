import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EncodedSample } from '@rushes/media'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWebmWritable } from '../src/index.js'
import { voice } from './encoded.js'
import { opusSample, temporaryFolder } from './media.js'

let folder: { path: string; remove: () => void }
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

function* packets(count: number): Generator<EncodedSample> {
  for (let index = 0; index < count; index++) {
    yield { ...opusSample(index * 960, Uint8Array.of(0xf8, 0xff, 0xfe), index === 0), trackId: voice.id }
  }
}

test('has its file and its summary when the pipeline is done', async () => {
  const sink = createWebmWritable({ path: join(folder.path, 'call.webm'), tracks: [voice], originUs: 0 })
  await pipeline(Readable.from(packets(500)), sink)
  expect(sink.summary).toMatchObject({ durationUs: 10_000_000, tracks: [{ samples: 500, codecString: 'opus' }] })
  expect(readdirSync(folder.path)).toEqual(['call.webm'])
})

test('leaves nothing behind when the source fails', async () => {
  const sink = createWebmWritable({ path: join(folder.path, 'call.webm'), tracks: [voice], originUs: 0 })
  const closed = new Promise((resolve) => sink.once('close', resolve))
  const failing = Readable.from(
    (function* (): Generator<EncodedSample> {
      yield* packets(200)
      throw new Error('the call broke')
    })(),
  )
  await expect(pipeline(failing, sink)).rejects.toThrow('the call broke')
  await closed
  expect(readdirSync(folder.path)).toEqual([])
})
