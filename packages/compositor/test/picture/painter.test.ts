import { spawnSync } from 'node:child_process'
import type { Picture } from '@rushes/codecs'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { filtered, type PictureSource, pictureOf } from '../../../codecs/test/picture-source.js'
import { psnr } from '../../../codecs/test/video-source.js'
import { pictureRectangle } from '../../src/layout/picture-rectangle.js'
import type { Tile } from '../../src/layout/tile.js'
import { Painter, type PainterOptions } from '../../src/picture/painter.js'
import { yuvColor } from '../../src/picture/yuv-color.js'
import { tileOf } from './tile.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const canvas = { width: 320, height: 180 }
const open: Painter[] = []

async function painterOf(options: Partial<PainterOptions> = {}): Promise<Painter> {
  const painter = await Painter.create({ canvas, ...options })
  open.push(painter)
  return painter
}

afterAll(() => {
  for (const painter of open) painter.close()
})

const bytes = (painter: Painter): Buffer => Buffer.concat(painter.canvas.planes)
const lumaAt = (painter: Painter, x: number, y: number): number => painter.canvas.planes[0][y * canvas.width + x] ?? 0
const none = (): undefined => undefined

describe.skipIf(!hasFfmpeg && !process.env['CI'])('pictures in tiles', () => {
  const sources: PictureSource[] = []
  const wide = async (): Promise<PictureSource> => {
    sources[0] ??= await pictureOf({ codec: 'h264', width: 320, height: 180 })
    return sources[0]
  }
  const tall = async (): Promise<PictureSource> => {
    sources[1] ??= await pictureOf({ codec: 'h264', width: 90, height: 160 })
    return sources[1]
  }

  test.each([
    ['contain', 'scale=90:160:flags=area,pad=320:160:114:0:0x303134'],
    ['stretch', 'scale=320:160:flags=area'],
    ['cover', 'crop=90:46:0:56,scale=320:160:flags=area'],
  ] as const)('%s', async (fit, filter) => {
    const { picture, raw } = await tall()
    const painter = await painterOf()
    const tile = tileOf({ rectangle: { x: 0, y: 0, width: 320, height: 160 }, fit, background: '#303134' })
    painter.paint([tile], '#303134', () => picture, 0)
    const oracle = filtered(raw, 90, 160, `${filter},pad=320:180:0:0:0x303134`)
    // The colours that ffmpeg pads with are those of BT.601.
    const [y, u, v] = painter.canvas.planes
    expect(psnr(y, oracle.subarray(0, y.length))).toBeGreaterThan(fit === 'cover' ? 34 : 38)
    expect(psnr(Buffer.concat([u, v]), oracle.subarray(y.length))).toBeGreaterThan(34)
  })

  test('the whole picture lies where its rectangle says, cut or not', async () => {
    const size = { width: 90, height: 160 }
    const rectangle = { x: 20, y: 10, width: 160, height: 90 }
    const placed = (fit: Tile['fit']) => pictureRectangle(tileOf({ rectangle, fit }), size)
    expect(placed('contain')).toMatchObject({ y: 10, height: 90 })
    expect(placed('stretch')).toEqual(rectangle)
    const cover = placed('cover')
    expect(cover).toMatchObject({ x: 20, width: 160 })
    expect(Math.abs((cover?.height ?? 0) - 284)).toBeLessThan(8)
    expect(Math.abs((cover?.y ?? 0) + 87)).toBeLessThan(6)
    expect(pictureRectangle(tileOf({ placeholder: true }), size)).toBeUndefined()
  })

  test('what is outside of a round corner is the background, what is inside the picture', async () => {
    const { picture } = await wide()
    const painter = await painterOf()
    const rectangle = { x: 40, y: 40, width: 160, height: 90 }
    painter.paint([tileOf({ rectangle })], '#800000', () => picture, 0)
    const square = bytes(painter)
    const round = await painterOf()
    const tile = tileOf({ rectangle, cornerRadius: 20 })
    for (let index = 0; index < 3; index++) round.paint([{ ...tile }], '#800000', () => picture, 0)
    const [background] = yuvColor('#800000')
    for (const [x, y] of [
      [40, 40],
      [199, 40],
      [40, 129],
      [199, 129],
      [42, 42],
      [197, 127],
    ] as const) {
      expect(lumaAt(round, x, y)).toBe(background)
    }
    for (let y = 0; y < 180; y++) {
      for (let x = 0; x < 320; x++) {
        const [dx, dy] = [Math.max(60 - x, x - 179, 0), Math.max(60 - y, y - 109, 0)]
        if (Math.hypot(dx, dy) < 18.5) expect(lumaAt(round, x, y)).toBe(square[y * 320 + x])
      }
    }
  })

  test('half of the opacity is half of each', async () => {
    const { picture } = await wide()
    const painter = await painterOf()
    painter.paint([tileOf({})], '#000000', () => picture, 0)
    const whole = Uint8Array.from(painter.canvas.planes[0])
    painter.paint([tileOf({ opacity: 0.5 })], '#000000', () => picture, 0)
    const half = painter.canvas.planes[0]
    expect(half.every((value, index) => Math.abs(value - (16 + (whole[index] ?? 0)) / 2) <= 1)).toBe(true)
    painter.paint([tileOf({ opacity: 0 })], '#000000', () => picture, 0)
    expect(painter.canvas.planes[0].every((value) => value === 16)).toBe(true)
  })

  test('a picture that did not change is not painted again, and the one beside it is', async () => {
    const { picture } = await wide()
    const other = await tall()
    const painter = await painterOf()
    const tiles = [
      tileOf({ rectangle: { x: 0, y: 0, width: 160, height: 90 } }),
      tileOf({ participantId: 'bob', trackId: 'bob', rectangle: { x: 160, y: 0, width: 160, height: 90 } }),
    ]
    let shown: Picture = picture
    const pictureFor = (tile: Tile): Picture => (tile.trackId === 'bob' ? shown : picture)
    painter.paint(tiles, '#202124', pictureFor, 0)
    painter.paint(tiles, '#202124', pictureFor, 33_333)
    expect(painter.stats).toMatchObject({ wholePaints: 1, tilesPainted: 2, tilesKept: 2 })
    shown = other.picture
    painter.paint(tiles, '#202124', pictureFor, 66_667)
    expect(painter.stats).toMatchObject({ wholePaints: 1, tilesPainted: 3, tilesKept: 3 })
  })

  test('hidden tiles are not asked for pictures', async () => {
    const { picture } = await wide()
    const painter = await painterOf()
    const asked: (string | undefined)[] = []
    const tiles = [
      tileOf({ trackId: 'below', rectangle: { x: 20, y: 20, width: 100, height: 60 } }),
      tileOf({ trackId: 'off', placeholder: true, rectangle: { x: 0, y: 0, width: 20, height: 20 }, z: 3 }),
      tileOf({ trackId: 'above', cornerRadius: 10 }),
    ]
    const pictureFor = (tile: Tile): Picture => {
      asked.push(tile.trackId)
      return picture
    }
    painter.paint(tiles, '#202124', pictureFor, 0)
    expect(asked).toEqual(['above'])
    expect(painter.stats.tilesHidden).toBe(1)
  })

  test('painting what changed comes to the same as painting all of it', { timeout: 120_000 }, async () => {
    const pictures = [(await wide()).picture, (await tall()).picture]
    const even = (max: number) => fc.integer({ min: 0, max: max / 2 }).map((half) => half * 2)
    const tile = fc
      .record({
        x: even(304),
        y: even(164),
        width: even(304).map((value) => value + 16),
        height: even(164).map((value) => value + 16),
        z: fc.integer({ min: 0, max: 2 }),
        cornerRadius: fc.constantFrom(0, 0, 3, 12),
        opacity: fc.constantFrom(1, 1, 1, 0.4),
        look: fc.integer({ min: 0, max: 3 }),
        fit: fc.constantFrom('contain' as const, 'cover' as const),
      })
      .map(({ x, y, width, height, look, ...rest }) => {
        const rectangle = { x, y, width: Math.min(width, 320 - x), height: Math.min(height, 180 - y) }
        const ring = look === 1 ? { width: 3, color: '#ffcc00' } : undefined
        return tileOf({ ...rest, rectangle, ring, placeholder: look === 2, label: look === 3 ? 'Bob' : undefined })
      })
    // A step shows other pictures, gives one tile another look, or moves one.
    const step = fc.record({
      what: fc.constantFrom('picture' as const, 'picture' as const, 'look' as const, 'move' as const),
      which: fc.nat(4),
      tile,
    })
    const incremental = await painterOf({ overlays: [{ type: 'clock', format: 'ss', position: 'center' }] })
    const whole = await painterOf({ overlays: [{ type: 'clock', format: 'ss', position: 'center' }] })
    fc.assert(
      fc.property(
        fc.array(tile, { minLength: 1, maxLength: 5 }),
        fc.array(step, { minLength: 1, maxLength: 5 }),
        (first, steps) => {
          let tiles = first
          const shown = first.map((_, index) => index % 2)
          const pictureFor = (one: Tile): Picture | undefined => pictures[shown[tiles.indexOf(one)] ?? 0]
          let timeUs = 0
          incremental.paint(tiles, '#202124', pictureFor, timeUs)
          for (const { what, which, tile: other } of steps) {
            const index = which % tiles.length
            if (what === 'picture') shown[index] = 1 - (shown[index] ?? 0)
            const old = tiles[index] as Tile
            const { ring, placeholder, label } = other
            const changed = what === 'move' ? other : what === 'look' ? { ...old, ring, placeholder, label } : old
            tiles = tiles.with(index, changed)
            timeUs += 400_000
            incremental.paint(tiles, '#202124', pictureFor, timeUs)
            // Another background before: so all is painted.
            whole.paint([], '#ffffff', none, timeUs)
            whole.paint(tiles, '#202124', pictureFor, timeUs)
            expect(bytes(incremental).equals(bytes(whole))).toBe(true)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('memory stays flat', { timeout: 120_000 }, async () => {
    const pictures = [(await wide()).picture, (await tall()).picture]
    const painter = await painterOf()
    const tiles = [0, 1, 2, 3].map((index) =>
      tileOf({
        participantId: String(index),
        label: `Person ${index}`,
        cornerRadius: 8,
        rectangle: { x: (index % 2) * 160, y: (index >> 1) * 90, width: 160, height: 90 },
      }),
    )
    const rounds = async (count: number): Promise<number> => {
      for (let index = 0; index < count; index++) {
        painter.paint(tiles, '#202124', () => pictures[index % 2], index * 33_333)
        if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      return process.memoryUsage().rss
    }
    const before = await rounds(1000)
    expect((await rounds(5000)) - before).toBeLessThan(60 << 20)
    expect(painter.stats.tilesPainted).toBe(6000 * 4)
  })
})

describe('without pictures', () => {
  test('initials stand for a camera that is off, and for a picture that is not there', async () => {
    const painter = await painterOf()
    const tile = tileOf({ placeholder: true, background: '#303134' })
    painter.paint([tile], '#000000', none, 0)
    const [ground] = yuvColor('#303134')
    expect(lumaAt(painter, 2, 2)).toBe(ground)
    expect(new Set(painter.canvas.planes[0].subarray(90 * 320, 91 * 320)).size).toBeGreaterThan(3)
    const placeholder = bytes(painter)
    painter.paint([{ ...tile, placeholder: false }], '#000000', none, 0)
    expect(bytes(painter).equals(placeholder)).toBe(true)
    painter.paint([{ ...tile, name: 'Zoë' }], '#000000', none, 0)
    expect(bytes(painter).equals(placeholder)).toBe(false)
  })

  test.each([
    ['Latin', 'Zoë Müller'],
    ['Cyrillic', 'Борис'],
    ['Greek', 'Ωμέγα'],
    ['Arabic', 'محمد'],
    ['Hebrew', 'שָׁלוֹם'],
    ['Chinese', '王小明'],
    ['Hindi', 'नमस्ते'],
    ['an emoji', '👩🏽‍💻'],
  ])('a name in %s is to be seen in its corner, and nowhere else', async (_, label) => {
    const painter = await painterOf()
    painter.paint([tileOf({ placeholder: true, name: 'A' })], '#000000', none, 0)
    const without = bytes(painter)
    painter.paint([tileOf({ placeholder: true, name: 'A', label })], '#000000', none, 0)
    const luma = painter.canvas.planes[0]
    const changed = [...luma.keys()].filter((index) => luma[index] !== without[index])
    expect(changed.some((index) => (luma[index] ?? 0) > 120)).toBe(true)
    for (const index of changed) {
      expect(index % 320).toBeLessThan(200)
      expect(Math.floor(index / 320)).toBeGreaterThan(140)
    }
  })

  test('a long name is cut, a line break is none, and where there is no room there is no name', async () => {
    const painter = await painterOf()
    const label = `${'wide '.repeat(100)}\n\u0000end`
    painter.paint([tileOf({ placeholder: true, label, mutedMark: true })], '#000000', none, 0)
    const rectangle = { x: 0, y: 0, width: 16, height: 16 }
    painter.paint([tileOf({ placeholder: true, label, mutedMark: true, rectangle })], '#000000', none, 0)
    expect(lumaAt(painter, 300, 170)).toBe(16)
  })

  test('the mark of a microphone that is off is red', async () => {
    const painter = await painterOf()
    painter.paint([tileOf({ placeholder: true, label: 'A' })], '#000000', none, 0)
    const plain = Math.max(...painter.canvas.planes[2].subarray(75 * 160))
    painter.paint([tileOf({ placeholder: true, label: 'A', mutedMark: true })], '#000000', none, 0)
    expect(Math.max(...painter.canvas.planes[2].subarray(75 * 160))).toBeGreaterThan(plain + 15)
  })

  test('a ring lies on the edge, a border within', async () => {
    const painter = await painterOf()
    const ring = { width: 4, color: '#ffffff' }
    painter.paint([tileOf({ placeholder: true, ring })], '#000000', none, 0)
    for (const [x, y] of [
      [0, 0],
      [3, 90],
      [319, 179],
      [160, 3],
      [160, 176],
    ] as const) {
      expect(lumaAt(painter, x, y)).toBe(235)
    }
    expect(lumaAt(painter, 4, 90)).toBeLessThan(100)
  })

  test('overlays: a clock that runs, text and its place', async () => {
    const painter = await painterOf({
      overlays: [
        { type: 'clock', format: 'HH:mm:ss', utcOffsetMinutes: 120, position: 'top-left', size: 0.1 },
        { type: 'text', text: 'Confidential', position: 'bottom-right', opacity: 0.5, size: 0.1 },
      ],
      startedAtUs: Date.UTC(2026, 0, 1, 22, 59, 59) * 1000,
    })
    painter.paint([], '#000000', none, 0)
    const first = bytes(painter)
    painter.paint([], '#000000', none, 999_999)
    expect(bytes(painter).equals(first)).toBe(true)
    painter.paint([], '#000000', none, 1_000_000)
    expect(bytes(painter).equals(first)).toBe(false)
    expect(painter.stats.wholePaints).toBe(1)
    const [left, right] = [first.subarray(0, 320 * 60), first.subarray(320 * 120, 320 * 180)]
    expect(Math.max(...left)).toBeGreaterThan(220)
    expect(Math.max(...right)).toBeLessThan(150)
    expect(Math.max(...right)).toBeGreaterThan(100)
  })

  test('an image that cannot be read is told by its path', async () => {
    const overlays = [{ type: 'image' as const, image: '/nowhere/logo.png' }]
    await expect(painterOf({ overlays })).rejects.toMatchObject({
      code: 'COMPOSITOR_IMAGE_UNREADABLE',
      message: expect.stringContaining('/nowhere/logo.png'),
    })
  })
})
