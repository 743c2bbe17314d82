import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AudioTrack } from '@rushes/media'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createDepacketizer,
  type RtpPacketFields,
  SampleDepacketizer,
  serializeRtpPacket,
  Timeline,
} from '../src/index.js'
import { audioFramesOf, collect } from './collect.js'
import { ffmpeg, hasEncoders, launch, packetSink, readPackets, receiveFromFfmpeg } from './encoder-processes.js'

const CODECS = ['pcmu', 'pcma', 'g722'] as const
const PAYLOAD_TYPES = { pcmu: 0, pcma: 8, g722: 9 }

function trackOf(codec: (typeof CODECS)[number], more: Partial<AudioTrack> = {}): AudioTrack {
  return { id: 'phone', kind: 'audio', codec, clockRate: 8000, ...more }
}

function packet(sequenceNumber: number, fields: Partial<RtpPacketFields> = {}): Uint8Array {
  const payload = new Uint8Array(160).fill(sequenceNumber)
  return serializeRtpPacket({
    payloadType: 0,
    sequenceNumber,
    rtpTimestamp: sequenceNumber * 160,
    ssrc: 7,
    payload,
    ...fields,
  })
}

test.each([
  ['pcmu', 'ulaw', 8000],
  ['pcma', 'alaw', 8000],
  ['g722', 'g722', 16_000],
] as const)('%s: each packet is a frame, of its length in ticks', (codec, codecString, sampleRate) => {
  const depacketizer = createDepacketizer(trackOf(codec))
  const payloadType = PAYLOAD_TYPES[codec]
  const inputs = [160, 240, 1, 1400].map((length, i) =>
    packet(i, {
      payloadType,
      marker: i === 0,
      payload: new Uint8Array(length).fill(i),
      rtpTimestamp: [0, 160, 400, 401][i]!,
    }),
  )
  const frames = audioFramesOf(
    collect(
      depacketizer,
      inputs.map((data, i) => ({ data, arrivalUs: i * 1000 })),
    ),
  )
  expect(frames.map(({ duration, rtpTimestamp }) => [rtpTimestamp, duration])).toEqual([
    [0, 160],
    [160, 240],
    [400, 1],
    [401, 1400],
  ])
  expect(frames[0]).toEqual({
    type: 'audio-frame',
    trackId: 'phone',
    epoch: 0,
    data: new Uint8Array(160),
    clockRate: 8000,
    rtpTimestamp: 0,
    arrivalUs: 0,
    marker: true,
    duration: 160,
    lossBefore: false,
    configuration: { kind: 'audio', codec, codecString, sampleRate, channels: 1 },
  })
  expect(frames.slice(1).some(({ configuration }) => configuration !== undefined)).toBe(false)
})

test('comfort noise and telephone events are of other payload types: they are counted, and are no loss', () => {
  const depacketizer = new SampleDepacketizer(trackOf('pcmu'))
  const inputs = [
    packet(0),
    packet(1, { payloadType: 13, payload: Uint8Array.of(40) }),
    packet(2, { payloadType: 101, payload: Uint8Array.of(1, 0x80, 0, 160) }),
    packet(3),
  ]
  const frames = audioFramesOf(collect(depacketizer, inputs))
  expect(frames.map(({ rtpTimestamp, lossBefore }) => [rtpTimestamp, lossBefore])).toEqual([
    [0, false],
    [480, false],
  ])
  expect(depacketizer.stats).toMatchObject({ foreignPayloadType: 2, lost: 0, frames: 2, epochs: 1 })
})

test('a payload type that was negotiated goes before the static one', () => {
  const depacketizer = new SampleDepacketizer(trackOf('pcma', { payloadType: 97 }))
  expect(
    audioFramesOf(collect(depacketizer, [packet(0, { payloadType: 8 }), packet(1, { payloadType: 97 })])),
  ).toHaveLength(1)
})

test('what is missing is told; what silence leaves out is not missing', () => {
  const frames = audioFramesOf(
    collect(new SampleDepacketizer(trackOf('pcmu')), [
      packet(0),
      packet(3),
      packet(4, { rtpTimestamp: 16_000, marker: true }),
    ]),
  )
  expect(frames.map(({ lossBefore, lostPackets }) => [lossBefore, lostPackets])).toEqual([
    [false, undefined],
    [true, 2],
    [false, undefined],
  ])
})

test('a restart is a new epoch, without loss', () => {
  const inputs = [packet(0), packet(1), packet(9000, { ssrc: 8 }), packet(9001, { ssrc: 8 })]
  const frames = audioFramesOf(collect(new SampleDepacketizer(trackOf('pcmu')), inputs))
  expect(frames.map(({ epoch, lossBefore }) => [epoch, lossBefore])).toEqual([
    [0, false],
    [0, false],
    [1, false],
    [1, false],
  ])
})

test.each<[string, Partial<AudioTrack>, string]>([
  ['another codec', { codec: 'opus' }, 'track.codec'],
  ['another clock rate', { clockRate: 16_000 }, 'track.clockRate'],
  ['two channels', { channels: 2 }, 'track.channels'],
])('%s is refused', (_, more, field) => {
  expect(() => new SampleDepacketizer(trackOf('g722', more))).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIGURATION', field }),
  )
})

test('reordered, duplicated and thinned out, what comes out is what came, in order, with every loss told', () => {
  const property = fc.property(
    fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 400 }), kept: fc.nat(5), delay: fc.nat(12), twice: fc.nat(5) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    ),
    fc.constantFrom(0, 65_510),
    (specs, first) => {
      let time = 0
      const sent = specs.map(({ length, ...rest }, index) => {
        const bytes = packet(first + index, { rtpTimestamp: time, payload: new Uint8Array(length).fill(index) })
        time += length
        return { ...rest, length, index, bytes, rtpTimestamp: time - length }
      })
      const kept = sent.filter(({ kept: roll }) => roll > 0)
      const arrivals = kept.flatMap((each) => {
        const at = each.index + each.delay
        return each.twice === 0
          ? [
              { at, each },
              { at: at + 5, each },
            ]
          : [{ at, each }]
      })
      arrivals.sort((a, b) => a.at - b.at)
      const depacketizer = new SampleDepacketizer(trackOf('pcmu'))
      const frames = audioFramesOf(
        collect(
          depacketizer,
          arrivals.map(({ each }) => each.bytes),
        ),
      )
      expect(frames.map(({ data, duration }) => [data[0], data.byteLength, duration])).toEqual(
        kept.map(({ index, length }) => [index, length, length]),
      )
      const origin = frames[0]?.rtpTimestamp ?? 0
      for (const [i, { index, rtpTimestamp }] of kept.entries()) {
        const gap = i === 0 ? 0 : index - kept[i - 1]!.index - 1
        expect(frames[i]!.lostPackets ?? 0).toBe(gap)
        expect(frames[i]!.rtpTimestamp - origin).toBe(rtpTimestamp - kept[0]!.rtpTimestamp)
      }
    },
  )
  fc.assert(property)
})

test('random packets never throw', () => {
  const property = fc.property(
    fc.constantFrom(...CODECS),
    fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }),
    (codec, inputs) => {
      const depacketizer = new SampleDepacketizer(trackOf(codec))
      for (const { duration, data } of audioFramesOf(collect(depacketizer, inputs)))
        expect(duration).toBe(data.byteLength)
      expect(depacketizer.stats.packets + depacketizer.stats.rtcpPackets).toBe(inputs.length)
    },
  )
  fc.assert(property)
})

describe.skipIf(!hasEncoders && !process.env['CI'])('encoders', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rtp-audio-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Continuous in recording time: each frame begins where the one before ends. */
  function expectContinuous(track: AudioTrack, inputs: readonly Uint8Array[]): Buffer {
    const depacketizer = new SampleDepacketizer(track)
    const items = collect(depacketizer, inputs)
    const frames = audioFramesOf(items)
    expect(depacketizer.stats).toMatchObject({ lost: 0, foreignPayloadType: 0, epochs: 1 })
    for (let i = 1; i < frames.length; i++) {
      expect(frames[i]!.rtpTimestamp).toBe(frames[i - 1]!.rtpTimestamp + frames[i - 1]!.duration)
    }
    const timeline = new Timeline()
    let samples = 0
    for (const item of items) timeline.push(item, (out) => void (out.type === 'sample' && samples++))
    expect(samples).toBe(frames.length)
    return Buffer.concat(frames.map(({ data }) => data))
  }

  test.each([
    ['pcmu', 'mulawenc', 'rtppcmupay', 8000],
    ['pcma', 'alawenc', 'rtppcmapay min-ptime=40000000 max-ptime=40000000', 8000],
    ['g722', 'avenc_g722', 'rtpg722pay', 16_000],
  ] as const)('GStreamer %s: the bytes that the encoder made', (codec, encoder, payloader, rate) => {
    const [direct, sent] = [join(folder, `${codec}.raw`), join(folder, `${codec}.rtp`)]
    launch(
      `audiotestsrc num-buffers=50 samplesperbuffer=${rate / 50} ! audio/x-raw,rate=${rate},channels=1 ! ${encoder} ! tee name=t
       t. ! queue ! filesink buffer-mode=unbuffered location=${direct} t. ! queue ! ${payloader} ! ${packetSink(sent)}`,
    )
    const bytes = expectContinuous(trackOf(codec), readPackets(sent))
    // One second of 64 kbit/s. A payloader may keep an incomplete last packet.
    expect(bytes.byteLength).toBeGreaterThan(7600)
    expect(bytes).toEqual(readFileSync(direct).subarray(0, bytes.byteLength))
  })

  test.each([
    ['pcmu', 'pcm_mulaw', 'mulaw', 8000],
    ['pcma', 'pcm_alaw', 'alaw', 8000],
    ['g722', 'g722', 'g722', 16_000],
  ] as const)('ffmpeg %s: the bytes that the encoder made', async (codec, encoder, format, rate) => {
    const source = [
      '-f',
      'lavfi',
      '-i',
      `sine=frequency=440:sample_rate=${rate}:duration=1`,
      '-c:a',
      encoder,
      '-ac',
      '1',
    ]
    const direct = ffmpeg(...source, '-f', format, '-')
    expect(expectContinuous(trackOf(codec), await receiveFromFfmpeg(...source))).toEqual(direct)
  })
})
