import { expect, test, vi } from 'vitest'
import { tileOf } from './tile.js'

vi.mock('@napi-rs/canvas', () => {
  throw new Error("Cannot find package '@napi-rs/canvas'")
})

test('names need the optional package, and say so; pictures alone do not', async () => {
  const { Painter } = await import('../../src/picture/painter.js')
  const canvas = { width: 64, height: 64 }
  await expect(Painter.create({ canvas })).rejects.toMatchObject({
    code: 'COMPOSITOR_CANVAS_MISSING',
    message: expect.stringMatching(/names.*install @napi-rs\/canvas/s),
  })
  const overlays = [{ type: 'text' as const, text: 'A' }]
  await expect(Painter.create({ canvas, text: false, overlays })).rejects.toMatchObject({
    code: 'COMPOSITOR_CANVAS_MISSING',
  })
  const painter = await Painter.create({ canvas, text: false })
  const rectangle = { x: 0, y: 0, width: 64, height: 64 }
  const tile = tileOf({ rectangle, placeholder: true, label: 'A', mutedMark: true, background: '#ffffff' })
  painter.paint([tile], '#000000', () => undefined, 0)
  expect(painter.canvas.planes[0].every((luma) => luma === 235)).toBe(true)
  painter.close()
})
