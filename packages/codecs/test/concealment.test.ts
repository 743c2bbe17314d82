import type { AudioTrack, EncodedSample } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { ContinuousAudio } from '../src/continuous-audio.js'
import {
  type AacTranscoderOptions,
  type AudioTranscoder,
  type ConcealedGap,
  type Concealment,
  createAacTranscoder,
} from '../src/index.js'
import { LossFiller } from '../src/loss-filler.js'
import { OpusAudioDecoder } from '../src/opus-audio-decoder.js'
import { opusRedundantSamples } from '../src/opus-redundancy.js'
import { nativeOpusDecoder } from './native-opus-decoder.js'
import { beeps } from './opus-source.js'
import { decodeAac, hasFfmpeg, lagOf, onsets, snr } from './sound.js'
import { opusPacketsOf, samplesOf } from './take.js'
import { encodeTelephone } from './telephone-source.js'
import { voice } from './voice.js'
import { voipOpus } from './voip-opus.js'

const opus: AudioTrack = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 }

interface Hole {
  readonly from: number
  readonly to: number
}

/** Holes of `length` packets, 30 packets and some apart. */
function holesIn(packets: number, length: number): Hole[] {
  const holes: Hole[] = []
  for (let from = 25; from + length + 25 < packets; from += length + 30 + ((from * 7) % 11)) {
    holes.push({ from, to: from + length })
  }
  return holes
}

/** The samples of packets of equal length, with holes. */
function samplesWithout(packets: readonly Uint8Array[], ticks: number, holes: readonly Hole[]): EncodedSample[] {
  return packets.flatMap((data, index) => {
    if (holes.some(({ from, to }) => index >= from && index < to)) return []
    const hole = holes.find(({ to }) => to === index)
    const loss = hole === undefined ? {} : { lostPackets: hole.to - hole.from, discontinuity: true }
    const pts = index * ticks
    return [{ type: 'sample', trackId: 'voice', data, pts, dts: pts, keyframe: true, ...loss }]
  })
}

/** The sound before it is encoded again. */
async function soundOf(
  packets: readonly Uint8Array[],
  holes: readonly Hole[],
  mode: Concealment,
): Promise<Float32Array> {
  const out = new Float32Array(packets.length * 960)
  let at = 0
  const audio = new ContinuousAudio(1, ([plane], samples) => {
    out.set(plane!.subarray(0, samples), at)
    at += samples
  })
  const decoder = await OpusAudioDecoder.create(1)
  const losses = new LossFiller('voice', decoder, audio, mode)
  for (const { data, pts, lostPackets } of samplesWithout(packets, 960, holes)) {
    const joint = lostPackets === undefined ? 'continues' : losses.fill(data as Uint8Array, pts, lostPackets, true)
    const { planes, samples } = decoder.decode(data as Uint8Array)!
    audio.place(pts, planes, samples, joint)
    losses.heard(pts, samples)
  }
  audio.flush()
  decoder.close()
  expect(at).toBe(packets.length * 960)
  return out
}

function undamaged(packets: readonly Uint8Array[]): Float32Array {
  const decoder = nativeOpusDecoder(1)
  const out = new Float32Array(packets.length * 960)
  for (const [index, packet] of packets.entries()) out.set(decoder.decode(packet)[0]!, index * 960)
  decoder.close()
  return out
}

/** dB over all holes, from `before` packets of their start or end on. */
function snrOver(want: Float32Array, got: Float32Array, spans: readonly Hole[]): number {
  const join = (plane: Float32Array): Float32Array =>
    Float32Array.from(spans.flatMap(({ from, to }) => [...plane.subarray(from * 960, to * 960)]))
  return snr(join(want), join(got))
}

/** How much steeper than the sound around it the steepest step at a seam is. */
function click(want: Float32Array, got: Float32Array, seams: readonly number[]): number {
  const steepest = (plane: Float32Array, from: number, to: number): number => {
    let most = 0
    for (let at = from; at < to; at++) most = Math.max(most, Math.abs(plane[at]! - plane[at - 1]!))
    return most
  }
  return Math.max(...seams.map((seam) => steepest(got, seam - 6, seam + 6) - steepest(want, seam - 1920, seam + 1920)))
}

const speech = voice(12)
const after = (holes: readonly Hole[]): Hole[] => holes.map(({ to }) => ({ from: to, to: to + 5 }))

describe('Opus, judged before it is encoded again', () => {
  test.each([
    // dB in the hole, and in the 100 ms after it (by how much better than with silence).
    ['SILK that repeats itself', { bitrate: 24_000, fec: true, packetLossPercent: 15 }, 1, 6, 8],
    ['hybrid that repeats itself', { bitrate: 32_000, fec: true, packetLossPercent: 15 }, 1, 6, 8],
    ['hybrid', { bitrate: 32_000 }, 1, 0, 0.5],
    ['hybrid', { bitrate: 32_000 }, 3, -1, 1],
    ['hybrid that repeats itself', { bitrate: 32_000, fec: true, packetLossPercent: 15 }, 6, 0, 1],
  ] as const)('%s (%o), %i lost', async (_, options, length, inHole, better) => {
    const packets = await voipOpus(speech, options)
    const holes = holesIn(packets.length, length)
    const want = undamaged(packets)
    const concealed = await soundOf(packets, holes, 'plc')
    const silenced = await soundOf(packets, holes, 'silence')
    expect(snrOver(want, concealed, holes)).toBeGreaterThan(inHole)
    expect(snrOver(want, concealed, after(holes))).toBeGreaterThan(snrOver(want, silenced, after(holes)) + better)
    const seams = holes.flatMap(({ from, to }) => [from * 960, to * 960])
    expect(click(want, concealed, seams)).toBeLessThan(0.05)
    expect(concealed.subarray(0, holes[0]!.from * 960 - 120)).toEqual(silenced.subarray(0, holes[0]!.from * 960 - 120))
  })

  test('a tone of Chromium: goes on through holes of one and of three packets', async () => {
    const packets = opusPacketsOf('solo').map(({ payload }) => payload)
    const want = undamaged(packets)
    for (const [length, db] of [
      [1, 20],
      [3, 10],
    ] as const) {
      const holes = holesIn(packets.length, length)
      const got = await soundOf(packets, holes, 'plc')
      const each = holes.map((hole) => snrOver(want, got, [hole])).sort((a, b) => a - b)
      expect(each[each.length >> 1]).toBeGreaterThan(db)
    }
  })
})

interface Transcoded {
  readonly samples: EncodedSample[]
  readonly stats: AudioTranscoder['stats']
  readonly gaps: ConcealedGap[]
}

async function transcode(
  items: readonly EncodedSample[],
  options: Partial<AacTranscoderOptions> = {},
): Promise<Transcoded> {
  const gaps: ConcealedGap[] = []
  const transcoder = await createAacTranscoder({ track: opus, onConcealed: (gap) => gaps.push(gap), ...options })
  const samples: EncodedSample[] = []
  const take = (item: { type: string }): void => {
    if (item.type === 'sample') samples.push(item as EncodedSample)
  }
  for (const item of items) transcoder.push(item, take)
  transcoder.flush(take)
  return { samples, stats: transcoder.stats, gaps }
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('end to end', () => {
  test.each(['plc', 'silence'] as const)('%s: frames and beeps stay where they were', async (concealment) => {
    const packets = await voipOpus(beeps(12), { bitrate: 48_000 })
    const whole = await transcode(samplesWithout(packets, 960, []), { concealment })
    const holes = [1, 2, 5, 9, 30].flatMap((length, index) => [
      { from: 60 + index * 100, to: 60 + index * 100 + length },
    ])
    const damaged = await transcode(samplesWithout(packets, 960, holes), { concealment })
    expect(damaged.samples.map(({ pts, duration }) => [pts, duration])).toEqual(
      whole.samples.map(({ pts, duration }) => [pts, duration]),
    )
    const [want] = decodeAac(whole.samples)
    const [got] = decodeAac(damaged.samples)
    expect(onsets(got!, 48_000).map((at) => Math.round(at / 48))).toEqual(
      onsets(want!, 48_000).map((at) => Math.round(at / 48)),
    )
    expect(lagOf(want!.subarray(4096), got!.subarray(4096))).toBe(0)
  })

  test('what was concealed is told: which time, how', async () => {
    const packets = await voipOpus(speech, { bitrate: 32_000, fec: true, packetLossPercent: 20 })
    // In its pauses a voice is not repeated.
    const holes = [1, 3, 20].map((length, index) => {
      let to = 100 * (index + 1)
      while (opusRedundantSamples(packets[to]!) === 0) to++
      return { from: to - length, to }
    })
    const { stats, gaps } = await transcode(samplesWithout(packets, 960, holes))
    const parts = [
      { lostPackets: 1, recoveredUs: 20_000, concealedUs: 0, silencedUs: 0 },
      { lostPackets: 3, recoveredUs: 20_000, concealedUs: 40_000, silencedUs: 0 },
      { lostPackets: 20, recoveredUs: 20_000, concealedUs: 120_000, silencedUs: 260_000 },
    ]
    expect(gaps).toEqual(
      holes.map(({ from, to }, index) => ({
        trackId: 'voice',
        startUs: from * 20_000,
        endUs: to * 20_000,
        ...parts[index],
      })),
    )
    const silencedSamples = 260 * 48
    expect(stats).toMatchObject({
      concealedSamples: { fec: 60 * 48, plc: 160 * 48 },
      silencedSamples,
      silenceSamples: silencedSamples,
      droppedSamples: 0,
      slewedSamples: 0,
    })
    const silent = await transcode(samplesWithout(packets, 960, holes), { concealment: 'silence' })
    expect(silent.stats).toMatchObject({
      concealedSamples: { fec: 0, plc: 0 },
      silencedSamples: 24 * 960,
      silenceSamples: 24 * 960,
    })
    expect(silent.gaps.map(({ silencedUs }) => silencedUs)).toEqual([2e4, 6e4, 4e5])
  })

  test('a pause of the sender stays one, also where a packet was lost in it', async () => {
    const packets = await voipOpus(speech)
    const samples = samplesWithout(packets, 960, []).map((sample, index) =>
      index < 100 ? sample : { ...sample, pts: sample.pts + 24_000, dts: sample.dts + 24_000 },
    )
    const pause = await transcode(samples)
    expect(pause.stats).toMatchObject({ concealedSamples: { fec: 0, plc: 0 }, silenceSamples: 24_000 })
    expect(pause.gaps).toEqual([])
    samples[100] = { ...samples[100]!, lostPackets: 1, discontinuity: true }
    const both = await transcode(samples)
    expect(both.stats).toMatchObject({
      concealedSamples: { fec: 0, plc: 960 },
      silenceSamples: 23_040,
      silencedSamples: 0,
    })
    expect(both.stats.samplesOut).toBe(packets.length * 960 + 24_000)
  })

  test('where the silence was already promised, only what is repeated comes back', async () => {
    const packets = await voipOpus(speech, { fec: true, packetLossPercent: 20 })
    const transcoder = await createAacTranscoder({ track: opus })
    const samples = samplesWithout(packets, 960, [{ from: 100, to: 110 }])
    for (const sample of samples.slice(0, 100)) transcoder.push(sample, () => {})
    transcoder.push({ type: 'watermark', trackId: 'voice', dts: 105 * 960 }, () => {})
    for (const sample of samples.slice(100)) transcoder.push(sample, () => {})
    transcoder.flush(() => {})
    expect(transcoder.stats).toMatchObject({
      concealedSamples: { fec: 960, plc: 0 },
      silencedSamples: 9 * 960,
      samplesOut: packets.length * 960,
    })
  })

  test.each(['burst-loss', 'lossy'])('%s: every loss is concealed, and nothing else', async (take) => {
    const samples = samplesOf(opusPacketsOf(take), 'voice')
    const { stats, gaps } = await transcode(samples)
    const lost = samples.reduce((sum, { lostPackets = 0 }) => sum + lostPackets, 0)
    expect(lost).toBeGreaterThan(5)
    expect(gaps.reduce((sum, { lostPackets }) => sum + lostPackets, 0)).toBe(lost)
    const { concealedSamples, silencedSamples } = stats
    expect(concealedSamples.plc + concealedSamples.fec + silencedSamples).toBe(lost * 960)
    expect(stats).toMatchObject({ droppedSamples: 0, slewedSamples: 0 })
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('telephones', () => {
  test.each([
    ['pcmu', 8_000, 48_000, 'plc'],
    ['pcmu', 8_000, 44_100, 'plc'],
    ['pcma', 8_000, 48_000, 'silence'],
    ['g722', 16_000, 48_000, 'plc'],
    ['g722', 16_000, 44_100, 'silence'],
  ] as const)(
    '%s (%i Hz) at %i Hz, %s: beeps where they belong, with loss too',
    async (codec, rate, sampleRate, mode) => {
      const track: AudioTrack = { id: 'voice', kind: 'audio', codec, clockRate: 8_000 }
      const sound = Float32Array.from({ length: rate * 10 }, (_, index) => {
        const gain = index % rate < rate / 10 ? 0.5 : 0.02
        return gain * Math.sin((2 * Math.PI * 500 * index) / rate)
      })
      const packets = encodeTelephone(codec, sound)
      const holes = [1, 2, 5, 30].map((length, index) => ({ from: 65 + index * 100, to: 65 + index * 100 + length }))
      for (const lost of [[], holes]) {
        const samples = samplesWithout(packets, 160, lost).map((sample) => ({
          ...sample,
          pts: sample.pts + 8_000,
          dts: sample.dts + 8_000,
        }))
        const out = await transcode(samples, { track, sampleRate, concealment: mode })
        expect(out.samples.map(({ pts }) => pts)).toEqual(out.samples.map((_, index) => sampleRate + index * 1024))
        expect(out.samples.at(-1)!.pts + out.samples.at(-1)!.duration! - sampleRate).toBe(
          packets.length * (sampleRate / 50),
        )
        const [got] = decodeAac(out.samples)
        const filterDelay = codec === 'g722' ? 22 / 16_000 : 0
        // The first one falls into the run-up of the encoder.
        const found = onsets(got!, sampleRate)
          .map((at) => at / sampleRate - filterDelay)
          .filter((at) => at > 0.5)
        expect(found.length).toBeGreaterThanOrEqual(8)
        // The level is reached within a quarter of the tone's period.
        for (const at of found) expect(Math.abs(at - Math.round(at) - 0.0005)).toBeLessThan(0.0012)
        const { concealedSamples, silencedSamples } = out.stats
        const lostSamples = lost.reduce((sum, { from, to }) => sum + to - from, 0) * (rate / 50)
        expect(concealedSamples.plc + silencedSamples).toBe(lostSamples)
        expect(concealedSamples.plc).toBe(mode === 'plc' && lost.length > 0 ? (rate / 50) * (1 + 2 + 3 + 3) : 0)
      }
    },
  )

  test.each([-500, 500])('a clock that is %i ppm off is followed', async (ppm) => {
    const track: AudioTrack = { id: 'voice', kind: 'audio', codec: 'pcmu', clockRate: 8_000 }
    const packets = encodeTelephone('pcmu', voice(10, 8_000))
    const samples = samplesWithout(packets, 160, []).map((sample) => {
      const pts = Math.round(sample.pts * (1 + ppm / 1e6))
      return { ...sample, pts, dts: pts }
    })
    const { stats } = await transcode(samples, { track })
    expect(stats).toMatchObject({ silenceSamples: 0, droppedSamples: 0 })
    expect(Math.abs(stats.slewedSamples - 40)).toBeLessThanOrEqual(2)
    expect(stats.maxOffset).toBeLessThanOrEqual(2)
  })
})
