import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { decodeG711 } from '../src/g711.js'
import { loadNodeAv } from '../src/node-av.js'
import { TelephoneAudioDecoder } from '../src/telephone-audio-decoder.js'
import { WaveformConcealer } from '../src/waveform-concealer.js'
import { hasFfmpeg, snr } from './sound.js'
import { encodeTelephone } from './telephone-source.js'
import { voice } from './voice.js'

describe.skipIf(!hasFfmpeg && !process.env['CI'])('G.711', () => {
  test.each([
    ['pcmu', 'mulaw'],
    ['pcma', 'alaw'],
  ] as const)('%s: every byte is what ffmpeg says', (law, format) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const args = ['-v', 'error', '-f', format, '-ar', '8000', '-ac', '1', '-i', '-', '-f', 's16le', '-']
    const { stdout } = spawnSync('ffmpeg', args, { input: bytes })
    const output = new Float32Array(256)
    decodeG711(law, bytes, output)
    expect([...output].map((value) => value * 32_768)).toEqual(
      Array.from({ length: 256 }, (_, index) => stdout.readInt16LE(index * 2)),
    )
  })

  test('G.722 gives back what ffmpeg encoded, and starts anew when told to', async () => {
    const sound = voice(2, 16_000)
    const packets = encodeTelephone('g722', sound)
    const decoder = new TelephoneAudioDecoder(await loadNodeAv(), 'g722', 1)
    const decodeAll = (): Float32Array => {
      const out = new Float32Array(packets.length * 320)
      for (const [index, packet] of packets.entries()) {
        const decoded = decoder.decode(packet)
        expect(decoded?.samples).toBe(320)
        out.set(decoded!.planes[0]!.subarray(0, 320), index * 320)
      }
      return out
    }
    const first = decodeAll()
    // The two filter banks delay by 22 samples.
    expect(snr(sound.subarray(0, 30_000), first.subarray(22))).toBeGreaterThan(15)
    decoder.reset()
    expect(decodeAll()).toEqual(first)
    decoder.close()
  })
})

test('an empty packet and one of absurd length are refused', async () => {
  const nodeAv = await loadNodeAv()
  for (const codec of ['pcmu', 'pcma', 'g722'] as const) {
    const decoder = new TelephoneAudioDecoder(nodeAv, codec, 2)
    expect(decoder.decode(new Uint8Array(0))).toBeUndefined()
    expect(decoder.decode(new Uint8Array(6000))).toBeUndefined()
    expect(decoder.decode(new Uint8Array(160).fill(0x55))?.planes).toHaveLength(2)
    decoder.close()
  }
})

describe.each([8_000, 16_000])('the guess at %i Hz', (sampleRate) => {
  const frame = sampleRate / 50

  test('goes on with a voice: as loud, in step, without a click, and fades within 60 ms', () => {
    const sound = voice(2, sampleRate, true)
    const alike: number[] = []
    for (let start = 10 * frame; start + 10 * frame < sound.length; start += 7 * frame) {
      const concealer = new WaveformConcealer(sampleRate)
      concealer.pass(sound.slice(0, start), start)
      const guess = new Float32Array(5 * frame)
      concealer.conceal(guess, 5 * frame)
      const truth = sound.subarray(start, start + 5 * frame)
      alike.push(snr(truth.subarray(0, frame), guess.subarray(0, frame)))
      expect(level(guess, 0, frame) / level(truth, 0, frame)).toBeGreaterThan(0.6)
      expect(level(guess, 0, frame) / level(truth, 0, frame)).toBeLessThan(1.4)
      expect(level(guess, 2 * frame, 3 * frame)).toBeLessThan(level(truth, 2 * frame, 3 * frame) * 0.5)
      expect(guess.subarray(3 * frame).every((value) => value === 0)).toBe(true)
      const joined = Float32Array.from([...sound.subarray(start - frame, start), ...guess])
      expect(steepest(joined)).toBeLessThan(steepest(sound) * 1.2)
    }
    expect(Math.min(...alike)).toBeGreaterThan(20)
  })

  test('joins what comes after it, and leaves the rest of that alone', () => {
    const sound = voice(2, sampleRate, true)
    for (let start = 10 * frame; start + 10 * frame < sound.length; start += 7 * frame) {
      const concealer = new WaveformConcealer(sampleRate)
      concealer.pass(sound.slice(0, start), start)
      const guess = new Float32Array(frame)
      concealer.conceal(guess, frame)
      const after = sound.slice(start + frame, start + 3 * frame)
      concealer.pass(after, 2 * frame)
      expect(steepest(Float32Array.from([...guess, ...after]))).toBeLessThan(steepest(sound) * 1.2)
      const joint = sampleRate / 200
      expect(after.subarray(joint)).toEqual(sound.subarray(start + frame + joint, start + 3 * frame))
    }
  })

  test('is silence where nothing was heard, and after a reset', () => {
    const concealer = new WaveformConcealer(sampleRate)
    const guess = new Float32Array(frame).fill(1)
    concealer.conceal(guess, frame)
    expect(guess.every((value) => value === 0)).toBe(true)
    concealer.pass(voice(1, sampleRate), sampleRate)
    concealer.reset()
    concealer.conceal(guess.fill(1), frame)
    expect(guess.every((value) => value === 0)).toBe(true)
  })
})

function level(plane: Float32Array, from: number, to: number): number {
  return Math.sqrt(plane.subarray(from, to).reduce((sum, value) => sum + value * value, 0) / (to - from))
}

function steepest(plane: Float32Array): number {
  let most = 0
  for (let index = 1; index < plane.length; index++) most = Math.max(most, Math.abs(plane[index]! - plane[index - 1]!))
  return most
}
