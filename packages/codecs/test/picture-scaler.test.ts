import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type Picture, type PictureArea, PictureCanvas, PictureScaler, type ScalingAlgorithm } from '../src/index.js'
import { filtered, pictureOf } from './picture-source.js'
import { psnr } from './video-source.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const whole = (width: number, height: number): PictureArea => ({ x: 0, y: 0, width, height })

/** The canvas in one piece after `picture` was drawn on it. */
async function drawn(
  picture: Picture,
  crop: PictureArea,
  size: { width: number; height: number },
  target: PictureArea,
  algorithm?: ScalingAlgorithm,
): Promise<Buffer> {
  const canvas = await PictureCanvas.create(size)
  const scaler = await PictureScaler.create(algorithm)
  scaler.draw(picture, crop, canvas, target)
  const bytes = Buffer.concat(canvas.planes)
  scaler.close()
  canvas.close()
  return bytes
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('pictures on a canvas are what ffmpeg makes of them', () => {
  test.each(['fast-bilinear', 'bilinear', 'area', 'bicubic'] as const)('%s to a third', async (algorithm) => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 640, height: 360 })
    const flags = algorithm.replace('-', '_')
    const oracle = filtered(raw, 640, 360, `scale=214:120:flags=${flags}`)
    const size = { width: 214, height: 120 }
    expect(psnr(await drawn(picture, whole(640, 360), size, whole(214, 120), algorithm), oracle)).toBeGreaterThan(40)
  })

  test('a part of it, into a part of the canvas, and nothing outside', async () => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 640, height: 360 })
    const crop = { x: 100, y: 40, width: 320, height: 240 }
    const filter = 'crop=320:240:100:40,scale=200:150:flags=area,pad=400:300:62:34:black'
    const oracle = filtered(raw, 640, 360, filter)
    const bytes = await drawn(picture, crop, { width: 400, height: 300 }, { x: 62, y: 34, width: 200, height: 150 })
    expect(psnr(bytes, oracle)).toBeGreaterThan(40)
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 400; x++) {
        const isInside = x >= 62 && x < 262 && y >= 34 && y < 184
        if (!isInside && bytes[y * 400 + x] !== 16) throw new Error(`luma at ${x}, ${y} is ${bytes[y * 400 + x]}`)
      }
    }
  })

  test('odd sizes', async () => {
    const args = ['-colorspace', 'bt709']
    const { picture, raw } = await pictureOf({ codec: 'vp9', width: 333, height: 187, args })
    expect([picture.width, picture.height]).toEqual([333, 187])
    const oracle = filtered(raw, 333, 187, 'scale=200:112:flags=area')
    const bytes = await drawn(picture, whole(333, 187), { width: 200, height: 112 }, whole(200, 112))
    expect(psnr(bytes, oracle)).toBeGreaterThan(38)
  })

  test('full range becomes limited', async () => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 320, height: 180, pixelFormat: 'yuvj420p' })
    const oracle = filtered(raw, 320, 180, 'scale=160:90:flags=area')
    const bytes = await drawn(picture, whole(320, 180), { width: 160, height: 90 }, whole(160, 90))
    expect(psnr(bytes, oracle)).toBeGreaterThan(40)
  })

  // By way of RGB, as ffmpeg goes, the strongest colours of the test picture are cut off: more of BT.2020's.
  test.each([
    ['BT.601', 'smpte170m', 'bt601', 40, 25],
    ['BT.2020', 'bt2020nc', 'bt2020', 37, 31],
  ] as const)('the matrix of %s becomes that of BT.709', async (_name, colorspace, matrix, converted, unconverted) => {
    const args = ['-colorspace', colorspace]
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 320, height: 180, args })
    const size = { width: 320, height: 180 }
    const bytes = await drawn(picture, whole(320, 180), size, whole(320, 180))
    const filter = `scale=in_color_matrix=${matrix}:out_color_matrix=bt709:flags=accurate_rnd`
    const oracle = filtered(raw, 320, 180, filter)
    expect(psnr(bytes, oracle)).toBeGreaterThan(converted)
    expect(psnr(raw, oracle)).toBeLessThan(unconverted)
  })

  test.each(['yuv422p', 'yuv444p', 'yuv420p10le'])('%s, cropped', async (pixelFormat) => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 320, height: 180, pixelFormat })
    const oracle = filtered(raw, 320, 180, 'crop=160:120:64:32,scale=80:60:flags=area')
    const crop = { x: 64, y: 32, width: 160, height: 120 }
    const bytes = await drawn(picture, crop, { width: 80, height: 60 }, whole(80, 60))
    expect(psnr(bytes, oracle)).toBeGreaterThan(38)
  })

  test.each([
    [90, 'transpose=clock'],
    [180, 'hflip,vflip'],
    [270, 'transpose=cclock'],
  ] as const)('turned by %s, cropped as it is shown', async (rotation, turn) => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 320, height: 180 }, rotation)
    const [width, height] = rotation === 180 ? [320, 180] : [180, 320]
    expect([picture.width, picture.height]).toEqual([width, height])
    const crop = { x: 40, y: 20, width: 120, height: 100 }
    const oracle = filtered(raw, 320, 180, `${turn},crop=120:100:40:20,scale=60:50:flags=area,pad=100:80:10:20:black`)
    const target = { x: 10, y: 20, width: 60, height: 50 }
    expect(psnr(await drawn(picture, crop, { width: 100, height: 80 }, target), oracle)).toBeGreaterThan(38)
  })

  test('pixels that are not square', async () => {
    const args = ['-aspect', '16:9']
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 160, height: 180, args })
    expect([picture.width, picture.height]).toEqual([320, 180])
    const oracle = filtered(raw, 160, 180, 'crop=80:90:40:44,scale=160:90:flags=area')
    const crop = { x: 80, y: 44, width: 160, height: 90 }
    expect(psnr(await drawn(picture, crop, { width: 160, height: 90 }, whole(160, 90)), oracle)).toBeGreaterThan(40)
  })

  test('a canvas into a smaller one', async () => {
    const { picture, raw } = await pictureOf({ codec: 'h264', width: 640, height: 360 })
    const large = await PictureCanvas.create({ width: 640, height: 360 })
    const small = await PictureCanvas.create({ width: 160, height: 90 })
    const scaler = await PictureScaler.create()
    scaler.draw(picture, whole(640, 360), large, whole(640, 360))
    scaler.drawCanvas(large, small, whole(160, 90))
    const oracle = filtered(raw, 640, 360, 'scale=160:90:flags=area')
    expect(psnr(Buffer.concat(small.planes), oracle)).toBeGreaterThan(40)
  })
})

test('as many sizes as an animation has leave no more scalers behind than are kept', async () => {
  const { picture } = await pictureOf({ codec: 'vp8', width: 64, height: 64, seconds: 0.4 })
  const canvas = await PictureCanvas.create({ width: 400, height: 64 })
  const scaler = await PictureScaler.create()
  for (let width = 2; width <= 400; width += 2) scaler.draw(picture, whole(64, 64), canvas, whole(width, 64))
  scaler.draw(picture, whole(64, 64), canvas, whole(64, 64))
  scaler.close()
  scaler.close()
  expect(canvas.planes[0][0]).toBeGreaterThan(0)
})

test('a picture that is pulled out of any shape is painted all the same', async () => {
  const { picture, raw } = await pictureOf({ codec: 'h264', width: 4320, height: 16, seconds: 0.4 })
  const canvas = await PictureCanvas.create({ width: 16, height: 1280 })
  const scaler = await PictureScaler.create()
  scaler.draw(picture, whole(4320, 16), canvas, whole(16, 1280))
  const mean = (samples: Uint8Array): number => samples.reduce((sum, sample) => sum + sample, 0) / samples.length
  expect(Math.abs(mean(canvas.planes[0]) - mean(raw.subarray(0, 4320 * 16)))).toBeLessThan(16)
  scaler.close()
  canvas.close()
})

test('what has been given back is not painted', async () => {
  const { picture } = await pictureOf({ codec: 'vp8', width: 64, height: 64, seconds: 0.4 })
  const canvas = await PictureCanvas.create({ width: 64, height: 64 })
  const scaler = await PictureScaler.create()
  picture.close()
  expect(() => scaler.draw(picture, whole(64, 64), canvas, whole(64, 64))).toThrow(
    expect.objectContaining({ code: 'CODECS_CLOSED' }),
  )
})

test.each([70, 724])('nothing is written beside the target on %s pixels', async (side) => {
  const { picture } = await pictureOf({ codec: 'vp8', width: 64, height: 64, seconds: 0.4 })
  const canvas = await PictureCanvas.create({ width: side, height: 16 })
  const scaler = await PictureScaler.create()
  for (let width = 2; width <= side; width += 2) {
    for (const x of new Set([0, 2, side - width])) {
      if (x + width > side) continue
      const target = { x, y: 4, width, height: 12 }
      for (const plane of canvas.planes) plane.fill(200)
      scaler.draw(picture, whole(64, 64), canvas, target)
      canvas.fillArea(target, [200, 200, 200])
      const changed = canvas.planes.map((plane) => plane.findIndex((value) => value !== 200))
      expect(changed, `${width} at ${x}`).toEqual([-1, -1, -1])
    }
  }
})
