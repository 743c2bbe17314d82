import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { guessFormat, type PacketSample } from '../../src/import/guess-format.js'
import { fixture, fixtureNames, plainRecords } from '../fixtures.js'

/** The samples that a capture of this track would give. */
function samplesOf(path: string): PacketSample[] {
  return plainRecords(path)
    .filter(({ rtcp }) => !rtcp)
    .slice(0, 100)
    .map(({ data, offsetMs }) => {
      const packet = Buffer.from(data)
      let start = 12 + ((packet[0] as number) & 15) * 4
      if (((packet[0] as number) & 16) !== 0) start += 4 + packet.readUInt16BE(start + 2) * 4
      // Padding-only packets have no payload.
      const padding = ((packet[0] as number) & 32) === 0 ? 0 : (packet.at(-1) as number)
      const payload = new Uint8Array(packet.subarray(start, packet.length - padding).subarray(0, 32))
      return { timestampUs: offsetMs * 1000, rtpTimestamp: packet.readUInt32BE(4), payload }
    })
}

function vp8(count: number, change: (payload: Uint8Array, index: number) => void = () => {}): PacketSample[] {
  return Array.from({ length: count }, (_, index) => {
    // Extended descriptor with a picture id of 15 bits; a keyframe first, then inter frames.
    const key = index === 0
    const payload = Uint8Array.of(0x90, 0x80, 0x80 | 1, index, key ? 0x10 : 0x11, 2, 0, 0x9d, 0x01, 0x2a, 64, 1)
    change(payload, index)
    return { timestampUs: index * 33_333, rtpTimestamp: index * 3000, payload }
  })
}

describe('a codec is guessed', () => {
  it.each(fixtureNames)('of the calls in %s', (name) => {
    expect(guessFormat(samplesOf(join(fixture(name), 'alice-video.rtpdump')))?.mimeType).toBe('video/H264')
    expect(guessFormat(samplesOf(join(fixture(name), 'alice-audio.rtpdump')))).toMatchObject({
      mimeType: 'audio/opus',
      clockRate: 48_000,
      channels: 2,
    })
  })

  it('of VP8 by its keyframe', () => {
    expect(guessFormat(vp8(40))?.mimeType).toBe('video/VP8')
    expect(guessFormat(vp8(40, (payload) => payload.fill(0x11, 4, 5))), 'no keyframe').toBeUndefined()
    expect(
      guessFormat(vp8(40, (payload, index) => payload.fill(0xd8, 0, index === 9 ? 1 : 0))),
      'a reserved bit',
    ).toBeUndefined()
  })

  it('only when it is clear', () => {
    expect(guessFormat(vp8(9)), 'too few').toBeUndefined()
    expect(guessFormat(vp8(40).map((sample) => ({ ...sample, timestampUs: 0 }))), 'no time').toBeUndefined()
    expect(
      guessFormat(vp8(40).map((sample, index) => ({ ...sample, rtpTimestamp: index * 267 }))),
      '8 kHz',
    ).toBeUndefined()
  })
})
