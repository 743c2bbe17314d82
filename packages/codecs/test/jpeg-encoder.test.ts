import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { JpegEncoder, PictureCanvas, PictureScaler } from '../src/index.js'
import { filtered, pictureOf } from './picture-source.js'
import { psnr, run } from './video-source.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** Red, green and blue as a browser has them: by the matrix of JFIF, or by another one. */
function decoded(jpeg: Uint8Array, matrix = 'bt601'): Buffer {
  const filter = `scale=in_color_matrix=${matrix}:in_range=pc:flags=accurate_rnd+full_chroma_int`
  return run(['-f', 'mjpeg', '-i', '-', '-vf', filter, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], jpeg)
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('JPEG', () => {
  test.each([
    [320, 180],
    [314, 178],
    [162, 100],
  ])('of %i x %i has the colours of the canvas', async (width, height) => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width, height, args: ['-colorspace', 'bt709'] })
    const canvas = await PictureCanvas.create({ width, height })
    const scaler = await PictureScaler.create()
    scaler.draw(picture, { x: 0, y: 0, width, height }, canvas, { x: 0, y: 0, width, height })
    const encoder = await JpegEncoder.create()
    const jpeg = encoder.encode(canvas)
    expect(jpeg.subarray(0, 3)).toEqual(Uint8Array.of(0xff, 0xd8, 0xff))
    expect(jpeg.subarray(-2)).toEqual(Uint8Array.of(0xff, 0xd9))
    const filter = 'scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int'
    const oracle = filtered(raw, width, height, filter, 'rgb24')
    const likeness = psnr(decoded(jpeg), oracle)
    expect(likeness).toBeGreaterThan(28)
    expect(psnr(decoded(jpeg, 'bt709'), oracle)).toBeLessThan(likeness - 3)
    expect(encoder.encode(canvas), 'the same again').toEqual(jpeg)
    scaler.close()
    canvas.close()
  })

  test('primary colours come out as they are', async () => {
    const canvas = await PictureCanvas.create({ width: 64, height: 16 })
    // BT.709 in limited range: red, green, blue, white.
    const colors = [
      [63, 102, 240],
      [173, 42, 26],
      [32, 240, 118],
      [235, 128, 128],
    ] as const
    for (const [index, color] of colors.entries()) {
      canvas.fillArea({ x: index * 16, y: 0, width: 16, height: 16 }, color)
    }
    const rgb = decoded((await JpegEncoder.create()).encode(canvas))
    const at = (x: number): number[] => [...rgb.subarray((8 * 64 + x) * 3, (8 * 64 + x) * 3 + 3)]
    const wanted = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
    ]
    for (const [index, color] of wanted.entries()) {
      for (const [channel, value] of at(index * 16 + 8).entries()) {
        expect(Math.abs(value - (color[channel] as number)), `colour ${index}`).toBeLessThan(12)
      }
    }
  })

  test('of a part of a canvas is its upper left corner', async () => {
    const canvas = await PictureCanvas.create({ width: 160, height: 96 })
    canvas.fillArea({ x: 0, y: 0, width: 48, height: 32 }, [235, 128, 128])
    const encoder = await JpegEncoder.create()
    const rgb = decoded(encoder.encode(canvas, { width: 48, height: 32 }))
    expect(rgb.byteLength).toBe(48 * 32 * 3)
    expect(Math.min(...rgb)).toBeGreaterThan(250)
  })
})
