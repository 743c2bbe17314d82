import { PictureCanvas } from '@rushes/codecs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hiddenTiles } from '../../src/picture/hidden-tiles.js'
import { colorOf, graphemesOf, initialsOf } from '../../src/picture/initials.js'
import { overlapGroups, overlaps } from '../../src/picture/layers.js'
import { clockText } from '../../src/picture/overlay-sprites.js'
import { checkOverlays, type Overlay } from '../../src/picture/painter-settings.js'
import { Sprite } from '../../src/picture/sprite.js'
import { yuvColor } from '../../src/picture/yuv-color.js'
import { tileOf } from './tile.js'

test.each([
  ['Alice Martin', 'AM'],
  ['alice', 'A'],
  ['Ana-Maria de la Cruz', 'AC'],
  ['王小明', '王'],
  ['борис иванов', 'БИ'],
  ['👩🏽‍💻', '👩🏽‍💻'],
  ['ßeta', 'ß'],
  ['42', '4'],
  ['...', '?'],
  ['', '?'],
])('initials of %j', (name, initials) => expect(initialsOf(name)).toBe(initials))

test('initials are at most two letters of any text, and a colour is always the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(graphemesOf(initialsOf(name)).length).toBeLessThanOrEqual(2)
      expect(initialsOf(name).length).toBeGreaterThan(0)
      expect(colorOf(name)).toBe(colorOf(name))
      expect(colorOf(name)).toMatch(/^#[0-9a-f]{6}$/)
    }),
  )
})

test('colours are those of BT.709 in limited range', () => {
  expect(yuvColor('#000000')).toEqual([16, 128, 128])
  expect(yuvColor('#ffffff')).toEqual([235, 128, 128])
  expect(yuvColor('#ff0000')).toEqual([63, 102, 240])
  expect(yuvColor('#00ff00')).toEqual([173, 42, 26])
  expect(yuvColor('#0000ff')).toEqual([32, 240, 118])
  expect(yuvColor('red')).toEqual([16, 128, 128])
})

test('a sprite is blended as its alpha says', async () => {
  const canvas = await PictureCanvas.create({ width: 16, height: 16 })
  const channel = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(channel, channel, channel, channel, channel, (red, green, blue, alpha, under) => {
      canvas.fillArea({ x: 0, y: 0, width: 16, height: 16 }, [under, under, under])
      const data = new Uint8Array(4 * 4 * 4)
      for (let at = 0; at < data.length; at += 4) data.set([red, green, blue, alpha], at)
      Sprite.fromRgba({ width: 4, height: 4, data }).draw(canvas, 2, 6)
      const hex = [red, green, blue].map((value) => value.toString(16).padStart(2, '0')).join('')
      for (const [index, value] of yuvColor(`#${hex}`).entries()) {
        const [plane, at] = index === 0 ? [0, 7 * 16 + 3] : [index, 3 * 8 + 1]
        const expected = under + ((value - under) * alpha) / 255
        expect(Math.abs((canvas.planes[plane]?.[at] ?? 0) - expected)).toBeLessThanOrEqual(1.5)
        expect(canvas.planes[plane]?.[0]).toBe(under)
      }
    }),
  )
  canvas.close()
})

test('groups hold what overlaps, directly or not', () => {
  const area = fc.record({
    x: fc.nat(50),
    y: fc.nat(50),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 30 }),
  })
  fc.assert(
    fc.property(fc.array(area, { maxLength: 12 }), (areas) => {
      const groups = overlapGroups(areas)
      for (const [index, one] of areas.entries()) {
        for (const [other, two] of areas.entries()) if (overlaps(one, two)) expect(groups[index]).toBe(groups[other])
      }
      // No group falls into two parts that do not touch.
      for (const group of new Set(groups)) {
        const members = areas.filter((_, index) => groups[index] === group)
        const reached = new Set(members.slice(0, 1))
        for (let size = 0; size !== reached.size; ) {
          size = reached.size
          for (const member of members) if ([...reached].some((one) => overlaps(one, member))) reached.add(member)
        }
        expect(reached.size).toBe(members.length)
      }
    }),
  )
})

describe('hidden tiles', () => {
  const small = tileOf({ rectangle: { x: 10, y: 10, width: 20, height: 20 } })

  test('behind an opaque one, whichever comes first in the list', () => {
    const large = tileOf({ z: 1 })
    expect(hiddenTiles([large, small])).toEqual(new Set([small]))
    expect(hiddenTiles([small, { ...large, z: 0 }])).toEqual(new Set([small]))
    expect(hiddenTiles([{ ...large, z: 0 }, small])).toEqual(new Set())
  })

  test('not behind one that lets through, or whose round corner does', () => {
    expect(hiddenTiles([small, tileOf({ opacity: 0.9 })])).toEqual(new Set())
    expect(hiddenTiles([small, tileOf({ cornerRadius: 11 })])).toEqual(new Set())
    expect(hiddenTiles([small, tileOf({ cornerRadius: 10 })])).toEqual(new Set([small]))
  })

  test('transparent', () => {
    const tile = tileOf({ opacity: 0 })
    expect(hiddenTiles([tile])).toEqual(new Set([tile]))
  })
})

test('a clock says the time as it is told to', () => {
  const atUs = Date.UTC(2026, 1, 3, 4, 5, 6, 999) * 1000
  expect(clockText({ type: 'clock' }, atUs)).toBe('2026-02-03 04:05:06')
  expect(clockText({ type: 'clock', utcOffsetMinutes: -330, format: 'DD.MM. HH:mm' }, atUs)).toBe('02.02. 22:35')
})

test.each([
  [{ type: 'image' }, 'overlays[0].image'],
  [{ type: 'picture' }, 'overlays[0].type'],
  [{ type: 'text', text: '' }, 'overlays[0].text'],
  [{ type: 'text', text: 'a', size: 2 }, 'overlays[0].size'],
  [{ type: 'text', text: 'a', colour: '#ffffff' }, 'overlays[0].colour'],
  [{ type: 'text', text: 'a', color: 'red' }, 'overlays[0].color'],
  [{ type: 'text', text: 'a', position: 'middle' }, 'overlays[0].position'],
  [{ type: 'clock', utcOffsetMinutes: 900 }, 'overlays[0].utcOffsetMinutes'],
  [null, 'overlays[0].type'],
])('%j is no overlay', (overlay, field) => {
  expect(() => checkOverlays([overlay as Overlay], 'overlays')).toThrow(expect.objectContaining({ field }))
})

test('overlays as they should be', () => {
  const overlays: Overlay[] = [
    { type: 'image', image: 'logo.png', opacity: 0.5 },
    { type: 'clock' },
    { type: 'text', text: 'a' },
  ]
  expect(() => checkOverlays(overlays, 'overlays')).not.toThrow()
  expect(() =>
    checkOverlays(
      Array.from({ length: 17 }, () => ({ type: 'clock' as const })),
      'overlays',
    ),
  ).toThrow(expect.objectContaining({ field: 'overlays' }))
})
