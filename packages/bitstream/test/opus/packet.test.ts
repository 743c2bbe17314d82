import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BitstreamError, opusPacketDuration, parseOpusToc } from '../../src/index.js'

const toc = (config: number, code: number, stereo = false): number => (config << 3) | (stereo ? 4 : 0) | code
const bytes = (length: number): number[] => Array<number>(length).fill(7)

describe('parseOpusToc', () => {
  // RFC 6716, Table 2.
  it.each([
    [0, 'silk', 'narrowband', 10_000],
    [3, 'silk', 'narrowband', 60_000],
    [5, 'silk', 'mediumband', 20_000],
    [11, 'silk', 'wideband', 60_000],
    [12, 'hybrid', 'superwideband', 10_000],
    [15, 'hybrid', 'fullband', 20_000],
    [16, 'celt', 'narrowband', 2_500],
    [21, 'celt', 'wideband', 5_000],
    [26, 'celt', 'superwideband', 10_000],
    [31, 'celt', 'fullband', 20_000],
  ])('config %i', (config, mode, bandwidth, frameDurationUs) => {
    const expected = { config, mode, bandwidth, frameDurationUs, frameCount: 1 }
    expect(parseOpusToc(Uint8Array.of(toc(config, 0), 1))).toEqual({ ...expected, stereo: false })
    expect(parseOpusToc(Uint8Array.of(toc(config, 0, true), 1))).toEqual({ ...expected, stereo: true })
  })
})

describe('opusPacketDuration', () => {
  it.each([
    ['one frame of 20 ms', [toc(31, 0), ...bytes(80)], 960],
    ['one frame of 2.5 ms', [toc(28, 0), 1], 120],
    ['DTX: nothing but the TOC', [toc(9, 0)], 960],
    ['two equal frames', [toc(31, 1), ...bytes(80)], 1920],
    ['two frames of different sizes', [toc(31, 2), 3, ...bytes(3), ...bytes(9)], 1920],
    ['a two-byte length', [toc(31, 2), 252, 1, ...bytes(256), ...bytes(9)], 1920],
    ['six equal frames', [toc(31, 3), 6, ...bytes(12)], 5760],
    ['three with lengths', [toc(31, 3), 0x80 | 3, 1, 2, ...bytes(3), ...bytes(5)], 2880],
    ['with padding', [toc(31, 3), 0x40 | 2, 3, ...bytes(8), 0, 0, 0], 1920],
    ['with padding of over 254', [toc(31, 3), 0x40 | 1, 255, 0, ...bytes(8), ...Array<number>(254).fill(0)], 960],
    ['48 frames of 2.5 ms', [toc(28, 3), 48, ...bytes(48)], 5760],
    ['two of 60 ms', [toc(3, 1), ...bytes(2)], 5760],
    ['the longest frame', [toc(31, 0), ...bytes(1275)], 960],
  ])('%s', (_, packet, samples) => {
    expect(opusPacketDuration(Uint8Array.from(packet))).toBe(samples)
  })

  it.each([
    ['empty', []],
    ['code 1 with an odd length', [toc(31, 1), 1, 2, 3]],
    ['code 2 without a length', [toc(31, 2)]],
    ['code 2 with half a length', [toc(31, 2), 252]],
    ['code 2, the first frame too long', [toc(31, 2), 9, 1, 2]],
    ['code 3 without a count', [toc(31, 3)]],
    ['no frame', [toc(31, 3), 0]],
    ['over 120 ms', [toc(31, 3), 7, ...bytes(7)]],
    ['three of 60 ms', [toc(3, 3), 3, ...bytes(3)]],
    ['49 frames', [toc(28, 3), 49, ...bytes(49)]],
    ['a frame too long', [toc(31, 0), ...bytes(1276)]],
    ['not divisible', [toc(31, 3), 2, 1, 2, 3]],
    ['padding longer than the packet', [toc(31, 3), 0x41, 9, 1]],
    ['padding cut short', [toc(31, 3), 0x41, 255]],
    ['lengths longer than the packet', [toc(31, 3), 0x82, 9, 1]],
  ])('refuses: %s', (_, packet) => {
    expect(() => opusPacketDuration(Uint8Array.from(packet))).toThrow(
      expect.objectContaining({ code: 'OPUS_BAD_PACKET' }),
    )
  })

  it('throws BitstreamError or gives 2.5 to 120 ms, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (packet) => {
        try {
          const samples = opusPacketDuration(packet)
          expect(samples % 120).toBe(0)
          expect(samples).toBeGreaterThan(0)
          expect(samples).toBeLessThanOrEqual(5760)
        } catch (error) {
          expect(error).toBeInstanceOf(BitstreamError)
        }
      }),
    )
  })

  it('of every packet that Chromium sent is 20 ms, DTX included', () => {
    const file = readFileSync(new URL('../../../../test/fixtures/mutes/alice-audio.rtpdump', import.meta.url))
    let packets = 0
    for (let at = file.indexOf(0x0a) + 17; at + 8 <= file.length; at += file.readUInt16BE(at)) {
      if (file.readUInt16BE(at + 2) === 0) continue
      const packet = file.subarray(at + 8, at + file.readUInt16BE(at))
      const extension = (packet[0]! & 0x10) === 0 ? 0 : 4 + packet.readUInt16BE(14) * 4
      const padding = (packet[0]! & 0x20) === 0 ? 0 : packet.at(-1)!
      const payload = packet.subarray(12 + extension, packet.length - padding)
      if (payload.length === 0) continue
      expect(opusPacketDuration(payload)).toBe(960)
      packets++
    }
    expect(packets).toBeGreaterThan(500)
  })
})
