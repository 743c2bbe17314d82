/** What runs in the thread of an encoder. It is loaded by `H264EncoderThread` and by nobody else. */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { COUNTS, type EncoderData, type FromEncoder, type ToEncoder } from './h264-encoder-wire.js'
import { H264PictureEncoder } from './h264-picture-encoder.js'
import { PictureCanvas } from './picture-canvas.js'

const { options, counts: shared, slots, port } = workerData.data as EncoderData & { readonly port: MessagePort }
const counts = new Int32Array(shared)

const coded = (nalUnits: readonly Uint8Array[], frame: number, keyframe: boolean): void => {
  const memory = [...new Set(nalUnits.map(({ buffer }) => buffer as ArrayBuffer))]
  port.postMessage({ type: 'coded', nalUnits, frame, keyframe } satisfies FromEncoder, memory)
}

function count(place: number, value: number): void {
  if (place === COUNTS.encoded) Atomics.add(counts, place, value)
  else Atomics.store(counts, place, value)
  Atomics.notify(counts, place)
}

function fail(error: unknown): void {
  const { code = 'CODECS_ENCODE_FAILED', message } = error as Error & { code?: string }
  port.postMessage({ type: 'failed', code, message } satisfies FromEncoder, [])
  count(COUNTS.ended, 2)
  // Whoever waits for a slot looks again.
  count(COUNTS.encoded, 0)
  parentPort?.close()
  port.close()
}

async function start(): Promise<void> {
  const encoder = await H264PictureEncoder.open(options)
  const canvases: PictureCanvas[] = []
  for (const memory of slots) canvases.push(await PictureCanvas.over(memory, options))
  const close = (): void => {
    encoder.close()
    for (const canvas of canvases) canvas.close()
    port.close()
  }
  port.on('message', (message: ToEncoder) => {
    try {
      if (message.type === 'encode') {
        encoder.encode(canvases[message.slot] as PictureCanvas, message.frame, message.keyframe, coded)
        count(COUNTS.encoded, 1)
      } else if (message.type === 'flush') {
        encoder.flush(coded)
        count(COUNTS.ended, 1)
      } else close()
    } catch (error) {
      close()
      fail(error)
    }
  })
  parentPort?.postMessage({ type: 'ready' } satisfies FromEncoder, [])
}

start().catch((error: unknown) => {
  const { code = 'CODECS_OPEN_FAILED', message } = error as Error & { code?: string }
  parentPort?.postMessage({ type: 'failed', code, message } satisfies FromEncoder, [])
  port.close()
})
