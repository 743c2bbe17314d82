import { NalUnitType, nalUnitTypeOf, splitAnnexB } from '@rushes/bitstream'
import { ConfigurationError, type EncodedSample, type Track } from '@rushes/media'
import { checkTransportStream, formatFindings, readTransportStream } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { TsMuxer, type TsMuxerStats } from '../src/index.js'
import { aacConfiguration } from './aac-configuration.js'
import { muxAll } from './mux-all.js'
import { demuxWithMuxJs } from './mux-js.js'

const camera: Track = { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }
const sound: Track = { id: 'a', kind: 'audio', codec: 'aac', clockRate: 48_000 }

// 1280x720 from x264, High, two frames of reordering.
const SPS = Buffer.from('6764001facd9405005bb01100000030010000003' + '03c0f1831960', 'hex')
const PPS = Buffer.from('68ebecb22c', 'hex')
const PPS_1 = Buffer.from('685b6c8b', 'hex') // id 1
const SEI = Buffer.of(6, 5, 1, 0x42, 0x80)
const AUD = Buffer.of(9, 0x10)
const IDR = Buffer.of(0x65, 0x88, 0x84, 0x3f, 1, 2, 3)
const IDR_2 = Buffer.of(0x65, 0x02, 0x88, 0x88, 0x43, 0xff, 4, 5, 6) // the same picture from macroblock 80 on
const P = Buffer.of(0x41, 0x9a, 0x24, 0x3f, 7, 8)

const configuration = {
  kind: 'video',
  codec: 'h264',
  codecString: 'avc1.64001f',
  width: 1280,
  height: 720,
  rotation: 0,
  reorderDepth: 2,
  parameterSets: { sps: [SPS], pps: [PPS] },
} as const

function picture(dts: number, nalUnits: readonly Uint8Array[], more: Partial<EncodedSample> = {}): EncodedSample {
  const keyframe = nalUnits.some((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.idrSlice)
  return { type: 'sample', trackId: 'v', data: nalUnits, pts: dts, dts, keyframe, ...more }
}
function frame(dts: number, more: Partial<EncodedSample> = {}): EncodedSample {
  return { type: 'sample', trackId: 'a', data: Buffer.alloc(100, 7), pts: dts, dts, keyframe: true, ...more }
}
const firstFrame = (dts: number): EncodedSample => frame(dts, { configuration: aacConfiguration(48_000, 2) })

/** NAL unit types of each access unit, as mux.js gives them. */
function typesOf(bytes: Buffer): number[][] {
  return demuxWithMuxJs(bytes).map(({ data }) => splitAnnexB(data).map(nalUnitTypeOf))
}
/** Milliseconds of each PCR by the stream's clock. */
function pcrsOf(bytes: Buffer): number[] {
  return readTransportStream(bytes).pcrs.map(({ pcr27m }) => Math.round(pcr27m / 27_000))
}

describe('access units', () => {
  it.each<[string, Uint8Array[], number[], Partial<TsMuxerStats>]>([
    ['nothing but the slice', [IDR], [9, 7, 8, 5], { insertedAccessUnitDelimiters: 1, insertedParameterSets: 2 }],
    [
      'complete',
      [AUD, SPS, PPS, SEI, IDR],
      [9, 7, 8, 6, 5],
      { insertedAccessUnitDelimiters: 0, insertedParameterSets: 0 },
    ],
    ['SEI first', [SEI, IDR], [9, 7, 8, 6, 5], { insertedParameterSets: 2 }],
    ['SPS without PPS', [SPS, SEI, IDR], [9, 7, 6, 8, 5], { insertedParameterSets: 1 }],
    ['PPS without SPS', [PPS, IDR], [9, 7, 8, 5], { insertedParameterSets: 1 }],
    [
      'parameter sets between slices',
      [IDR, SPS, PPS, IDR_2],
      [9, 7, 8, 5, 5],
      { movedNalUnits: 2, insertedParameterSets: 0 },
    ],
    ['parameter sets behind the slices', [IDR, IDR_2, SPS, PPS], [9, 7, 8, 5, 5], { movedNalUnits: 2 }],
    ['SEI between slices', [SPS, PPS, IDR, SEI, IDR_2], [9, 7, 8, 6, 5, 5], { movedNalUnits: 1 }],
    ['two delimiters', [AUD, AUD, SPS, PPS, IDR], [9, 7, 8, 5], { droppedAccessUnitDelimiters: 1 }],
    ['a delimiter that is not first', [SPS, PPS, AUD, IDR], [9, 7, 8, 5], { droppedAccessUnitDelimiters: 0 }],
    ['a delimiter between slices', [SPS, PPS, IDR, AUD, IDR_2], [9, 7, 8, 5, 5], { droppedAccessUnitDelimiters: 0 }],
    [
      'a malformed delimiter',
      [Buffer.of(9), SPS, PPS, IDR],
      [9, 7, 8, 5],
      { insertedAccessUnitDelimiters: 1, droppedAccessUnitDelimiters: 1 },
    ],
    ['empty NAL units', [SPS, new Uint8Array(0), PPS, IDR], [9, 7, 8, 5], {}],
    [
      'filler and end of sequence stay behind',
      [SPS, PPS, IDR, Buffer.of(12, 0x80), Buffer.of(10)],
      [9, 7, 8, 5, 12, 10],
      { movedNalUnits: 0 },
    ],
  ])('%s', (_, nalUnits, types, stats) => {
    const muxer = new TsMuxer([camera])
    const bytes = muxAll(muxer, [picture(0, nalUnits, { configuration })])
    expect(typesOf(bytes)).toEqual([types])
    expect(muxer.stats).toMatchObject(stats)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
  })

  it('a delimiter of its own allows every slice type; a good one is kept', () => {
    const bytes = muxAll(new TsMuxer([camera]), [picture(0, [IDR], { configuration }), picture(3000, [AUD, P])])
    const delimiters = demuxWithMuxJs(bytes).map(({ data }) => [...splitAnnexB(data)[0]!])
    expect(delimiters).toEqual([
      [9, 0xf0],
      [9, 0x10],
    ])
  })

  it('no parameter sets before a P picture', () => {
    const bytes = muxAll(new TsMuxer([camera]), [picture(0, [IDR], { configuration }), picture(3000, [P])])
    expect(typesOf(bytes)[1]).toEqual([9, 1])
  })

  it('remembers what came in-band, by id, until the next configuration', () => {
    const bytes = muxAll(new TsMuxer([camera]), [
      picture(0, [SPS, PPS, PPS_1, IDR]),
      picture(3000, [PPS_1, P]),
      picture(6000, [IDR]),
      picture(9000, [PPS_1, IDR]),
      picture(12_000, [IDR], { configuration }),
    ])
    expect(typesOf(bytes).slice(2)).toEqual([
      [9, 7, 8, 8, 5],
      [9, 7, 8, 8, 5],
      [9, 7, 8, 5],
    ])
  })

  it('reads pieces where there are some', () => {
    const pieces = [
      [SPS.subarray(0, 3), SPS.subarray(3)],
      [PPS],
      [IDR.subarray(0, 1), new Uint8Array(0), IDR.subarray(1)],
    ]
    const bytes = muxAll(new TsMuxer([camera]), [picture(0, [], { pieces, keyframe: true })])
    expect(demuxWithMuxJs(bytes).map(({ data }) => splitAnnexB(data).slice(1))).toEqual([
      [SPS, PPS, IDR].map((nalUnit) => new Uint8Array(nalUnit)),
    ])
  })
})

describe('PES', () => {
  // Behind the length come 8 bytes of header, and 49 of delimiter, parameter sets and start codes.
  it.each([
    ['a short picture tells its length', 100, 157],
    ['as long as it can be told', 65_478, 65_535],
    ['a longer one cannot', 65_479, 0],
    ['a huge one', 200_000, 0],
  ])('%s', (_, bytes, length) => {
    const slice = Buffer.concat([IDR, Buffer.alloc(bytes - IDR.byteLength, 0x55)])
    const out = muxAll(new TsMuxer([camera]), [picture(0, [slice], { configuration })])
    expect(out.readUInt16BE(out.indexOf(Buffer.of(0, 0, 1, 0xe0)) + 4)).toBe(length)
    expect(demuxWithMuxJs(out)[0]).toMatchObject({ dataAlignmentIndicator: true })
    expect(formatFindings(checkTransportStream(out))).toBe('')
  })

  // Every remainder of the last packet, so every length of stuffing, with and without the first packet being the last.
  it('stuffs every length', () => {
    for (let bytes = 8; bytes < 600; bytes++) {
      const slice = Buffer.concat([P, Buffer.alloc(bytes, 0x55)])
      const out = muxAll(new TsMuxer([camera]), [picture(0, [IDR], { configuration }), picture(1, [slice])])
      expect(formatFindings(checkTransportStream(out)), String(bytes)).toBe('')
      expect(splitAnnexB(demuxWithMuxJs(out)[1]!.data)[1]!.byteLength).toBe(slice.byteLength)
    }
  })

  it('times start at the offset, and where the origin is put', () => {
    const times = (options: object): number[] =>
      demuxWithMuxJs(
        muxAll(new TsMuxer([camera], options), [picture(270_000, [IDR], { pts: 273_000, configuration })]),
      ).flatMap(({ pts, dts }) => [pts, dts])
    expect(times({})).toEqual([1_173_000, 1_170_000])
    expect(times({ ptsOffset90k: 0 })).toEqual([273_000, 270_000])
    expect(times({ originUs: 3_000_000 })).toEqual([903_000, 900_000])
    expect(times({ originUs: 3_000_000, ptsOffset90k: 0 })).toEqual([3000, 0])
  })
})

describe('PCR', () => {
  it('goes 100 ms before the DTS, or as told', () => {
    expect(pcrsOf(muxAll(new TsMuxer([camera]), [picture(0, [IDR], { configuration })]))).toEqual([9_900])
    const late = new TsMuxer([camera], { pcrLeadMs: 0 })
    expect(pcrsOf(muxAll(late, [picture(0, [IDR], { configuration })]))).toEqual([10_000])
  })

  it('goes on by the sound while there is one picture a second', () => {
    const samples: EncodedSample[] = [picture(0, [IDR], { configuration }), firstFrame(0)]
    for (let i = 1; i < 140; i++) {
      if (i % 47 === 0) samples.push(picture(Math.round((i * 1024 * 90) / 48) - 1, [P]))
      samples.push(frame(i * 1024))
    }
    const muxer = new TsMuxer([camera, sound])
    const bytes = muxAll(muxer, samples)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(muxer.stats.pcrPackets).toBeGreaterThan(25)
  })

  it('fills a hole of three seconds in everything', () => {
    const bytes = muxAll(new TsMuxer([camera]), [
      picture(0, [IDR], { configuration }),
      picture(3000, [P]),
      picture(273_000, [P]),
    ])
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(pcrsOf(bytes)).toHaveLength(31)
  })

  it('marks a jump of over a minute instead of filling it', () => {
    const muxer = new TsMuxer([camera, sound])
    const bytes = muxAll(muxer, [
      picture(0, [IDR], { configuration }),
      firstFrame(0),
      frame(3600 * 48_000),
      picture(3600 * 90_000 + 900, [IDR]),
    ])
    expect(muxer.stats.pcrPackets).toBe(1)
    expect(pcrsOf(bytes)).toHaveLength(3)
    const marked = packetsOf(bytes).filter(
      (packet) => (packet[3]! & 0x20) !== 0 && packet[4]! > 0 && (packet[5]! & 0x80) !== 0,
    )
    expect(marked).toHaveLength(1)
    expect((marked[0]!.readUInt16BE(1) & 0x1fff).toString(16)).toBe('100')
  })

  it('is on the first sound track where there is no video', () => {
    const muxer = new TsMuxer([sound, { ...sound, id: 'b' }])
    const samples = [firstFrame(0), { ...firstFrame(10), trackId: 'b' }]
    for (let i = 1; i < 60; i++) samples.push(frame(i * 1024), frame(i * 1024 + 10, { trackId: 'b' }))
    const bytes = muxAll(muxer, samples)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(new Set(readTransportStream(bytes).pcrs.map(({ pid }) => pid))).toEqual(new Set([0x100]))
  })

  it('counts samples that come after their time, and never turns the clock back', () => {
    const muxer = new TsMuxer([camera, sound])
    const bytes = muxAll(muxer, [picture(90_000, [IDR], { configuration }), firstFrame(0), picture(93_000, [P])])
    expect(muxer.stats).toMatchObject({ samples: 3, lateSamples: 1 })
    const pcrs = readTransportStream(bytes).pcrs.map(({ pcr27m }) => pcr27m)
    expect(pcrs).toEqual([...pcrs].sort((a, b) => a - b))
  })
})

describe('tables', () => {
  const seconds = (count: number): EncodedSample[] =>
    Array.from({ length: count * 25 }, (_, i) =>
      picture(i * 3600, [i % 50 === 0 ? IDR : P], i === 0 ? { configuration } : {}),
    )

  it('at the start, at keyframes and twice a second', () => {
    const muxer = new TsMuxer([camera])
    const bytes = muxAll(muxer, seconds(4))
    expect(muxer.stats.tables).toBe(8)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
  })

  it('only at the start, if so told', () => {
    const muxer = new TsMuxer([camera], { tableIntervalMs: Number.POSITIVE_INFINITY })
    muxAll(muxer, seconds(4))
    expect(muxer.stats.tables).toBe(1)
  })

  it('a track that starts late brings a new version, and its own PID', () => {
    const muxer = new TsMuxer([sound])
    const before = muxAll(muxer, [firstFrame(0), frame(1024)])
    muxer.addTrack(camera)
    const after = muxAll(muxer, [frame(2048), picture(4000, [IDR], { configuration }), frame(3072)])
    expect(muxer.tracks).toEqual([sound, camera])
    const versions = packetsOf(Buffer.concat([before, after]))
      .filter((packet) => (packet.readUInt16BE(1) & 0x1fff) === 0x1000)
      .map((packet) => [(packet[10]! >>> 1) & 31, packet.readUInt16BE(13) & 0x1fff])
    expect(versions).toEqual([
      [0, 0x100],
      [1, 0x101],
      [1, 0x101],
    ])
    // The oracle looks at it as segments: a PMT may change only with a discontinuity, as the segmenter makes it.
    expect(formatFindings(checkTransportStream([before, after], { discontinuities: [1] }))).toBe('')
  })
})

describe('samples that are not written', () => {
  const good = picture(3000, [IDR], { configuration })
  it.each<[string, EncodedSample[], keyof TsMuxerStats['dropped']]>([
    ['of a track that is not here', [{ ...good, trackId: 'x' }], 'unknownTrack'],
    ['DTS the same', [good, picture(3000, [P])], 'badTime'],
    ['DTS backwards', [good, picture(2999, [P])], 'badTime'],
    ['PTS before DTS', [picture(3000, [IDR], { pts: 2999, configuration })], 'badTime'],
    ['no number', [picture(Number.NaN, [IDR], { configuration })], 'badTime'],
    ['nothing at all', [picture(0, [], { configuration })], 'noPicture'],
    ['no slice', [picture(0, [SPS, PPS, SEI], { configuration })], 'noPicture'],
    ['a keyframe without any parameter sets', [picture(0, [IDR])], 'noParameterSets'],
    ['a keyframe with a damaged SPS only', [picture(0, [Buffer.of(0x67), PPS, IDR])], 'noParameterSets'],
    ['sound before its configuration', [frame(0)], 'noConfiguration'],
    [
      'sound that ADTS cannot tell',
      [frame(0, { configuration: { ...aacConfiguration(48_000, 2), audioSpecificConfig: Buffer.of(0x2b) } })],
      'noConfiguration',
    ],
    ['a rate that ADTS cannot tell', [frame(0, { configuration: aacConfiguration(50_000, 2) })], 'noConfiguration'],
    ['an empty frame', [{ ...firstFrame(0), data: new Uint8Array(0) }], 'badFrame'],
    ['a frame too long', [{ ...firstFrame(0), data: new Uint8Array(8185) }], 'badFrame'],
  ])('%s', (_, samples, cause) => {
    const muxer = new TsMuxer([camera, sound])
    muxAll(muxer, samples)
    expect(muxer.stats.samples).toBe(samples.length - 1)
    expect(Object.entries(muxer.stats.dropped).filter(([, count]) => count > 0)).toEqual([[cause, 1]])
  })

  it('leaves the rest whole', () => {
    const muxer = new TsMuxer([camera, sound])
    const bytes = muxAll(muxer, [
      picture(0, [P, Buffer.alloc(0)], { keyframe: true }),
      picture(3000, [IDR], { configuration }),
      frame(1600),
      firstFrame(2624),
      picture(6000, [SEI]),
      picture(6000, [P]),
    ])
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(demuxWithMuxJs(bytes)).toHaveLength(3)
  })
})

it('AAC without an AudioSpecificConfig is LC by rate and channels', () => {
  const { audioSpecificConfig: _, ...bare } = aacConfiguration(44_100, 1)
  const bytes = muxAll(new TsMuxer([sound]), [frame(0, { configuration: bare, data: [Buffer.of(1), Buffer.of(2)] })])
  expect(readTransportStream(bytes).streams[0]!.audioFrames).toMatchObject([
    { sampleRate: 44_100, channels: 1, objectType: 2 },
  ])
})

it('watermarks and ends of tracks write nothing', () => {
  const muxer = new TsMuxer([camera])
  const items = [
    { type: 'watermark', trackId: 'v', dts: 5 },
    { type: 'track-end', trackId: 'v' },
  ] as const
  expect(muxAll(muxer, items)).toHaveLength(0)
})

describe('configuration', () => {
  const video = (codec: string): Track => ({ ...camera, codec }) as Track
  it.each<[string, () => TsMuxer, string]>([
    ['no tracks', () => new TsMuxer([]), 'tracks'],
    ['Opus', () => new TsMuxer([camera, { ...sound, codec: 'opus' }]), 'tracks[1].codec'],
    ['VP8', () => new TsMuxer([video('vp8')]), 'tracks[0].codec'],
    ['H265', () => new TsMuxer([video('h265')]), 'tracks[0].codec'],
    ['the same id twice', () => new TsMuxer([camera, { ...sound, id: 'v' }]), 'tracks[1].id'],
    ['a timescale of 0', () => new TsMuxer([{ ...camera, timescale: 0 }]), 'tracks[0].timescale'],
    ['17 cameras', () => new TsMuxer(Array.from({ length: 17 }, (_, i) => ({ ...camera, id: `v${i}` }))), 'tracks[16]'],
    [
      '33 sound tracks',
      () => new TsMuxer(Array.from({ length: 33 }, (_, i) => ({ ...sound, id: `a${i}` }))),
      'tracks[32]',
    ],
    ['a negative offset', () => new TsMuxer([camera], { ptsOffset90k: -1 }), 'ptsOffset90k'],
    ['an offset beyond the clock', () => new TsMuxer([camera], { ptsOffset90k: 2 ** 33 }), 'ptsOffset90k'],
    ['an origin between ticks', () => new TsMuxer([camera], { originUs: 0.5 }), 'originUs'],
    ['a lead of over a second', () => new TsMuxer([camera], { pcrLeadMs: 1001 }), 'pcrLeadMs'],
    ['an interval of over 100 ms', () => new TsMuxer([camera], { pcrIntervalMs: 101 }), 'pcrIntervalMs'],
    ['no interval of tables', () => new TsMuxer([camera], { tableIntervalMs: 0 }), 'tableIntervalMs'],
  ])('refuses %s', (_, create, field) => {
    expect(create).toThrow(ConfigurationError)
    expect(create).toThrow(expect.objectContaining({ field }))
  })

  it('tells what to do about Opus', () => {
    expect(() => new TsMuxer([{ ...sound, codec: 'opus' }])).toThrow(/transcode the track to AAC/)
  })

  it('takes as many tracks as there are stream ids', () => {
    const tracks = [
      ...Array.from({ length: 16 }, (_, i): Track => ({ ...camera, id: `v${i}` })),
      ...Array.from({ length: 32 }, (_, i): Track => ({ ...sound, id: `a${i}` })),
    ]
    const samples = tracks.map((track, i) =>
      track.kind === 'video'
        ? picture(i, [IDR], { trackId: track.id, configuration })
        : { ...firstFrame(i * 10), trackId: track.id },
    )
    const bytes = muxAll(new TsMuxer(tracks), samples)
    expect(formatFindings(checkTransportStream(bytes))).toBe('')
    expect(readTransportStream(bytes).streams).toHaveLength(48)
  })
})

function packetsOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / 188 }, (_, i) => bytes.subarray(i * 188, (i + 1) * 188))
}
