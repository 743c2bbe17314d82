import { spawnSync } from 'node:child_process'
import { h264Configuration, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import { describe, expect, test } from 'vitest'
import { H264PictureEncoder, type H264PictureEncoderOptions, PictureCanvas } from '../src/index.js'
import { picturesOf, psnr, run } from './video-source.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const size = { width: 160, height: 96 }

interface Coded {
  readonly nalUnits: readonly Uint8Array[]
  readonly frame: number
  readonly keyframe: boolean
}

/** A grey square that moves over a slope of grey; one canvas for all. */
async function encoded(
  options: Partial<H264PictureEncoderOptions>,
  frames: number,
  first = 0,
): Promise<{ coded: Coded[]; painted: Buffer[]; delay: number }> {
  const canvas = await PictureCanvas.create(size)
  const encoder = await H264PictureEncoder.open({ ...size, frameRate: 30, crf: 12, ...options })
  const coded: Coded[] = []
  const painted: Buffer[] = []
  const sink = (nalUnits: readonly Uint8Array[], frame: number, keyframe: boolean): void => {
    coded.push({ nalUnits, frame, keyframe })
  }
  let delay = 0
  for (let frame = first; frame < first + frames; frame++) {
    for (let y = 0; y < size.height; y++)
      canvas.fillArea({ x: 0, y: y & ~1, width: 160, height: 2 }, [40 + y, 110, 140])
    canvas.fillArea({ x: (frame * 2) % 120, y: 32, width: 40, height: 32 }, [200, 90, 160])
    painted.push(Buffer.concat(canvas.planes))
    encoder.encode(canvas, frame, frame % 15 === 0, sink)
    delay = Math.max(delay, frame - first + 1 - coded.length)
  }
  // The encoder reads the canvas before it returns.
  canvas.fillArea({ x: 0, y: 0, ...size }, [16, 128, 128])
  encoder.flush(sink)
  encoder.close()
  encoder.close()
  canvas.close()
  return { coded, painted, delay }
}

describe.each([
  ['at once', {}],
  ['with lookahead', { latency: 'lookahead' }],
  ['with lookahead on two threads', { latency: 'lookahead', threads: 2 }],
  ['in slices', { threads: 2 }],
  ['baseline', { profile: 'baseline' }],
  ['by bit rate', { bitRate: 400_000, preset: 'fast' }],
] as const)('%s', (_, options) => {
  test('every picture in order, keyframes where they are asked for and nowhere else', async () => {
    const { coded, delay } = await encoded(options, 50, 15)
    expect(coded.map(({ frame }) => frame)).toEqual(Array.from({ length: 50 }, (__, index) => index + 15))
    expect(coded.filter(({ keyframe }) => keyframe).map(({ frame }) => frame)).toEqual([15, 30, 45, 60])
    for (const { nalUnits, keyframe } of coded) {
      const types = nalUnits.map(nalUnitTypeOf)
      expect(types.includes(NalUnitType.idrSlice)).toBe(keyframe)
      expect(types.slice(0, 2)).toEqual(keyframe ? [NalUnitType.sps, NalUnitType.pps] : [1, ...types.slice(1, 2)])
    }
    if (!('latency' in options)) expect(delay).toBe(0)
    else expect(delay).toBeGreaterThan(0)
  })

  test.skipIf(!hasFfmpeg && !process.env['CI'])('ffmpeg decodes it to what was painted', async () => {
    const { coded, painted } = await encoded(options, 40)
    const stream = Buffer.concat(coded.flatMap(({ nalUnits }) => nalUnits.map((unit) => annexB(unit))))
    const decoded = picturesOf(
      run(['-f', 'h264', '-i', '-', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'], stream),
      160,
      96,
    )
    expect(decoded).toHaveLength(40)
    for (const [index, picture] of decoded.entries()) expect(psnr(picture, painted[index]!)).toBeGreaterThan(34)
  })
})

test('profile and size are in the parameter sets, the colours too', async () => {
  const { coded } = await encoded({ profile: 'main' }, 1)
  const [sps, pps] = coded[0]!.nalUnits
  const configuration = h264Configuration([sps!], [pps!])
  expect(configuration).toMatchObject({ width: 160, height: 96, reorderDepth: 0 })
  expect(configuration.codecString).toMatch(/^avc1\.4d/i)
})

function annexB(unit: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 1]), unit])
}
