import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type AudioTrack,
  ConfigurationError,
  type EncodedSample,
  rescale,
  type TimedItem,
  toStream,
} from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { type AacTranscoderOptions, type AudioTranscoder, createAacTranscoder } from '../src/index.js'
import { beeps, encodeOpus, samplesAt } from './opus-source.js'
import { decodeAac, decodeOpus, hasFfmpeg, lagOf, onsets, peak, snr } from './sound.js'
import { opusPacketsOf, samplesOf } from './take.js'

const track: AudioTrack = {
  id: 'voice',
  kind: 'audio',
  codec: 'opus',
  clockRate: 48_000,
  channels: 2,
  participantId: 'alice',
}

async function transcode(
  items: readonly TimedItem[],
  options: Partial<AacTranscoderOptions> = {},
): Promise<{ samples: EncodedSample[]; items: TimedItem[]; transcoder: AudioTranscoder }> {
  const transcoder = await createAacTranscoder({ track, ...options })
  const out: TimedItem[] = []
  for (const item of items) transcoder.push(item, (emitted) => out.push(emitted))
  transcoder.flush((emitted) => out.push(emitted))
  return { samples: out.filter((item) => item.type === 'sample'), items: out, transcoder }
}

/** Frames follow each other without a hole, and all but the last are full. */
function expectContinuous(samples: readonly EncodedSample[], first: number, end: number): void {
  expect(samples.map(({ pts }) => pts)).toEqual(samples.map((_, index) => first + index * 1024))
  expect(samples.every(({ pts, dts, keyframe }) => pts === dts && keyframe)).toBe(true)
  expect(samples.slice(0, -1).every(({ duration }) => duration === 1024)).toBe(true)
  expect(samples.at(-1)!.pts + samples.at(-1)!.duration!).toBe(end)
  expect(samples.filter(({ configuration }) => configuration !== undefined)).toEqual([samples[0]])
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('real calls', () => {
  test.each([
    ['solo', 'alice-audio', 48_000],
    ['solo', 'alice-audio', 44_100],
    ['meeting3', 'bob-audio', 48_000],
    ['meeting3', 'carol-audio', 44_100],
    ['mutes', 'alice-audio', 48_000],
    ['mutes', 'alice-audio', 44_100],
    ['burst-loss', 'alice-audio', 48_000],
    ['lossy', 'alice-audio', 48_000],
    ['rejoin', 'bob-audio-2', 48_000],
  ] as const)('%s (%s) at %i Hz: not a sample off', async (take, file, sampleRate) => {
    const start = 1_234_567
    const opus = samplesOf(opusPacketsOf(take, file), track.id, start)
    const { samples, transcoder } = await transcode(opus, { sampleRate })
    const first = rescale(start, 48_000, sampleRate)
    const length = opus.at(-1)!.pts + 960 - start
    expectContinuous(samples, first, first + rescale(length, 48_000, sampleRate))
    expect(transcoder.stats).toMatchObject({
      decodeErrors: 0,
      droppedSamples: 0,
      slewedSamples: 0,
      maxOffset: 0,
      samplesOut: length,
    })

    const [want] = decodeOpus(opus)
    const [got] = decodeAac(samples)
    const wanted = onsets(want!, 48_000).map((at) => at * (sampleRate / 48_000))
    const beepsFound = onsets(got!, sampleRate)
    // The first beep may fall into the run-up of the encoder.
    const pairs = wanted
      .filter((at) => at > 2048)
      .map((at) => [at, beepsFound.find((found) => Math.abs(found - at) < 200)] as const)
    expect(pairs.length).toBeGreaterThan(4)
    if (sampleRate === 48_000) {
      expect(lagOf(want!.subarray(2048), got!.subarray(2048))).toBe(0)
      expect(snr(want!.subarray(2048), got!.subarray(2048))).toBeGreaterThan(15)
    }
    // The coder's noise moves the crossing of a level, the sound does not move: on average it is a sample at most.
    const offsets = pairs.map(([at, found]) => (found ?? Number.NaN) - at).sort((a, b) => a - b)
    expect(Math.abs(offsets[Math.floor(offsets.length / 2)]!)).toBeLessThanOrEqual(1)
  })

  test('where nothing was sent there is nothing: DTX and the microphone that was off', async () => {
    const opus = samplesOf(opusPacketsOf('mutes'), track.id)
    const { samples, transcoder } = await transcode(opus)
    const [got] = decodeAac(samples)
    let holes = 0
    for (let index = 1; index < opus.length; index++) {
      const from = opus[index - 1]!.pts + 960
      const to = opus[index]!.pts
      if (to - from < 4096) continue
      holes += to - from
      // An AAC frame reaches a frame beyond its own time.
      expect(peak(got!, from + 2048, to - 2048)).toBeLessThan(1e-6)
    }
    expect(holes).toBeGreaterThan(48_000 * 3)
    expect(transcoder.stats.silenceSamples).toBeGreaterThanOrEqual(holes)
  })
})

describe.skipIf(!hasFfmpeg && !process.env['CI'])('synthetic sounds', () => {
  const mono = encodeOpus([beeps(8)])

  test.each(['aac', 'libfdk_aac'] as const)(
    '%s: not a sample off, in stereo with the channels apart',
    async (encoder) => {
      const stereo = samplesAt(encodeOpus([beeps(5, 700), beeps(5, 1900)]), (index) => 77 + index * 960)
      const { samples, transcoder } = await transcode(stereo, { encoder })
      expect(samples[0]!.configuration).toMatchObject({ codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 })
      expect(transcoder.track).toMatchObject({
        id: 'voice',
        codec: 'aac',
        clockRate: 48_000,
        timescale: 48_000,
        channels: 2,
        participantId: 'alice',
      })
      expectContinuous(samples, 77, 77 + stereo.length * 960)
      const want = decodeOpus(stereo, 2)
      const got = decodeAac(samples)
      for (const channel of [0, 1]) {
        expect(lagOf(want[channel]!.subarray(3000), got[channel]!.subarray(3000))).toBe(0)
        expect(snr(want[channel]!.subarray(3000), got[channel]!.subarray(3000))).toBeGreaterThan(15)
      }
      expect(snr(want[0]!.subarray(3000), got[1]!.subarray(3000))).toBeLessThan(3)
    },
  )

  test.each([-500, -37, 100, 500])(
    'a clock that is %i ppm off is followed: beeps where they belong, no clicks',
    async (ppm) => {
      const rate = 1 + ppm / 1e6
      const { samples, transcoder } = await transcode(samplesAt(mono, (index) => Math.round(index * 960 * rate)))
      const { silenceSamples, droppedSamples, slewedSamples, maxOffset } = transcoder.stats
      expect({ silenceSamples, droppedSamples }).toEqual({ silenceSamples: 0, droppedSamples: 0 })
      expect(Math.abs(slewedSamples - mono.length * 960 * Math.abs(rate - 1))).toBeLessThanOrEqual(2)
      expect(maxOffset).toBeLessThanOrEqual(2)
      const [want] = decodeOpus(samplesAt(mono, (index) => index * 960))
      const [got] = decodeAac(samples)
      // In windows around each second: so much later as the clock has drifted by then.
      for (let second = 1; second < 7; second++) {
        const at = second * 48_000 - 2200
        const lag = lagOf(want!.subarray(at, at + 9000), got!.subarray(at, at + 9000), 200)
        expect(Math.abs(lag - second * 48_000 * (rate - 1))).toBeLessThanOrEqual(3)
      }
    },
  )

  test('a small step is worked off by ear-proof slewing, a large one is silence or dropped', async () => {
    const step = (ticks: number): Promise<AudioTranscoder['stats']> =>
      transcode(samplesAt(mono, (index) => index * 960 + (index < 100 ? 0 : ticks))).then(
        ({ transcoder }) => transcoder.stats,
      )
    expect(await step(300)).toMatchObject({ silenceSamples: 0, droppedSamples: 0, slewedSamples: 300, maxOffset: 300 })
    expect(await step(-300)).toMatchObject({ silenceSamples: 0, droppedSamples: 0, slewedSamples: 300 })
    expect(await step(24_000)).toMatchObject({ silenceSamples: 24_000, droppedSamples: 0, slewedSamples: 0 })
    expect(await step(-24_000)).toMatchObject({ silenceSamples: 0, droppedSamples: 24_000, slewedSamples: 0 })
  })

  test('a hole of ten minutes costs neither memory nor time, and ends at its sample', async () => {
    const hole = 600 * 48_000
    const opus = samplesAt(mono, (index) => index * 960 + (index < 200 ? 0 : hole))
    const transcoder = await createAacTranscoder({ track })
    const samples: EncodedSample[] = []
    const emit = (item: TimedItem): void => {
      if (item.type === 'sample') samples.push(item)
    }
    for (const sample of opus.slice(0, 200)) transcoder.push(sample, emit)
    const { arrayBuffers, external } = process.memoryUsage()
    const began = performance.now()
    transcoder.push(opus[200]!, emit)
    expect(performance.now() - began).toBeLessThan(3000)
    const now = process.memoryUsage()
    // 115 MB of sound as floats; what is held is the frames that came out.
    expect(now.arrayBuffers + now.external - arrayBuffers - external).toBeLessThan(30_000_000)
    for (const sample of opus.slice(201)) transcoder.push(sample, emit)
    transcoder.flush(emit)
    expectContinuous(samples, 0, hole + mono.length * 960)
    expect(transcoder.stats).toMatchObject({ silenceSamples: hole, decoderResets: 1 })
    // The sound after it: decoded from a little before, as a player that seeks does.
    const from = Math.floor((hole + 200 * 960) / 1024) - 20
    const configuration = samples[0]!.configuration!
    const [got] = decodeAac([{ ...samples[from]!, configuration }, ...samples.slice(from + 1)])
    const [want] = decodeOpus(opus.slice(200))
    const offset = hole + 200 * 960 - from * 1024
    expect(peak(got!, 2048, offset - 1024)).toBeLessThan(1e-6)
    expect(lagOf(want!.subarray(2000), got!.subarray(offset + 2000))).toBe(0)
  })

  test('the cut into silence does not click', async () => {
    const loud = encodeOpus([Float32Array.from({ length: 96_000 }, (_, index) => 0.5 * Math.sin(index * 0.01))])
    const { samples } = await transcode(samplesAt(loud, (index) => index * 960 + (index < 50 ? 0 : 48_000)))
    const [got] = decodeAac(samples)
    let worst = 0
    for (let index = 40_000; index < 100_000; index++)
      worst = Math.max(worst, Math.abs(got![index]! - got![index - 1]!))
    // The tone itself moves by 0.005; an unfaded cut would be up to 0.5.
    expect(worst).toBeLessThan(0.05)
  })
})

describe('items', () => {
  const packets = encodeOpus([beeps(2)])
  const at = (index: number): number => 96_000 + index * 960

  test('a late join starts at its own time, and its watermarks pass before it', async () => {
    const { items } = await transcode(
      [{ type: 'watermark', trackId: 'voice', dts: 48_000 }, ...samplesAt(packets, at)],
      { sampleRate: 44_100 },
    )
    expect(items[0]).toEqual({ type: 'watermark', trackId: 'voice', dts: 44_100 })
    expect(items[1]).toMatchObject({ type: 'sample', pts: 88_200 })
  })

  test('a silence flows while it lasts, and every promise is kept', async () => {
    const transcoder = await createAacTranscoder({ track })
    const out: TimedItem[] = []
    const emit = (item: TimedItem): void => void out.push(item)
    for (const sample of samplesAt(packets.slice(0, 50), at)) transcoder.push(sample, emit)
    const before = out.length
    for (let second = 1; second <= 5; second++) {
      transcoder.push({ type: 'watermark', trackId: 'voice', dts: at(50) + second * 48_000 }, emit)
    }
    expect(out.length - before).toBeGreaterThan(5 * 46)
    // A second of silence is out, but for what the encoder and the fade hold back.
    const lag = at(50) + 5 * 48_000 - out.findLast((item) => item.type === 'watermark')!.dts
    expect(lag).toBeLessThan(4 * 1024)
    for (const sample of samplesAt(packets.slice(50), (index) => at(50) + 6 * 48_000 + index * 960))
      transcoder.push(sample, emit)
    transcoder.push({ type: 'track-end', trackId: 'voice' }, emit)
    transcoder.flush(emit)
    let promised = Number.NEGATIVE_INFINITY
    for (const item of out) {
      if (item.type === 'track-end') continue
      expect(item.dts).toBeGreaterThanOrEqual(promised)
      promised = item.type === 'watermark' ? item.dts : item.dts + 1024
    }
    expect(out.filter(({ type }) => type === 'track-end')).toHaveLength(1)
    expect(out.at(-1)).toEqual({ type: 'track-end', trackId: 'voice' })
    expect(transcoder.stats.silenceSamples).toBe(6 * 48_000)
  })

  test('an empty track ends without a frame', async () => {
    const { items } = await transcode([{ type: 'track-end', trackId: 'voice' }], { untilUs: 5_000_000 })
    expect(items).toEqual([{ type: 'track-end', trackId: 'voice' }])
  })

  test('untilUs fills up with silence, or cuts', async () => {
    const until = async (untilUs: number): Promise<EncodedSample[]> =>
      (await transcode(samplesAt(packets, at), { untilUs })).samples
    expectContinuous(await until(10_000_000), 96_000, 480_000)
    expectContinuous(await until(3_000_010), 96_000, 144_000)
  })

  test('garbage is counted, is concealed like a loss, and nothing breaks', async () => {
    let seed = 7
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return seed >>> 8
    }
    const garbage = Array.from({ length: 3000 }, () => Uint8Array.from({ length: random() % 200 }, random))
    const mixed = [...packets.slice(0, 20), ...garbage, ...packets.slice(20)]
    const { samples, transcoder } = await transcode(samplesAt(mixed, at))
    const { decodeErrors, packetsIn } = transcoder.stats
    expect(decodeErrors).toBeGreaterThan(1000)
    expect(packetsIn).toBe(mixed.length)
    expectContinuous(samples, 96_000, samples.at(-1)!.pts + samples.at(-1)!.duration!)
    const truncated = samplesAt(packets, at).map((sample, index) => (index === 30 ? { ...sample, data: [] } : sample))
    const { transcoder: second } = await transcode(truncated)
    const concealedSamples = { fec: 0, plc: 960 }
    expect(second.stats).toMatchObject({ decodeErrors: 1, concealedSamples, samplesOut: packets.length * 960 })
    const { transcoder: third } = await transcode(truncated, { concealment: 'silence' })
    expect(third.stats).toMatchObject({ decodeErrors: 1, silenceSamples: 960, samplesOut: packets.length * 960 })
  })

  test('a new source in the same track starts a new decoder', async () => {
    const samples = samplesAt(packets, at).map((sample, index) =>
      index === 40 ? { ...sample, discontinuity: true } : sample,
    )
    const { transcoder } = await transcode(samples)
    expect(transcoder.stats).toMatchObject({ decoderResets: 1, silenceSamples: 0, samplesOut: packets.length * 960 })
  })

  test('emitted frames are the receiver’s', async () => {
    const transcoder = await createAacTranscoder({ track })
    const kept: Uint8Array[] = []
    const copies: string[] = []
    for (const sample of samplesAt(packets, (index) => at(index) + (index < 50 ? 0 : 480_000))) {
      transcoder.push(sample, (item) => {
        if (item.type !== 'sample') return
        kept.push(item.data as Uint8Array)
        copies.push(Buffer.from(item.data as Uint8Array).toString('hex'))
      })
    }
    transcoder.close()
    expect(kept.map((data) => Buffer.from(data).toString('hex'))).toEqual(copies)
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(kept.length)
  })

  test('closing twice is fine, pushing afterwards is not', async () => {
    const transcoder = await createAacTranscoder({ track })
    const [sample] = samplesAt(packets, at)
    transcoder.push(sample!, () => {})
    transcoder.close()
    transcoder.close()
    expect(() => transcoder.push(sample!, () => {})).toThrow(expect.objectContaining({ code: 'CODECS_CLOSED' }))
  })

  test('works as a stream', async () => {
    const transcoder = await createAacTranscoder({ track })
    const out: TimedItem[] = []
    await pipeline(
      Readable.from(samplesAt(packets, at)),
      toStream(transcoder),
      async (items: AsyncIterable<TimedItem>) => {
        for await (const item of items) out.push(item)
      },
    )
    const direct = await transcode(samplesAt(packets, at))
    expect(out).toEqual(direct.items)
  })

  test.each([
    [{ track: { ...track, codec: 'aac' as const } }, 'track.codec'],
    [{ track: { ...track, clockRate: 16_000 } }, 'track.clockRate'],
    [{ track: { ...track, timescale: 90_000 } }, 'track.clockRate'],
    [{ sampleRate: 32_000 as 48_000 }, 'sampleRate'],
    [{ channels: 3 as 2 }, 'channels'],
    [{ bitRate: 5 }, 'bitRate'],
    [{ encoder: 'mp3' as 'aac' }, 'encoder'],
    [{ concealment: 'none' as 'plc' }, 'concealment'],
    [{ track: { ...track, codec: 'pcmu' as const } }, 'track.clockRate'],
    [{ track: { ...track, codec: 'g722' as const, clockRate: 8_000 } }, 'track.channels'],
    [{ untilUs: 1.5 }, 'untilUs'],
  ])('refuses %o', async (wrong, field) => {
    const failed = createAacTranscoder({ track, ...wrong })
    await expect(failed).rejects.toBeInstanceOf(ConfigurationError)
    await expect(failed).rejects.toMatchObject({ field })
  })
})

test('native memory does not grow', async () => {
  const packets = encodeOpus([beeps(10)])
  const transcoder = await createAacTranscoder({ track })
  const run = (from: number, to: number): void => {
    for (let index = from; index < to; index++) {
      const pts = index * 960
      const sample: EncodedSample = {
        type: 'sample',
        trackId: 'voice',
        data: packets[index % 500]!,
        pts,
        dts: pts,
        keyframe: true,
      }
      transcoder.push(sample, () => {})
    }
  }
  run(0, 1500)
  const { rss } = process.memoryUsage()
  // Two minutes of sound without a turn of the event loop.
  run(1500, 7500)
  expect(process.memoryUsage().rss - rss).toBeLessThan(40_000_000)
  transcoder.close()
})
