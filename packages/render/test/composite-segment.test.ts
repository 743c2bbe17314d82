import type { TimedItem } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompositeSegment, parseSegment, serializeSegment } from '../src/composite-segment.js'

const segment: CompositeSegment = {
  frame: 15,
  nextFrame: 30,
  items: [
    {
      type: 'sample',
      trackId: 'composite-video',
      data: [Uint8Array.of(0x67, 1), Uint8Array.of(0x65, 2, 3)],
      pts: 90_000,
      dts: 90_000,
      duration: 6000,
      keyframe: true,
      configuration: {
        kind: 'video',
        codec: 'h264',
        codecString: 'avc1.64001f',
        width: 320,
        height: 180,
        rotation: 0,
        reorderDepth: 0,
        parameterSets: { sps: [Uint8Array.of(0x67, 1)], pps: [Uint8Array.of(0x68)] },
      },
    },
    {
      type: 'sample',
      trackId: 'composite-audio',
      data: Uint8Array.of(9, 8),
      pts: 48_128,
      dts: 48_128,
      keyframe: true,
    },
    { type: 'watermark', trackId: 'composite-audio', dts: 49_152 },
  ] satisfies TimedItem[],
  stills: [
    {
      type: 'thumbnail',
      thumbnail: { atUs: 1_000_000, sheet: 1, x: 0, y: 0, width: 2, height: 2 },
      samples: Uint8Array.of(1, 2, 3, 4, 5, 6),
    },
    { type: 'object', atUs: 1_000_000, suffix: '/poster.jpg', contentType: 'image/jpeg', body: Uint8Array.of(0xff) },
  ],
  participants: ['ann', 'Zoë'],
  loadChanges: [{ atUs: 500_000, preset: 'ultrafast', frameStep: 2, sizeDivisor: 1 }],
}

const bytes = Buffer.concat(serializeSegment(segment))

describe('a segment as a file', () => {
  it('is read as it was written, wherever it lies in memory', () => {
    expect(parseSegment(bytes)).toEqual(segment)
    const within = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)])
    expect(parseSegment(within.subarray(3, 3 + bytes.byteLength))).toEqual(segment)
    const empty = { ...segment, items: [], stills: [] }
    expect(parseSegment(Buffer.concat(serializeSegment(empty)))).toEqual(empty)
  })

  it('is none where it is cut anywhere, longer, or has one bit turned', () => {
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(parseSegment(bytes.subarray(0, length)), `${length}`).toBeUndefined()
    }
    expect(parseSegment(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined()
    fc.assert(
      fc.property(fc.nat(bytes.byteLength * 8 - 1), (bit) => {
        const turned = Buffer.from(bytes)
        turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(parseSegment(turned)).toBeUndefined()
      }),
    )
  })

  it('is none of whatever else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => parseSegment(garbage) === undefined))
  })
})
