import { expect, test } from 'vitest'
import { FrameParts } from '../src/frame-parts.js'
import { allocatePicture } from '../src/native-picture.js'
import { loadNodeAv } from '../src/node-av.js'

test('a part shares the memory of the whole', async () => {
  const nodeAv = await loadNodeAv()
  const parts = new FrameParts(nodeAv)
  const whole = allocatePicture(nodeAv, { width: 64, height: 32 })
  for (const plane of whole.planes) plane.fill(10)
  const stamp = allocatePicture(nodeAv, { width: 20, height: 8 })
  for (const plane of stamp.planes) plane.fill(200)
  parts.with(whole.frame, { x: 12, y: 6, width: 20, height: 8 }, (part) => {
    expect([part.width, part.height]).toEqual([20, 8])
    part.copy(stamp.frame)
  })
  for (const [index, plane] of whole.planes.entries()) {
    const shift = index === 0 ? 0 : 1
    for (let y = 0; y < 32 >> shift; y++) {
      for (let x = 0; x < 64 >> shift; x++) {
        const isInside = x >= 12 >> shift && x < 32 >> shift && y >= 6 >> shift && y < 14 >> shift
        expect(plane[y * whole.strides[index]! + x], `${index}: ${x}, ${y}`).toBe(isInside ? 200 : 10)
      }
    }
  }
  parts.close()
})

test.each([
  ['AV_PIX_FMT_YUVJ420P', 2, 1],
  ['AV_PIX_FMT_YUV422P', 1, 3],
  ['AV_PIX_FMT_YUV420P10LE', 0, 0],
  ['AV_PIX_FMT_GRAY8', 2, 17],
  ['AV_PIX_FMT_GBRP', 1, 1],
] as const)('%s can be cut whatever its header says of colours', async (format, range, space) => {
  const nodeAv = await loadNodeAv()
  const parts = new FrameParts(nodeAv)
  const frame = new nodeAv.lib.Frame()
  frame.alloc()
  frame.format = nodeAv.constants[format]
  frame.width = 64
  frame.height = 32
  frame.getBuffer(0)
  frame.colorRange = range as typeof frame.colorRange
  frame.colorSpace = space as typeof frame.colorSpace
  const seen: unknown[] = []
  parts.with(frame, { x: 2, y: 2, width: 30, height: 20 }, (part) => {
    seen.push([part.width, part.height, part.format, part.colorRange, part.colorSpace])
  })
  expect(seen).toEqual([[30, 20, nodeAv.constants[format], range, space]])
  frame.free()
  parts.close()
})

test('the whole is shown as it is', async () => {
  const nodeAv = await loadNodeAv()
  const parts = new FrameParts(nodeAv)
  const { frame } = allocatePicture(nodeAv, { width: 64, height: 32 })
  parts.with(frame, { x: 0, y: 0, width: 64, height: 32 }, (part) => expect(part).toBe(frame))
  parts.close()
})
