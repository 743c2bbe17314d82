import { describe, expect, test } from 'vitest'
import {
  createDepacketizer,
  H265Depacketizer,
  type H265DepacketizerOptions,
  type RtpPacketFields,
  serializeRtpPacket,
} from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import {
  accessUnitDelimiter,
  aggregationPacket,
  CRA,
  endOfSequence,
  IDR_N_LP,
  paci,
  payloadsOf,
  ppsNalUnit,
  prefixSei,
  type Reference,
  recoveryPointSei,
  sliceNalUnit,
  spsNalUnit,
  vpsNalUnit,
} from './h265-stream.js'

const camera = { id: 'camera', kind: 'video', codec: 'h265', clockRate: 90_000 } as const
const vps = vpsNalUnit()
const sps = spsNalUnit()
const pps = ppsNalUnit()
const idr = sliceNalUnit({ type: IDR_N_LP })

/** A picture that is predicted from others, of those that are held. */
function picture(
  poc: number,
  used: readonly number[],
  fields: { type?: number; temporalId?: number; held?: readonly number[] } = {},
) {
  const { type = 1, temporalId = 0, held = [] } = fields
  const references: Reference[] = [
    ...used.map((each) => ({ poc: each, used: true })),
    ...held.map((each) => ({ poc: each, used: false })),
  ]
  return sliceNalUnit({ type, poc, temporalId, references })
}
const p1 = picture(1, [0])
const p2 = picture(2, [1])

type Sent = Partial<RtpPacketFields> & { readonly payload: Uint8Array; readonly time: number; readonly skip?: number }

/** Packets in order; `skip` packets are lost before one. */
function packets(sent: readonly Sent[]): Uint8Array[] {
  let sequenceNumber = 0
  return sent.map(({ time, skip, ...fields }) => {
    sequenceNumber += (skip ?? 0) + 1
    return serializeRtpPacket({ payloadType: 98, ssrc: 1, rtpTimestamp: time, sequenceNumber, ...fields })
  })
}

/** Each a picture with a timestamp of its own; `undefined` for one that is lost. */
function pictures(...payloads: readonly (Uint8Array | undefined)[]): Uint8Array[] {
  let skip = 0
  const sent: Sent[] = []
  for (const [time, payload] of payloads.entries()) {
    if (payload === undefined) skip++
    else {
      sent.push({ payload, time, marker: true, skip })
      skip = 0
    }
  }
  return packets(sent)
}

/** Types of the NAL units of each unit: `K[32 33 34 20]` for a keyframe, `!` for lossBefore. */
function run(inputs: readonly Uint8Array[], options: H265DepacketizerOptions & { fmtp?: string } = {}) {
  const signals: string[] = []
  const { fmtp, ...rest } = options
  const track = fmtp === undefined ? camera : { ...camera, fmtp }
  const depacketizer = new H265Depacketizer(track, { ...rest, onSignal: ({ reason }) => signals.push(reason) })
  const units = accessUnitsOf(collect(depacketizer, inputs))
  const shapes = units.map(({ nalUnits, keyframe, lossBefore }) => {
    const types = nalUnits.map((nal) => nal[0]! >> 1).join(' ')
    return `${lossBefore ? '!' : ''}${keyframe ? 'K' : ''}[${types}]`
  })
  const { stats } = depacketizer
  const dropped = Object.fromEntries(Object.entries(stats.droppedUnits).filter(([, count]) => count > 0))
  const malformed = Object.fromEntries(Object.entries(stats.malformed).filter(([, count]) => count > 0))
  return { units, shapes, dropped, malformed, stats, signals }
}

const start = aggregationPacket([vps, sps, pps, idr])
const keyframe: readonly Sent[] = [{ payload: start, time: 0, marker: true }]
const KEY = 'K[32 33 34 20]'

describe('payload forms (RFC 7798)', () => {
  const big = sliceNalUnit({ type: IDR_N_LP, data: new Uint8Array(50).fill(7) })

  test('single NAL units, aggregation packets and fragmentation units', () => {
    const fragments = payloadsOf([big], 20, false)
    expect(fragments.length).toBeGreaterThan(2)
    const { units, shapes } = run(
      packets([
        { payload: aggregationPacket([vps, sps]), time: 0 },
        { payload: pps, time: 0 },
        ...fragments.map((payload, i) => ({ payload, time: 0, marker: i === fragments.length - 1 })),
        { payload: p1, time: 3000, marker: true },
      ]),
    )
    expect(shapes).toEqual([KEY, '[1]'])
    expect(units[0]!.nalUnits).toEqual([vps, sps, pps, big])
    expect(units[0]!.pieces!.map((pieces) => pieces.length)).toEqual([1, 1, 1, fragments.length + 1])
  })

  test('pieces are views into the packets', () => {
    const inputs = packets([
      { payload: aggregationPacket([vps, sps, pps]), time: 0 },
      ...payloadsOf([big], 20, false).map((payload) => ({ payload, time: 0 })),
      { payload: p1, time: 1 },
    ])
    const [unit] = run(inputs).units
    const buffers = new Set(inputs.map(({ buffer }) => buffer))
    const inPackets = unit!.pieces!.flat().filter(({ buffer }) => buffers.has(buffer as ArrayBuffer))
    expect(inPackets.length).toBe(unit!.pieces!.flat().length - 1)
  })

  test.each([0, 1, 31])('PACI packets with %i bytes of extensions, around each other form', (length) => {
    const extensions = Array.from({ length }, (_, i) => i)
    const fragments = payloadsOf([big], 20, false)
    const { units, malformed } = run(
      packets([
        { payload: paci(aggregationPacket([vps, sps]), extensions), time: 0 },
        { payload: paci(pps, extensions), time: 0 },
        ...fragments.map((payload, i) => ({
          payload: paci(payload, extensions),
          time: 0,
          marker: i === fragments.length - 1,
        })),
      ]),
    )
    expect(units.map(({ nalUnits }) => nalUnits)).toEqual([[vps, sps, pps, big]])
    expect(malformed).toEqual({})
  })

  test('decoding order numbers are taken out (sprop-max-don-diff), also where they wrap', () => {
    let don = 65_533
    const nextDon = (): number => don++ & 0xffff
    const payloads = [...payloadsOf([vps, sps, pps], 200, true, nextDon), ...payloadsOf([big, idr], 20, false, nextDon)]
    const inputs = packets(payloads.map((payload, i) => ({ payload, time: 0, marker: i === payloads.length - 1 })))
    const { units, malformed } = run(inputs, { fmtp: 'profile-id=1; sprop-max-don-diff=2;sprop-depack-buf-nalus=2' })
    expect(don).toBe(65_538)
    // The second slice is a first one too: another picture.
    expect(units.map(({ nalUnits }) => nalUnits)).toEqual([
      [vps, sps, pps, big],
      [vps, sps, pps, idr],
    ])
    expect(malformed).toEqual({})
  })

  test('NAL units out of decoding order spoil their access unit', () => {
    const withDon = (nal: Uint8Array, don: number): Uint8Array => payloadsOf([nal], 200, false, () => don)[0]!
    const { shapes, malformed, dropped } = run(
      packets([
        ...[vps, sps, pps, idr].map((nal, i) => ({ payload: withDon(nal, 10 + i), time: 0, marker: i === 3 })),
        { payload: withDon(p1, 12), time: 1, marker: true },
      ]),
      { fmtp: 'sprop-max-don-diff=1' },
    )
    expect(shapes).toEqual([KEY])
    expect(malformed).toEqual({ 'decoding-order': 1 })
    expect(dropped).toEqual({ damaged: 1 })
  })

  test.each<[string, number[], string]>([
    ['the forbidden bit', [0x82, 1, 0x80], 'nal-unit-header'],
    ['no TemporalId', [2, 0, 0x80], 'nal-unit-header'],
    ['one byte', [2], 'nal-unit-header'],
    ['an aggregation packet of nothing', [96, 1], 'aggregation-packet'],
    ['an aggregation packet with an empty NAL unit', [96, 1, 0, 0, 0, 3, 2, 1, 0x80], 'aggregation-packet'],
    ['an aggregation packet cut short', [96, 1, 0, 9, 2, 1], 'aggregation-packet'],
    ['an aggregation packet cut in a length', [96, 1, 0, 3, 2, 1, 0x40, 0], 'aggregation-packet'],
    ['an aggregation packet within another', [96, 1, 0, 4, 96, 1, 0, 0], 'aggregation-packet'],
    ['a fragment cut short', [98, 1, 0x81], 'fragmentation-unit'],
    ['a fragment that begins and ends at once', [98, 1, 0xc1, 0x80], 'fragmentation-unit'],
    ['a fragmented aggregation packet', [98, 1, 0xb0, 0x80], 'fragmentation-unit'],
    ['a fragment without a beginning', [98, 1, 0x01, 0x80], 'fragmentation-unit'],
    ['a PACI packet cut short', [100, 1, 2, 0x50, 1, 2], 'paci'],
    ['a PACI packet within another', [100, 1, 100, 0, 2, 1], 'paci'],
  ])('%s spoils its access unit', (_, payload, cause) => {
    const { shapes, malformed, dropped } = run(
      packets([
        ...keyframe,
        { payload: p1, time: 1 },
        { payload: Uint8Array.from(payload), time: 1, marker: true },
        { payload: p2, time: 2, marker: true },
      ]),
    )
    expect(malformed).toEqual({ [cause]: 1 })
    expect(dropped).toEqual({
      [cause === 'fragmentation-unit' && payload[2] === 1 ? 'beginning-lost' : 'damaged']: 1,
      frozen: 1,
    })
    expect(shapes).toEqual([KEY])
  })

  test.each([51, 63])('type %i is ignored', (type) => {
    const { shapes, malformed } = run(
      packets([...keyframe, { payload: Uint8Array.of(type << 1, 1), time: 1 }, { payload: p1, time: 1, marker: true }]),
    )
    expect(shapes).toEqual([KEY, '[1]'])
    expect(malformed).toEqual({ 'nal-unit-type': 1 })
  })

  test('enhancement layers are left out, and their parameter sets do not count', () => {
    const layer = (nal: Uint8Array): Uint8Array => Uint8Array.of(nal[0]!, nal[1]! | 8, ...nal.subarray(2))
    const enhancement = layer(sliceNalUnit({ type: 1, poc: 1, data: new Uint8Array(50) }))
    const { shapes, stats, units } = run(
      packets([
        { payload: aggregationPacket([vps, sps, pps, layer(spsNalUnit({ width: 128 })), idr]), time: 0, marker: true },
        { payload: p1, time: 1 },
        ...payloadsOf([enhancement], 20, false).map((payload) => ({ payload, time: 1 })),
        { payload: layer(p1), time: 1, marker: true },
        { payload: p2, time: 2, marker: true },
      ]),
    )
    expect(shapes).toEqual([KEY, '[1]', '[1]'])
    expect(units[0]!.configuration!.width).toBe(64)
    expect(stats.otherLayers).toBe(3)
  })
})

describe('where an access unit ends', () => {
  test('at a new timestamp where there is no marker', () => {
    const { shapes, dropped } = run(packets([start, p1, p2].map((payload, time) => ({ payload, time }))))
    expect(shapes).toEqual([KEY, '[1]', '[1]'])
    expect(dropped).toEqual({})
  })

  test('not at a marker on parameter sets alone', () => {
    const { shapes } = run(packets([vps, sps, pps, idr].map((payload) => ({ payload, time: 0, marker: true }))))
    expect(shapes).toEqual([KEY])
  })

  test('at a delimiter, or at the first slice of another picture, under one timestamp', () => {
    const second = sliceNalUnit({ type: 1, poc: 2, address: 4, references: [{ poc: 1, used: true }] })
    const all = [vps, sps, pps, idr, p1, p2, second, accessUnitDelimiter, picture(3, [2])]
    expect(run(packets(all.map((payload) => ({ payload, time: 5 })))).shapes).toEqual([KEY, '[1]', '[1 1]', '[35 1]'])
  })

  test('a sender that marks every slice is found out', () => {
    const slices = (poc: number, time: number): Sent[] =>
      [0, 4, 8].map((address) => ({
        payload: sliceNalUnit({ type: 1, poc, address, references: [{ poc: poc - 1, used: true }] }),
        time,
        marker: true,
      }))
    const { shapes, dropped } = run(
      packets([
        ...keyframe,
        ...slices(1, 1),
        ...slices(2, 2),
        { ...keyframe[0]!, time: 3 },
        ...slices(1, 4),
        ...slices(2, 5),
      ]),
    )
    expect(shapes).toEqual([KEY, '[1]', `!${KEY}`, '[1 1 1]', '[1 1 1]'])
    expect(dropped).toEqual({ 'after-marker': 2, frozen: 1 })
  })

  test('a picture whose first slice is lost is no picture', () => {
    const later = sliceNalUnit({ type: 1, poc: 1, address: 4, references: [{ poc: 0, used: true }] })
    const { shapes, dropped } = run(packets([...keyframe, { payload: later, time: 1, marker: true, skip: 1 }]))
    expect(shapes).toEqual([KEY])
    expect(dropped).toEqual({ 'beginning-lost': 1 })
  })
})

describe('parameter sets', () => {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

  test('between two slices they go before the first', () => {
    const second = sliceNalUnit({ type: IDR_N_LP, address: 4 })
    const { units } = run(
      packets([
        ...keyframe,
        ...[accessUnitDelimiter, idr, vps, sps, pps].map((payload) => ({ payload, time: 1 })),
        { payload: second, time: 1, marker: true },
      ]),
    )
    expect(units[1]!.nalUnits).toEqual([accessUnitDelimiter, vps, sps, pps, idr, second])
  })

  test.each<[string, Uint8Array[], Uint8Array[]]>([
    ['none', [idr], [vps, sps, pps, idr]],
    [
      'a delimiter and SEI',
      [accessUnitDelimiter, prefixSei, idr],
      [accessUnitDelimiter, vps, sps, prefixSei, pps, idr],
    ],
    ['only the VPS', [vps, idr], [vps, sps, pps, idr]],
    ['only the SPS', [sps, idr], [vps, sps, pps, idr]],
    ['only the PPS', [pps, idr], [vps, sps, pps, idr]],
    ['all but the SPS', [accessUnitDelimiter, vps, pps, idr], [accessUnitDelimiter, vps, sps, pps, idr]],
  ])('are put before a keyframe that has %s', (_, sent, expected) => {
    const payload = sent.length === 1 ? sent[0]! : aggregationPacket(sent)
    const { units, shapes } = run(packets([...keyframe, { payload, time: 1, marker: true }]))
    expect(shapes[1]).toMatch(/^K/)
    expect(units[1]!.nalUnits).toEqual(expected)
    expect(units[1]!.configuration).toBeUndefined()
  })

  test('are not put before other pictures', () => {
    expect(run(pictures(start, p1, p2)).shapes).toEqual([KEY, '[1]', '[1]'])
  })

  test('come from SDP too', () => {
    const fmtp = `sprop-vps=${base64(vps)}; sprop-sps=${base64(sps)};sprop-pps=${base64(pps)},${base64(ppsNalUnit(1))}`
    const { shapes, units } = run(pictures(idr), { fmtp })
    expect(shapes).toEqual(['K[32 33 34 34 20]'])
    expect(units[0]!.configuration).toEqual({
      kind: 'video',
      codec: 'h265',
      codecString: 'hvc1.1.6.L93.B0',
      width: 64,
      height: 64,
      rotation: 0,
      reorderDepth: 0,
      parameterSets: { vps: [vps], sps: [sps], pps: [pps, ppsNalUnit(1)] },
    })
  })

  test.each(['sprop-sps=!!', `sprop-sps=${base64(Uint8Array.of(0x42, 1, 1))}`, 'sprop-vps=,', ''])(
    'from SDP, damaged: %j',
    (fmtp) => {
      const { shapes, dropped, signals } = run(pictures(idr), { fmtp })
      expect(shapes).toEqual([])
      expect(dropped).toEqual({ 'missing-parameter-sets': 1 })
      expect(signals).toEqual(['start'])
    },
  )

  test('a VPS that never came is missed as the others are', () => {
    expect(run(pictures(aggregationPacket([sps, pps, idr]))).dropped).toEqual({ 'missing-parameter-sets': 1 })
  })

  test('an IRAP picture whose first packet, with the SPS, is lost is not shown with the old one', () => {
    const inputs = packets([
      ...keyframe,
      { payload: idr, time: 2, marker: true, skip: 1 },
      { payload: p1, time: 3, marker: true },
      { payload: start, time: 4, marker: true },
    ])
    const { shapes, dropped, signals } = run(inputs)
    expect(shapes).toEqual([KEY, `!${KEY}`])
    expect(dropped).toEqual({ 'beginning-lost': 1, frozen: 1 })
    expect(signals).toEqual(['loss'])
  })

  test('a VPS that is lost alone before a keyframe is the one that came before', () => {
    const inputs = packets([
      ...keyframe,
      { payload: aggregationPacket([sps, pps, idr]), time: 1, marker: true, skip: 1 },
    ])
    const { units, shapes } = run(inputs)
    expect(shapes).toEqual([KEY, `!${KEY}`])
    expect(units[1]!.nalUnits).toEqual([vps, sps, pps, idr])
  })

  test('a real change is a new configuration, bytes that mean nothing are not', () => {
    const withSps = (other: Uint8Array): Uint8Array => aggregationPacket([vps, other, pps, idr])
    const { units } = run(
      pictures(start, withSps(Uint8Array.of(...sps, 0)), withSps(spsNalUnit({ width: 128 })), start),
    )
    expect(units.map(({ configuration }) => configuration?.width)).toEqual([64, undefined, 128, 64])
    expect(units[1]!.nalUnits[1]).toEqual(sps)
  })

  test('rotation (CVO) begins with the next keyframe', () => {
    const track = { ...camera, headerExtensions: { 4: 'urn:3gpp:video-orientation' } }
    const rotated = { headerExtensions: [{ id: 4, data: Uint8Array.of(1) }] }
    const inputs = packets([
      { ...keyframe[0]! },
      { payload: p1, time: 1, marker: true, ...rotated },
      { payload: start, time: 2, marker: true },
    ])
    const units = accessUnitsOf(collect(new H265Depacketizer(track), inputs))
    expect(units.map(({ configuration }) => configuration?.rotation)).toEqual([0, undefined, 90])
  })
})

describe('the gate', () => {
  test('opens at the first IRAP picture, and asks for one', () => {
    const { shapes, dropped, signals, units } = run(pictures(p1, p2, start, p1))
    expect(shapes).toEqual([KEY, '[1]'])
    expect(dropped).toEqual({ 'before-keyframe': 2 })
    expect(signals).toEqual(['start'])
    expect(units[0]!.lossBefore).toBe(false)
  })

  test('closes after a lost picture that all others depend on, and asks once', () => {
    const { shapes, dropped, signals, units } = run(
      pictures(start, p1, undefined, picture(3, [2]), picture(4, [3]), start, p1),
    )
    expect(shapes).toEqual([KEY, '[1]', `!${KEY}`, '[1]'])
    expect(dropped).toEqual({ frozen: 2 })
    expect(signals).toEqual(['loss'])
    expect(units[2]!.lostPackets).toBe(1)
  })

  test("stays open with afterLoss 'continue', and asks all the same", () => {
    const { shapes, signals } = run(pictures(start, p1, undefined, picture(3, [2]), picture(4, [3])), {
      afterLoss: 'continue',
    })
    expect(shapes).toEqual([KEY, '[1]', '![1]', '[1]'])
    expect(signals).toEqual(['loss'])
  })

  /** Two sub-layers: even pictures in the lower one, odd ones in the higher; here from picture 10 on. */
  const layered = (lost: readonly number[], length = 20): Uint8Array[] =>
    pictures(
      start,
      ...Array.from({ length }, (_, i) => {
        const poc = i + 1
        if (lost.includes(poc)) return undefined
        if (poc % 2 === 0) return picture(poc, [poc - 2])
        return picture(poc, [poc - 1], { type: 2, temporalId: 1 })
      }),
    )

  test('a lost picture of a higher sub-layer costs itself only, and nothing is asked for', () => {
    const { shapes, dropped, signals } = run(layered([13]))
    expect(shapes).toHaveLength(20)
    expect(shapes.filter((shape) => shape.startsWith('!'))).toHaveLength(1)
    expect([dropped, signals]).toEqual([{}, []])
  })

  test('a lost picture of the lowest sub-layer costs everything', () => {
    const { shapes, signals } = run(layered([12]))
    expect(shapes).toHaveLength(12)
    expect(signals).toEqual(['loss'])
  })

  test('a higher sub-layer comes back at a switching point', () => {
    // TRAIL pictures of sub-layer 1 predicted from one another, until a TSA picture that is not.
    const high = (poc: number, used: readonly number[], type = 1): Uint8Array =>
      picture(poc, used, { type, temporalId: 1 })
    const low = (poc: number, held: readonly number[]): Uint8Array => picture(poc, [poc - 2], { held })
    const { shapes, dropped, signals } = run(
      pictures(
        start,
        high(1, [0]),
        low(2, [1]),
        undefined, // 3
        low(4, [3]),
        high(5, [4, 3]),
        low(6, [5]),
        high(7, [6, 5]),
        low(8, [7]),
        high(9, [8], 3),
        low(10, [9]),
        high(11, [10, 9]),
      ),
    )
    expect(dropped).toEqual({ frozen: 2 })
    expect(shapes).toEqual([KEY, '[1]', '[1]', '![1]', '![1]', '![1]', '[3]', '[1]', '[1]'])
    expect(signals).toEqual([])
  })

  test('a higher sub-layer that does not come back is asked for', () => {
    const low = (poc: number): Uint8Array => picture(poc, [poc - 2], { held: [poc - 1] })
    const all = Array.from({ length: 60 }, (_, i) => {
      const poc = i + 1
      if (poc === 7) return undefined
      return poc % 2 === 0 ? low(poc) : picture(poc, poc === 1 ? [0] : [poc - 1, poc - 2], { temporalId: 1 })
    })
    const { signals, dropped } = run(pictures(start, ...all))
    expect(dropped).toEqual({ frozen: 26 })
    expect(signals).toEqual(['loss'])
  })

  test('B pictures that none depends on may go missing', () => {
    const spsB = spsNalUnit({ reorder: 1 })
    const first = aggregationPacket([vps, spsB, pps, idr])
    const inputs = pictures(
      first,
      picture(3, [0]),
      picture(1, [0, 3], { type: 0 }),
      picture(2, [0, 3], { type: 0 }),
      picture(6, [3]),
      undefined,
      picture(5, [3, 6], { type: 0 }),
      picture(9, [6]),
    )
    const { shapes, dropped, signals, units } = run(inputs)
    expect(shapes).toEqual([KEY, '[1]', '[0]', '[0]', '[1]', '![0]', '[1]'])
    expect([dropped, signals]).toEqual([{}, []])
    expect(units[0]!.configuration!.reorderDepth).toBe(1)
  })

  test('lost padding is told from lost pictures, where order counts show it', () => {
    const padded = (gap: number, reorder: number) => {
      const first = aggregationPacket([vps, spsNalUnit({ reorder }), pps, idr])
      const before = Array.from({ length: 9 }, (_, i) => picture(i + 1, [i]))
      return run([...pictures(first, ...before, undefined, picture(9 + gap, [9]))])
    }
    expect(padded(1, 0)).toMatchObject({ stats: { lost: 1, lostHarmless: 1, accessUnits: 11 }, signals: [] })
    expect(padded(1, 0).units.at(-1)!.lossBefore).toBe(false)
    // A picture may have been in between: it is told, and the picture is shown.
    expect(padded(2, 0).units.at(-1)).toMatchObject({ lossBefore: true, lostPackets: 1 })
    expect(padded(1, 1).units.at(-1)).toMatchObject({ lossBefore: true, lostPackets: 1 })
  })

  test('a keyframe that nobody saw is not taken for nothing', () => {
    // Behind an IDR picture, order counts would go on just the same had another been lost.
    const { shapes, signals } = run(pictures(start, undefined, p1))
    expect(shapes).toEqual([KEY])
    expect(signals).toEqual(['loss'])
  })

  test('does not take a whole round of order counts for none', () => {
    const small = aggregationPacket([vps, spsNalUnit({ log2MaxLsb: 4 }), pps, idr])
    const low = (poc: number): Uint8Array =>
      sliceNalUnit({ type: 1, poc, log2MaxLsb: 4, references: [{ poc: poc - 1, used: true }] })
    const all = Array.from({ length: 60 }, (_, i) => low(i + 1))
    expect(run(pictures(small, ...all)).shapes).toHaveLength(61)
    expect(run(pictures(small, ...all.map((each, i) => (i >= 20 && i < 36 ? undefined : each)))).shapes).toHaveLength(
      21,
    )
  })

  test('long-term pictures bring it back', () => {
    const long = (poc: number, longTerm: 'whole' | 'lower', target: number): Uint8Array =>
      sliceNalUnit({ type: 1, poc, references: [{ poc: target, used: true, longTerm }] })
    for (const kind of ['whole', 'lower'] as const) {
      const keep = (poc: number, used: number): Uint8Array =>
        sliceNalUnit({
          type: 1,
          poc,
          references: [
            { poc: used, used: true },
            { poc: 4, used: false, longTerm: kind },
          ],
        })
      const before = [
        picture(1, [0]),
        picture(2, [1]),
        picture(3, [2]),
        picture(4, [3]),
        picture(5, [4]),
        keep(6, 5),
        keep(7, 6),
      ]
      const { shapes, dropped } = run(
        pictures(start, ...before, undefined, keep(9, 8), long(10, kind, 4), picture(11, [10])),
      )
      expect(shapes.slice(-3)).toEqual(['[1]', '![1]', '[1]'])
      expect(dropped).toEqual({ frozen: 1 })
    }
  })
})

describe('CRA pictures and their leading pictures', () => {
  const first = aggregationPacket([vps, spsNalUnit({ reorder: 2 }), pps, idr])
  const cra = (poc: number, held: readonly number[]): Uint8Array =>
    aggregationPacket([
      vps,
      spsNalUnit({ reorder: 2 }),
      pps,
      sliceNalUnit({ type: CRA, poc, references: held.map((each) => ({ poc: each, used: false })) }),
    ])
  const rasl = (poc: number, used: readonly number[]): Uint8Array => picture(poc, used, { type: 9, held: [] })
  const group = [cra(24, [20]), rasl(22, [20, 24]), rasl(23, [22, 24]), picture(25, [24])]
  const until = Array.from({ length: 20 }, (_, i) => picture(i + 1, [i]))

  test('in a stream that goes on all are shown', () => {
    expect(run(pictures(first, ...until, ...group)).shapes.slice(-4)).toEqual(['K[32 33 34 21]', '[9]', '[9]', '[1]'])
  })

  test('where decoding starts the leading ones are left out, which is no loss', () => {
    const { shapes, dropped, signals } = run(pictures(...group))
    expect(shapes).toEqual(['K[32 33 34 21]', '[1]'])
    expect(dropped).toEqual({ leading: 2 })
    expect(signals).toEqual([])
  })

  test('behind a loss they are left out as far as that is needed', () => {
    const spoiled = run(pictures(first, ...until.slice(0, 18), undefined, until[19], ...group))
    expect(spoiled.shapes.slice(-3)).toEqual(['[1]', '!K[32 33 34 21]', '[1]'])
    expect(spoiled.dropped).toEqual({ frozen: 1, leading: 2 })
    // What was lost here none of them depends on.
    const spared = run(pictures(first, ...until, undefined, ...group))
    expect(spared.shapes.slice(-4)).toEqual(['!K[32 33 34 21]', '[9]', '[9]', '[1]'])
  })

  test('whose CRA picture is lost behind an IDR picture, decoders skip them: so do we', () => {
    const inputs = pictures(first, undefined, rasl(2, [0]), rasl(3, [0]))
    for (const afterLoss of ['freeze', 'continue'] as const) {
      expect(run(inputs, { afterLoss }).dropped).toEqual({ leading: 2 })
    }
  })

  test('behind an end of sequence they are left out', () => {
    const last = aggregationPacket([picture(20, [19]), endOfSequence])
    const { shapes, dropped } = run(pictures(first, ...until.slice(0, 19), last, ...group))
    expect(shapes.slice(-3)).toEqual(['[1 36]', 'K[32 33 34 21]', '[1]'])
    expect(dropped).toEqual({ leading: 2 })
  })

  test('BLA pictures leave them out in any case; decodable leading pictures stay', () => {
    const bla = aggregationPacket([
      vps,
      spsNalUnit({ reorder: 2 }),
      pps,
      sliceNalUnit({ type: 16, poc: 24, references: [] }),
    ])
    const { shapes } = run(
      pictures(first, ...until, bla, rasl(22, [20, 24]), picture(23, [24], { type: 7 }), picture(25, [24])),
    )
    expect(shapes.slice(-3)).toEqual(['K[32 33 34 16]', '[7]', '[1]'])
  })
})

test('acceptRecoveryPoint opens the gate at a picture with a recovery point', () => {
  const inputs = packets([
    { payload: aggregationPacket([vps, sps, pps]), time: 0 },
    { payload: p1, time: 0, marker: true },
    { payload: aggregationPacket([prefixSei, recoveryPointSei, p2]), time: 1, marker: true },
    { payload: picture(3, [2]), time: 2, marker: true },
  ])
  expect(run(inputs).shapes).toEqual([])
  const accepted = run(inputs, { acceptRecoveryPoint: true })
  expect(accepted.shapes).toEqual(['K[32 33 39 39 34 1]', '[1]'])
  expect(accepted.units[0]!.configuration).toMatchObject({ width: 64 })
})

test('a restarted source begins with a keyframe again, and shows no loss', () => {
  const second = pictures(p1, start, p1).map((bytes) => {
    const copy = bytes.slice()
    copy[11] = 9
    return copy
  })
  const { units, dropped } = run([...pictures(start, p1), ...second])
  expect(units.map(({ epoch, keyframe: key, lossBefore }) => [epoch, key, lossBefore])).toEqual([
    [0, true, false],
    [0, false, false],
    [1, true, false],
    [1, false, false],
  ])
  expect(dropped).toEqual({ 'before-keyframe': 1 })
})

test('createDepacketizer knows the codec, and options are checked', () => {
  expect(createDepacketizer(camera)).toBeInstanceOf(H265Depacketizer)
  expect(() => new H265Depacketizer({ ...camera, codec: 'h264' })).toThrow(
    expect.objectContaining({ field: 'track.codec' }),
  )
  expect(() => new H265Depacketizer(camera, { afterLoss: 'stop' as 'freeze' })).toThrow(
    expect.objectContaining({ field: 'afterLoss' }),
  )
})
