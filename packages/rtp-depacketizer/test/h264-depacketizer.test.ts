import { describe, expect, test } from 'vitest'
import {
  H264Depacketizer,
  type H264DepacketizerOptions,
  type RtpPacketFields,
  serializeRtpPacket,
} from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import {
  accessUnitDelimiter,
  encode,
  type PictureSpec,
  packetize,
  payloadsOf,
  ppsNalUnit,
  recoveryPointSei,
  sei,
  sliceNalUnit,
  spsNalUnit,
  stapA,
} from './h264-stream.js'

const camera = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 } as const
const sps = spsNalUnit()
const pps = ppsNalUnit()
const idr = sliceNalUnit({ idr: true, frameNum: 0 })
const p1 = sliceNalUnit({ frameNum: 1 })
const p2 = sliceNalUnit({ frameNum: 2 })

type Sent = Partial<RtpPacketFields> & { readonly payload: Uint8Array; readonly time: number; readonly skip?: number }

/** Packets in order; `skip` packets are lost before one. */
function packets(sent: readonly Sent[]): Uint8Array[] {
  let sequenceNumber = 0
  return sent.map(({ time, skip, ...fields }) => {
    sequenceNumber += (skip ?? 0) + 1
    return serializeRtpPacket({ payloadType: 97, ssrc: 1, rtpTimestamp: time, sequenceNumber, ...fields })
  })
}

/** Types of the NAL units of each unit: `K[7 8 5]` for a keyframe, `!` for lossBefore. */
function run(inputs: readonly Uint8Array[], options: H264DepacketizerOptions & { fmtp?: string } = {}) {
  const signals: string[] = []
  const { fmtp, ...rest } = options
  const track = fmtp === undefined ? camera : { ...camera, fmtp }
  const depacketizer = new H264Depacketizer(track, { ...rest, onSignal: ({ reason }) => signals.push(reason) })
  const units = accessUnitsOf(collect(depacketizer, inputs))
  const shapes = units.map(({ nalUnits, keyframe, lossBefore }) => {
    const types = nalUnits.map((nal) => nal[0]! & 31).join(' ')
    return `${lossBefore ? '!' : ''}${keyframe ? 'K' : ''}[${types}]`
  })
  const { stats } = depacketizer
  const dropped = Object.fromEntries(Object.entries(stats.droppedUnits).filter(([, count]) => count > 0))
  const malformed = Object.fromEntries(Object.entries(stats.malformed).filter(([, count]) => count > 0))
  return { units, shapes, dropped, malformed, stats, signals }
}

const keyframe: readonly Sent[] = [{ payload: stapA([sps, pps, idr]), time: 0, marker: true }]

describe('payload forms (RFC 6184)', () => {
  const big = sliceNalUnit({ idr: true, frameNum: 0, data: new Uint8Array(50).fill(7) })

  test('parameter sets lose the zero bytes that Chromium puts behind some of them (ITU-T H.264 §7.4.1)', () => {
    const padded = Uint8Array.of(...sps, 0, 0)
    const { units } = run(packets([{ payload: stapA([padded, pps, idr]), time: 0, marker: true }]))
    expect(units[0]?.nalUnits[0]).toEqual(sps)
    expect(units[0]?.configuration?.parameterSets?.sps[0]).toEqual(sps)
  })

  test('single NAL units, STAP-A and FU-A', () => {
    const fragments = payloadsOf([big], 20, false)
    expect(fragments.length).toBeGreaterThan(2)
    const { units, shapes } = run(
      packets([
        { payload: stapA([sps, pps]), time: 0 },
        ...fragments.map((payload, i) => ({ payload, time: 0, marker: i === fragments.length - 1 })),
        { payload: p1, time: 3000, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]', '[1]'])
    expect(units[0]!.nalUnits).toEqual([sps, pps, big])
    expect(units[0]!.pieces!.map((pieces) => pieces.length)).toEqual([1, 1, fragments.length + 1])
  })

  test('pieces are views into the packets, and joining is done once', () => {
    const inputs = packets([
      { payload: stapA([sps, pps]), time: 0 },
      ...payloadsOf([big], 20, false).map((payload) => ({ payload, time: 0 })),
      { payload: p1, time: 1 },
    ])
    const [unit] = run(inputs).units
    const buffers = new Set(inputs.map(({ buffer }) => buffer))
    const inPackets = unit!.pieces!.flat().filter(({ buffer }) => buffers.has(buffer as ArrayBuffer))
    expect(inPackets.length).toBe(unit!.pieces!.flat().length - 1)
    expect(unit!.nalUnits).toBe(unit!.nalUnits)
  })

  test.each<[string, number[], string]>([
    ['STAP-B', [25, 0, 0, 0, 1, 9], 'unsupported-packetization'],
    ['MTAP16', [26, 0, 0], 'unsupported-packetization'],
    ['MTAP24', [27, 0, 0], 'unsupported-packetization'],
    ['FU-B', [29, 0x85, 0, 0, 1], 'unsupported-packetization'],
    ['the forbidden bit', [0x81, 0x80], 'forbidden-bit'],
    ['a STAP-A of nothing', [24], 'stap-a'],
    ['a STAP-A with an empty NAL unit', [24, 0, 0, 0, 1, 9], 'stap-a'],
    ['a STAP-A cut short', [24, 0, 9, 1, 0x80], 'stap-a'],
    ['a STAP-A within a STAP-A', [24, 0, 2, 24, 0], 'stap-a'],
    ['a byte behind a STAP-A', [24, 0, 2, 0x41, 0x80, 0], 'stap-a'],
    ['a FU-A cut short', [28, 0x81], 'fu-a'],
    ['a FU-A that begins and ends at once', [28, 0xc1, 0x80], 'fu-a'],
    ['a fragmented STAP-A', [28, 0x98, 0x80], 'fu-a'],
  ])('%s spoils its access unit', (_, payload, cause) => {
    const { shapes, malformed, dropped } = run(
      packets([
        ...keyframe,
        { payload: p1, time: 1 },
        { payload: Uint8Array.from(payload), time: 1, marker: true },
        { payload: sliceNalUnit({ frameNum: 2 }), time: 2, marker: true },
      ]),
    )
    expect(malformed).toEqual({ [cause]: 1 })
    expect(dropped).toEqual({ damaged: 1, frozen: 1 })
    expect(shapes).toEqual(['K[7 8 5]'])
  })

  test.each([0, 30, 31])('type %i is ignored', (type) => {
    const { shapes, malformed } = run(
      packets([...keyframe, { payload: Uint8Array.of(type, 1), time: 1 }, { payload: p1, time: 1, marker: true }]),
    )
    expect(shapes).toEqual(['K[7 8 5]', '[1]'])
    expect(malformed).toEqual({ 'nal-unit-type': 1 })
  })
})

describe('where an access unit ends', () => {
  test('at a new timestamp where there is no marker; 0 is a timestamp', () => {
    const units = encode(
      Array.from({ length: 5 }, () => PICTURE),
      2 ** 32 - 6000,
    )
    expect(units.map(({ rtpTimestamp }) => rtpTimestamp)).toContain(0)
    const { units: emitted, dropped } = run(packetize(units, { marker: false }).map(({ bytes }) => bytes))
    expect(emitted.map(({ nalUnits }) => nalUnits)).toEqual(units.map(({ nalUnits }) => nalUnits))
    expect(emitted.every(({ marker }) => !marker)).toBe(true)
    expect(dropped).toEqual({})
  })

  test('not at a marker on parameter sets alone', () => {
    const { shapes } = run(
      packets([
        { payload: sps, time: 0, marker: true },
        { payload: pps, time: 0, marker: true },
        { payload: idr, time: 0, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]'])
  })

  test('not at a marker within a fragmented NAL unit', () => {
    const fragments = payloadsOf([sliceNalUnit({ idr: true, frameNum: 0, data: new Uint8Array(60) })], 20, false)
    const { shapes } = run(
      packets([
        { payload: stapA([sps, pps]), time: 0 },
        ...fragments.map((payload) => ({ payload, time: 0, marker: true })),
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]'])
  })

  test('a sender that marks every slice is found out, and its markers are passed over', () => {
    const slices = (frameNum: number, time: number): Sent[] =>
      [0, 4, 8].map((firstMb) => ({ payload: sliceNalUnit({ frameNum, firstMb }), time, marker: true }))
    const { shapes, dropped, signals } = run(
      packets([
        ...keyframe,
        ...slices(1, 1),
        ...slices(2, 2),
        ...keyframe.map((sent) => ({ ...sent, time: 3 })),
        ...slices(1, 4),
        ...slices(2, 5),
      ]),
    )
    // One picture got out before that was known, less its last two slices: what follows waits for a keyframe.
    expect(shapes).toEqual(['K[7 8 5]', '[1]', '!K[7 8 5]', '[1 1 1]', '[1 1 1]'])
    expect(dropped).toEqual({ 'after-marker': 2, frozen: 1 })
    expect(signals).toEqual(['loss'])
  })

  test('at an access unit delimiter, or at a slice that surely is of another picture, under one timestamp', () => {
    const all = [
      sps,
      pps,
      idr,
      p1,
      sliceNalUnit({ frameNum: 2, firstMb: 0 }),
      sliceNalUnit({ frameNum: 2, firstMb: 4 }),
    ]
    const single = run(packets(all.map((payload) => ({ payload, time: 5 }))))
    expect(single.shapes).toEqual(['K[7 8 5]', '[1]', '[1 1]'])
    const delimited = [accessUnitDelimiter, sps, pps, idr, accessUnitDelimiter, p1, accessUnitDelimiter, p2]
    expect(run(packets(delimited.map((payload) => ({ payload, time: 5 })))).shapes).toEqual([
      'K[9 7 8 5]',
      '[9 1]',
      '[9 1]',
    ])
  })

  test('slices of one picture stay together even where each has first_mb_in_slice 0', () => {
    const { shapes } = run(packets([...keyframe, { payload: p1, time: 1 }, { payload: p1, time: 1, marker: true }]))
    expect(shapes).toEqual(['K[7 8 5]', '[1 1]'])
  })

  test('at the end of the input only if it is known to be whole', () => {
    const cut = run(packets([...keyframe, { payload: p1, time: 1, marker: true }, { payload: p2, time: 2 }]))
    expect(cut.shapes).toEqual(['K[7 8 5]', '[1]'])
    expect(cut.dropped).toEqual({ unfinished: 1 })
    const markerless = [
      { ...keyframe[0]!, marker: false },
      { payload: p1, time: 1 },
      { payload: p2, time: 2 },
    ]
    expect(run(packets(markerless)).shapes).toEqual(['K[7 8 5]', '[1]', '[1]'])
  })
})

describe('parameter sets', () => {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

  test('between two slices they go before the first', () => {
    const second = sliceNalUnit({ idr: true, frameNum: 0, firstMb: 4 })
    const { shapes, units } = run(
      packets([
        ...keyframe,
        ...[accessUnitDelimiter, idr, sps, pps].map((payload) => ({ payload, time: 1 })),
        { payload: second, time: 1, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]', 'K[9 7 8 5 5]'])
    expect(units[1]!.nalUnits).toEqual([accessUnitDelimiter, sps, pps, idr, second])
  })

  test('are put before every keyframe that has none, behind its delimiter', () => {
    const { shapes, units } = run(
      packets([
        ...keyframe,
        { payload: idr, time: 1, marker: true },
        { payload: stapA([accessUnitDelimiter, sei, idr]), time: 2, marker: true },
        { payload: stapA([pps, idr]), time: 3, marker: true },
        { payload: stapA([sps, idr]), time: 4, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]', 'K[7 8 5]', 'K[9 7 6 8 5]', 'K[7 8 5]', 'K[7 8 5]'])
    expect(units[1]!.nalUnits).toEqual([sps, pps, idr])
    expect(units.map(({ configuration }) => configuration !== undefined)).toEqual([true, false, false, false, false])
  })

  test('that come under a timestamp of their own are remembered', () => {
    const { shapes, dropped } = run(
      packets([
        { payload: stapA([sps, pps]), time: 0, marker: true },
        { payload: idr, time: 1, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]'])
    expect(dropped).toEqual({ 'no-picture': 1 })
  })

  test('come from SDP too', () => {
    const fmtp = `packetization-mode=1; sprop-parameter-sets=${base64(sps)},${base64(pps)};profile-level-id=42c01f`
    const { shapes, units } = run(packets([{ payload: idr, time: 0, marker: true }]), { fmtp })
    expect(shapes).toEqual(['K[7 8 5]'])
    expect(units[0]!.configuration).toMatchObject({ width: 64, height: 48, codecString: 'avc1.42c01f', rotation: 0 })
  })

  test.each(['!!,??', base64(Uint8Array.of(0x67, 1)), ',', ''])('from SDP, damaged: %j', (value) => {
    const { shapes, dropped, signals } = run(packets([{ payload: idr, time: 0, marker: true }]), {
      fmtp: `sprop-parameter-sets=${value}`,
    })
    expect(shapes).toEqual([])
    expect(dropped).toEqual({ 'missing-parameter-sets': 1 })
    expect(signals).toEqual(['start'])
  })

  test('each slice finds its own, and the PPS of later pictures come along', () => {
    const other = ppsNalUnit(1)
    const { shapes, units } = run(
      packets([
        { payload: stapA([sps, pps, other, idr]), time: 0, marker: true },
        { payload: sliceNalUnit({ idr: true, frameNum: 0, ppsId: 1 }), time: 1, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 8 5]', 'K[7 8 8 5]'])
    expect(units[1]!.nalUnits.slice(0, 3)).toEqual([sps, pps, other])
  })

  test('a damaged one is left out and counted', () => {
    const { shapes, malformed } = run(
      packets([{ payload: stapA([sps, pps, Uint8Array.of(0x67, 0), idr]), time: 0, marker: true }]),
    )
    expect(shapes).toEqual(['K[7 8 5]'])
    expect(malformed).toEqual({ 'parameter-set': 1 })
  })

  test('an IDR picture whose first packet, with the SPS, is lost is not shown with the old one', () => {
    const inputs = packets([
      ...keyframe,
      { payload: p1, time: 1, marker: true },
      { payload: idr, time: 2, marker: true, skip: 1 },
      { payload: p1, time: 3, marker: true },
      ...keyframe.map((sent) => ({ ...sent, time: 4 })),
    ])
    const { shapes, dropped, signals } = run(inputs)
    expect(shapes).toEqual(['K[7 8 5]', '[1]', '!K[7 8 5]'])
    expect(dropped).toEqual({ 'beginning-lost': 1, frozen: 1 })
    expect(signals).toEqual(['loss'])
  })

  test('an IDR picture whose PPS is unknown stops what depends on it', () => {
    const unknown = sliceNalUnit({ idr: true, frameNum: 0, ppsId: 5 })
    for (const afterLoss of ['freeze', 'continue'] as const) {
      const { shapes, dropped, signals } = run(
        packets([...keyframe, { payload: unknown, time: 1, marker: true }, { payload: p1, time: 2, marker: true }]),
        { afterLoss },
      )
      expect(shapes).toEqual(['K[7 8 5]'])
      expect(dropped).toEqual({ 'missing-parameter-sets': 1, frozen: 1 })
      expect(signals).toEqual(['loss'])
    }
  })
})

describe('configuration', () => {
  test('changes with the size, not with bytes that mean nothing', () => {
    const withSps = (other: Uint8Array, time: number): Sent => ({
      payload: stapA([other, pps, idr]),
      time,
      marker: true,
    })
    // The same SPS with other bytes: zero bytes may follow the trailing bits.
    const longer = Uint8Array.of(...sps, 0)
    const { units } = run(packets([withSps(sps, 0), withSps(longer, 1), withSps(spsNalUnit(8, 6), 2), withSps(sps, 3)]))
    expect(units.map(({ configuration }) => configuration?.width)).toEqual([64, undefined, 128, 64])
    expect(units[2]!.configuration!.parameterSets).toEqual({ sps: [spsNalUnit(8, 6)], pps: [pps] })
  })

  const rotated = (value: number): Pick<RtpPacketFields, 'headerExtensions'> => ({
    headerExtensions: [
      { id: 3, data: Uint8Array.of(9) },
      { id: 4, data: Uint8Array.of(value) },
    ],
  })

  test('rotation (CVO) begins with the next keyframe', () => {
    const track = { ...camera, headerExtensions: { 3: 'urn:other', 4: 'urn:3gpp:video-orientation' } }
    const key = (time: number): Sent => ({ ...keyframe[0]!, time })
    const inputs = packets([
      { ...key(0), ...rotated(1) },
      { payload: p1, time: 1, marker: true, ...rotated(0x0e) },
      key(2),
      key(3),
      { ...key(4), ...rotated(3) },
      { ...key(5), ...rotated(0) },
    ])
    const units = accessUnitsOf(collect(new H264Depacketizer(track), inputs))
    expect(units.map(({ configuration }) => configuration?.rotation)).toEqual([90, undefined, 180, undefined, 270, 0])
    const ignorant = accessUnitsOf(collect(new H264Depacketizer(camera), inputs))
    expect(ignorant.map(({ configuration }) => configuration?.rotation)).toEqual([
      0,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})

const PICTURE: PictureSpec = { idr: false, reference: true, slices: 1, dataLength: 5, padding: 0, step: 3000 }
const DISPOSABLE: PictureSpec = { ...PICTURE, reference: false }

/** A stream of which the packets with these indexes are lost. */
function thinned(specs: readonly PictureSpec[], lost: readonly number[], options?: H264DepacketizerOptions) {
  const all = packetize(encode(specs)).map(({ bytes }) => bytes)
  return run(
    all.filter((_, index) => !lost.includes(index)),
    options,
  )
}

describe('the gate', () => {
  test('opens at the first keyframe, and asks for one', () => {
    const { shapes, dropped, signals, units } = run(
      packets([
        { payload: p1, time: 0, marker: true },
        { payload: p2, time: 1, marker: true },
        { ...keyframe[0]!, time: 2 },
        { payload: p1, time: 3, marker: true },
      ]),
    )
    expect(shapes).toEqual(['K[7 8 5]', '[1]'])
    expect(dropped).toEqual({ 'before-keyframe': 2 })
    expect(signals).toEqual(['start'])
    expect(units[0]!.lossBefore).toBe(false)
  })

  test('closes after a lost reference picture, and asks once', () => {
    const specs = [PICTURE, PICTURE, PICTURE, PICTURE, PICTURE, { ...PICTURE, idr: true }, PICTURE]
    const { shapes, dropped, signals, units } = thinned(specs, [2, 4])
    expect(shapes).toEqual(['K[7 8 5]', '[1]', '!K[7 8 5]', '[1]'])
    expect(dropped).toEqual({ frozen: 1 })
    expect(signals).toEqual(['loss'])
    expect(units[2]!.lostPackets).toBe(2)
  })

  test("stays open with afterLoss 'continue', and asks all the same", () => {
    const { shapes, dropped, signals } = thinned(
      Array.from({ length: 6 }, () => PICTURE),
      [2],
      { afterLoss: 'continue' },
    )
    expect(shapes).toEqual(['K[7 8 5]', '[1]', '![1]', '[1]', '[1]'])
    expect(dropped).toEqual({})
    expect(signals).toEqual(['loss'])
  })

  test('stays open after a lost picture that none depends on', () => {
    const specs = [PICTURE, DISPOSABLE, PICTURE, DISPOSABLE, PICTURE]
    const { shapes, stats, signals } = thinned(specs, [3])
    expect(shapes).toEqual(['K[7 8 5]', '[1]', '[1]', '![1]'])
    expect(stats).toMatchObject({ lost: 1, lostHarmless: 0 })
    expect(signals).toEqual([])
  })

  test('stays open after lost padding, before other padding or before a picture', () => {
    const padded = { ...PICTURE, padding: 3 }
    // Packets: 0 keyframe, 1 picture, 2 picture, 3 to 5 padding, 6 picture, 7 picture, 8 to 10 padding, 11 picture.
    const specs = [PICTURE, PICTURE, padded, PICTURE, padded, PICTURE]
    const before = thinned(specs, [3])
    expect(before.shapes).toEqual(['K[7 8 5]', '[1]', '[1]', '[1]', '[1]', '[1]'])
    expect(before.stats).toMatchObject({ lost: 1, lostHarmless: 1, paddingOnly: 5 })
    const after = thinned(specs, [9, 10])
    expect(after.shapes).toEqual(before.shapes)
    expect(after.stats).toMatchObject({ lost: 2, lostHarmless: 2, paddingOnly: 4 })
    expect([...before.signals, ...after.signals]).toEqual([])
  })

  test('does not take a lost keyframe for padding', () => {
    // Behind an IDR picture, frame_num would go on just the same had another been lost.
    const specs = [PICTURE, { ...PICTURE, idr: true }, PICTURE]
    const { shapes, signals } = thinned(specs, [1])
    expect(shapes).toEqual(['K[7 8 5]'])
    expect(signals).toEqual(['loss'])
  })

  test('does not take a whole round of frame_num for padding', () => {
    const specs = Array.from({ length: 40 }, () => PICTURE)
    const lost = Array.from({ length: 16 }, (_, i) => 20 + i)
    expect(thinned(specs, lost).shapes).toHaveLength(20)
    expect(thinned(specs, []).shapes).toHaveLength(40)
  })

  test('acceptRecoveryPoint opens it at a picture with a recovery point', () => {
    const inputs = packets([
      { payload: stapA([sps, pps]), time: 0 },
      { payload: p1, time: 0, marker: true },
      { payload: stapA([sei, recoveryPointSei, p2]), time: 1, marker: true },
      { payload: sliceNalUnit({ frameNum: 3 }), time: 2, marker: true },
    ])
    expect(run(inputs).shapes).toEqual([])
    const accepted = run(inputs, { acceptRecoveryPoint: true })
    expect(accepted.shapes).toEqual(['K[7 6 6 8 1]', '[1]'])
    expect(accepted.units[0]!.configuration).toMatchObject({ width: 64 })
  })

  test('a restarted source begins with a keyframe again, and shows no loss', () => {
    const first = packetize(encode([PICTURE, PICTURE])).map(({ bytes }) => bytes)
    const second = packetize(encode([PICTURE, PICTURE, { ...PICTURE, idr: true }, PICTURE]), { ssrc: 9 }).slice(1)
    const { units, dropped, signals } = run([...first, ...second.map(({ bytes }) => bytes)])
    expect(units.map(({ epoch, keyframe: key, lossBefore }) => [epoch, key, lossBefore])).toEqual([
      [0, true, false],
      [0, false, false],
      [1, true, false],
      [1, false, false],
    ])
    expect(dropped).toEqual({ 'before-keyframe': 1 })
    expect(signals).toEqual(['start'])
  })
})

describe('bounds', () => {
  const endless = (payload: Uint8Array, count: number): { emitted: number; dropped: Record<string, number> } => {
    const inputs = [
      ...packets(keyframe),
      ...Array.from({ length: count }, (_, i) =>
        serializeRtpPacket({ payloadType: 97, ssrc: 1, sequenceNumber: (i + 2) & 0xffff, rtpTimestamp: 1, payload }),
      ),
      ...packets([{ payload: p1, time: 2, marker: true, skip: (count + 1) & 0xffff }]),
    ]
    const { units, dropped } = run(inputs)
    return { emitted: units.length, dropped }
  }

  test('an access unit that does not end is given up by its bytes', () => {
    const slice = sliceNalUnit({ frameNum: 1, firstMb: 1, data: new Uint8Array(60_000).fill(1) })
    expect(endless(slice, 300)).toEqual({ emitted: 1, dropped: { 'too-large': 1, frozen: 1 } })
  })

  test('and by its NAL units', () => {
    const small = stapA(Array.from({ length: 5000 }, () => Uint8Array.of(6)))
    expect(endless(small, 8)).toEqual({ emitted: 1, dropped: { 'too-large': 1, frozen: 1 } })
  })
})
