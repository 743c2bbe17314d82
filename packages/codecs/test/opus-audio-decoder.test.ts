import { parseOpusToc } from '@rushes/bitstream'
import { Application, createDecoder } from 'libopus-wasm'
import { describe, expect, test } from 'vitest'
import { OpusAudioDecoder } from '../src/opus-audio-decoder.js'
import { opusRedundantSamples } from '../src/opus-redundancy.js'
import { nativeOpusDecoder } from './native-opus-decoder.js'
import { snr } from './sound.js'
import { opusPacketsOf } from './take.js'
import { voice } from './voice.js'
import { voipOpus } from './voip-opus.js'

const sound = voice(3)
const stereo = Float32Array.from({ length: 2 * sound.length }, (_, index) =>
  index % 2 === 0 ? sound[index >> 1]! : (sound[(index >> 1) + 7] ?? 0),
)
const sources: Readonly<Record<string, readonly Uint8Array[]>> = {
  silk: await voipOpus(sound, { bitrate: 12_000 }),
  hybrid: await voipOpus(sound, { bitrate: 32_000 }),
  celt: await voipOpus(sound, { application: Application.Audio, bitrate: 96_000 }),
  chromium: opusPacketsOf('solo').map(({ payload }) => payload),
  'stereo silk': await voipOpus(stereo, { channels: 2, bitrate: 24_000 }),
  'stereo celt': await voipOpus(stereo, { channels: 2, application: Application.Audio, bitrate: 128_000 }),
}

describe.each([1, 2] as const)('%i channels', (channels) => {
  test.each(Object.keys(sources))('%s decodes as the native decoder does', async (name) => {
    const native = nativeOpusDecoder(channels)
    const decoder = await OpusAudioDecoder.create(channels)
    for (const packet of sources[name]!.slice(0, 150)) {
      const want = native.decode(packet)
      const got = decoder.decode(packet)
      expect(got?.samples).toBe(want[0]!.length)
      for (let channel = 0; channel < channels; channel++) {
        const plane = got!.planes[channel]!
        if (want[channel]!.some((value) => Math.abs(value) > 1e-4)) {
          expect(snr(want[channel]!, plane.subarray(0, got!.samples))).toBeGreaterThan(60)
        }
      }
    }
    decoder.close()
    native.close()
  })

  test('reset forgets all: from 5 ms on it is a new decoder, to the bit, and before it is no louder', async () => {
    for (const before of Object.values(sources)) {
      for (const after of Object.values(sources)) {
        for (const [stop, from] of [
          [33, 0],
          [140, 60],
        ] as const) {
          const fresh = await OpusAudioDecoder.create(channels)
          const used = await OpusAudioDecoder.create(channels)
          for (const packet of before.slice(0, stop)) used.decode(packet)
          used.reset(after[from]!)
          for (const [index, packet] of after.slice(from, from + 20).entries()) {
            const want = fresh.decode(packet)!
            const got = used.decode(packet)!
            for (let channel = 0; channel < channels; channel++) {
              const exactFrom = index === 0 ? 240 : 0
              const wanted = want.planes[channel]!.subarray(0, want.samples)
              const plane = got.planes[channel]!.subarray(0, want.samples)
              expect(Buffer.compare(bytesOf(plane.subarray(exactFrom)), bytesOf(wanted.subarray(exactFrom)))).toBe(0)
              for (let at = 0; at < exactFrom; at++) {
                expect(Math.abs(plane[at]!)).toBeLessThanOrEqual(Math.abs(wanted[at]!) + 1e-6)
              }
            }
          }
          fresh.close()
          used.close()
        }
      }
    }
  })
})

test.each([[10], [20], [40], [60]] as const)(
  'packets of %i ms: what they repeat is found, and restores',
  async (ms) => {
    const options = { frameSize: ms * 48, fec: true, packetLossPercent: 20 }
    let found = 0
    for (const [plane, channels] of [
      [sound, 1],
      [stereo, 2],
    ] as const) {
      const packets = await voipOpus(plane, { ...options, channels, bitrate: 30_000 * channels })
      for (let index = 6; index < Math.min(packets.length, 80); index++) {
        // libopus guesses where a packet repeats nothing: then both are the same, within the encoder's first bandwidth.
        const guessing = await createDecoder({ channels, sampleRate: 48_000 })
        const restoring = await createDecoder({ channels, sampleRate: 48_000 })
        for (const packet of packets.slice(index - 6, index)) {
          guessing.decodeFloat(packet)
          restoring.decodeFloat(packet)
        }
        const guess = guessing.decodePacketLossFloat(ms * 48)
        const restored = restoring.decodeFloat(packets[index]!, { decodeFec: true, frameSize: ms * 48 })
        const isRestored = Buffer.compare(bytesOf(guess), bytesOf(restored)) !== 0
        expect(opusRedundantSamples(packets[index]!)).toBe(
          isRestored ? (parseOpusToc(packets[index]!).frameDurationUs * 48) / 1000 : 0,
        )
        if (isRestored) found++
        guessing.free()
        restoring.free()
      }
    }
    expect(found).toBeGreaterThan(10)
  },
)

test.each([
  ['nothing', [], 0],
  ['CELT', [0xf8, 0xff, 0xff], 0],
  ['SILK of 20 ms without', [0x08, 0x80], 0],
  ['SILK of 20 ms with', [0x08, 0x40], 960],
  ['SILK of 60 ms: three voice flags stand before', [0x18, 0xe0], 0],
  ['SILK of 60 ms with', [0x18, 0x10], 2880],
  ['stereo: on the side channel', [0x0c, 0x10], 960],
  ['two frames of the same length', [0x09, 0x40, 0x00], 960],
  ['two frames, lengths told', [0x0a, 0x01, 0x40, 0x00], 960],
  ['two frames, the first long', [0x0a, 0xfc, 0x00, 0x40, ...new Array<number>(252).fill(0)], 960],
  ['three frames of the same length, padded', [0x0b, 0x43, 0x01, 0x40, 0x00, 0x00, 0x00], 960],
  ['three frames, lengths told', [0x0b, 0x83, 0x01, 0x01, 0x40, 0x00, 0x00], 960],
  ['cut short', [0x0b], 0],
])('redundancy: %s', (_, packet, samples) => {
  expect(opusRedundantSamples(Uint8Array.from(packet))).toBe(samples)
})

function bytesOf(plane: Float32Array): Buffer {
  return Buffer.from(plane.buffer, plane.byteOffset, plane.byteLength)
}
