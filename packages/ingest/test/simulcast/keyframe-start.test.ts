import type { VideoCodec } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyframeStart } from '../../src/simulcast/keyframe-start.js'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('keyframeStart', () => {
  test.each<[string, VideoCodec, string, unknown]>([
    ['H264: an IDR slice', 'h264', '65 88', {}],
    ['H264: another slice', 'h264', '61 88', undefined],
    ['H264: the start of an IDR slice in FU-A', 'h264', '7c 85', {}],
    ['H264: the middle of it', 'h264', '7c 05', undefined],
    ['H264: a slice in FU-A', 'h264', '7c 81', undefined],
    ['H264: an SPS that cannot be read', 'h264', '67 42', {}],
    // A Chromium SPS of 640x360, cropped from 640x368, and a PPS.
    [
      'H264: STAP-A with SPS',
      'h264',
      '78 000c 6742c01f8c8d40501e900f08846a 0004 68ce3c80',
      { width: 640, height: 480 },
    ],
    ['H264: STAP-A of slices', 'h264', '78 0002 6188 0002 6188', undefined],
    ['VP8: a keyframe of 640x480', 'vp8', '10 10 02 00 9d 01 2a 8002 e001', { width: 640, height: 480 }],
    ['VP8: with picture id of two bytes', 'vp8', '90 80 8001 10 02 00 9d 01 2a 8002 6801', { width: 640, height: 360 }],
    ['VP8: an inter frame', 'vp8', '10 11 02 00', undefined],
    ['VP8: a later packet of a keyframe', 'vp8', '00 10 02 00', undefined],
    ['VP9: a keyframe', 'vp9', '88 01 aa', {}],
    ['VP9: predicted', 'vp9', 'c8 01 aa', undefined],
    ['VP9: an upper spatial layer', 'vp9', 'a8 01 02 aa', undefined],
    ['AV1: a new coded video sequence', 'av1', '18 0a', {}],
    ['AV1: none', 'av1', '10 32', undefined],
    ['H265: IDR', 'h265', '26 01', {}],
    ['H265: VPS', 'h265', '40 01', {}],
    ['H265: another slice', 'h265', '02 01', undefined],
    ['H265: the start of an IDR in FU', 'h265', '62 01 93', {}],
    ['H265: an aggregation with a VPS', 'h265', '60 01 0002 4001', {}],
    ['nothing', 'vp8', '', undefined],
  ])('%s', (_, codec, payload, expected) => {
    if (expected !== undefined && Object.keys(expected as object).length > 0 && codec === 'h264') {
      expect(keyframeStart(codec, bytes(payload))).toMatchObject({ width: 640 })
    } else expect(keyframeStart(codec, bytes(payload))).toEqual(expected)
  })

  test('no payload makes it throw', () => {
    const codecs: VideoCodec[] = ['h264', 'h265', 'vp8', 'vp9', 'av1']
    fc.assert(
      fc.property(fc.constantFrom(...codecs), fc.uint8Array({ maxLength: 40 }), (codec, payload) => {
        keyframeStart(codec, payload)
      }),
    )
  })
})
