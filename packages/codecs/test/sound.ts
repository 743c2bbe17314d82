import { spawnSync } from 'node:child_process'
import { adtsHeader } from '@rushes/bitstream'
import type { AudioConfiguration, EncodedSample } from '@rushes/media'
import { nativeOpusDecoder } from './native-opus-decoder.js'

export const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** The AAC as ffmpeg decodes it: index 0 is the first frame's time. One plane per channel. */
export function decodeAac(samples: readonly EncodedSample[]): Float32Array[] {
  const { sampleRate, channels } = samples[0]!.configuration as AudioConfiguration
  const parts: Uint8Array[] = []
  for (const { data } of samples) {
    const frame = data as Uint8Array
    parts.push(adtsHeader({ objectType: 2, sampleRate, channels }, frame.byteLength), frame)
  }
  const args = ['-v', 'error', '-f', 'aac', '-i', '-', '-f', 'f32le', '-']
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input: Buffer.concat(parts), maxBuffer: 1 << 29 })
  if (stderr.length > 0) throw new Error(stderr.toString())
  const all = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength))
  return Array.from({ length: channels }, (_, channel) => all.filter((__, index) => index % channels === channel))
}

/** The Opus decoded packet by packet and laid at its own times: what should be heard. Index 0 is the first packet's time. */
export function decodeOpus(samples: readonly EncodedSample[], channels = 1): Float32Array[] {
  const decoder = nativeOpusDecoder(channels)
  const first = samples[0]!.pts
  const planes = Array.from({ length: channels }, () => new Float32Array(samples.at(-1)!.pts - first + 5760))
  let end = 0
  for (const { data, pts } of samples) {
    const decoded = decoder.decode(data as Uint8Array)
    for (let channel = 0; channel < channels; channel++) planes[channel]!.set(decoded[channel]!, pts - first)
    end = pts - first + decoded[0]!.length
  }
  decoder.close()
  return planes.map((plane) => plane.subarray(0, end))
}

/** By how many samples `late` is later than `reference`, by the best match from -`reach` to `reach`. */
export function lagOf(reference: Float32Array, late: Float32Array, reach = 40): number {
  let best = { lag: 0, score: Number.NEGATIVE_INFINITY }
  const length = Math.min(reference.length, late.length) - reach
  for (let lag = -reach; lag <= reach; lag++) {
    let score = 0
    for (let index = reach; index < length; index++) score += reference[index]! * late[index + lag]!
    if (score > best.score) best = { lag, score }
  }
  return best.lag
}

/** Where a tone gets loud, in samples: the first sample of each stretch over `level` that follows 0.2 s below it. */
export function onsets(plane: Float32Array, sampleRate: number, level = 0.2): number[] {
  const found: number[] = []
  let quiet = Number.POSITIVE_INFINITY
  for (let index = 0; index < plane.length; index++) {
    if (Math.abs(plane[index]!) < level) {
      quiet++
      continue
    }
    if (quiet > sampleRate / 5) found.push(index)
    quiet = 0
  }
  return found
}

/** Signal to noise in dB. */
export function snr(reference: Float32Array, got: Float32Array): number {
  let signal = 0
  let noise = 0
  for (let index = 0; index < Math.min(reference.length, got.length); index++) {
    signal += reference[index]! ** 2
    noise += (reference[index]! - got[index]!) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

/** The loudest sample from `from` to `to`. */
export function peak(plane: Float32Array, from: number, to: number): number {
  let value = 0
  for (let index = from; index < to; index++) value = Math.max(value, Math.abs(plane[index]!))
  return value
}
