import { NalUnitType, nalUnitTypeOf, parseSps } from '@rushes/bitstream'
import { describe, expect, test } from 'vitest'
import { h264Level } from '../src/h264-level.js'
import { PictureCanvas } from '../src/index.js'
import { frameOf } from '../src/native-frames.js'
import { loadNodeAv } from '../src/node-av.js'
import { NodeAvH264Encoder } from '../src/node-av-h264-encoder.js'

/** The level that x264 chooses by itself, or the one that it is told. */
async function codedLevel(
  size: { width: number; height: number },
  frameRate: number,
  bitRate?: number,
  level?: string,
): Promise<number> {
  const canvas = await PictureCanvas.create(size)
  const nodeAv = await loadNodeAv()
  const encoder = new NodeAvH264Encoder(nodeAv, frameOf(canvas), {
    ...size,
    frameRate,
    timescale: frameRate,
    preset: 'medium',
    bitRate,
    crf: 30,
    ...(level === undefined ? {} : { level }),
  })
  let found = 0
  encoder.encode(frameOf(canvas), 0, true, (nalUnits) => {
    const sps = nalUnits.find((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.sps)
    if (sps !== undefined) found = parseSps(sps).levelIdc
  })
  encoder.close()
  canvas.close()
  return found
}

describe('the level of H264', () => {
  test.each([
    [1280, 720, 30],
    [1280, 720, 60],
    [1920, 1080, 30],
    [1920, 1080, 60],
    [854, 480, 30],
    [640, 360, 30],
    [640, 360, 15],
    [426, 240, 30],
    [320, 180, 30],
    [320, 180, 10],
    [160, 90, 30],
    [64, 4096, 10],
    [2560, 1440, 30],
    [3840, 2160, 30],
  ])('of %i x %i, %i a second, is the one that x264 chooses', async (width, height, frameRate) => {
    const level = h264Level({ width, height }, frameRate)
    expect(await codedLevel({ width, height }, frameRate)).toBe(Math.round(Number(level) * 10))
    expect(await codedLevel({ width, height }, Math.ceil(frameRate / 2), undefined, level)).toBe(
      Math.round(Number(level) * 10),
    )
  })

  test('has room for the bit rate', () => {
    const size = { width: 320, height: 180 }
    expect([100_000, 500_000, 1_000_000, 9_000_000].map((rate) => h264Level(size, 15, rate))).toEqual([
      '1.2',
      '1.3',
      '2',
      '3',
    ])
  })
})
