import { describe, expect, it } from 'vitest'
import { H264EncoderThread } from '../src/h264-encoder-thread.js'
import { H264PictureEncoder } from '../src/h264-picture-encoder.js'
import { PictureCanvas } from '../src/picture-canvas.js'

const options = { width: 320, height: 180, frameRate: 30, preset: 'ultrafast' } as const

interface Coded {
  readonly bytes: string
  readonly frame: number
  readonly keyframe: boolean
}

type AnyEncoder = Pick<H264PictureEncoder, 'encode' | 'flush' | 'close'>

/** Sixty pictures, each painted over the one before. */
async function encodeAll(encoder: AnyEncoder): Promise<Coded[]> {
  const coded: Coded[] = []
  const sink = (nalUnits: readonly Uint8Array[], frame: number, keyframe: boolean): void => {
    coded.push({ bytes: Buffer.concat(nalUnits).toString('base64'), frame, keyframe })
  }
  const canvas = await PictureCanvas.create(options)
  for (let frame = 0; frame < 60; frame++) {
    canvas.fillArea({ x: (frame * 4) % 256, y: 32, width: 64, height: 64 }, [(frame * 37) % 220, 90, 200])
    encoder.encode(canvas, frame, frame % 20 === 0, sink)
  }
  encoder.flush(sink)
  encoder.close()
  canvas.close()
  return coded
}

describe('an encoder in a thread', () => {
  it('gives what one gives that has none, though the canvas is painted on meanwhile', async () => {
    const expected = await encodeAll(await H264PictureEncoder.open(options))
    expect(await encodeAll(await H264EncoderThread.open(options))).toEqual(expected)
    expect(expected).toHaveLength(60)
  })

  it('says why it cannot be opened', async () => {
    await expect(H264EncoderThread.open({ ...options, crf: 99, width: 15 })).rejects.toMatchObject({
      code: 'CODECS_OPEN_FAILED',
    })
  })

  it('ends with its port, and may be closed twice', async () => {
    const encoder = await H264EncoderThread.open(options)
    encoder.close()
    encoder.close()
    expect(() => encoder.flush(() => {})).not.toThrow()
  })
})
