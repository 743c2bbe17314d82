import type { VideoTrack } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { Av1Depacketizer, serializeRtpPacket } from '../src/index.js'
import { accessUnitsOf, collect } from './collect.js'
import { av1Frame, av1SequenceHeader, withSize } from './frame-stream.js'

const DEPENDENCY_DESCRIPTOR = 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension'
const camera: VideoTrack = {
  id: 'camera',
  kind: 'video',
  codec: 'av1',
  clockRate: 90_000,
  headerExtensions: { 13: DEPENDENCY_DESCRIPTOR },
}

const key = av1Frame(true, new Uint8Array(20).fill(1))
const delta = av1Frame(false, new Uint8Array(20).fill(2))
const disposable = av1Frame(false, new Uint8Array(20).fill(3), false)
/** A keyframe's packet: sequence header with length, frame without. */
const keyPayload = Uint8Array.of(0x28, av1SequenceHeader.byteLength, ...av1SequenceHeader, ...key)

interface SentPacket {
  readonly time: number
  readonly payload: Uint8Array
  readonly marker?: boolean
  readonly frameNumber?: number
  readonly starts?: boolean
}

function run(packets: readonly SentPacket[], lost: readonly number[] = [], track: VideoTrack = camera) {
  const signals: string[] = []
  const depacketizer = new Av1Depacketizer(track, { onSignal: ({ reason }) => void signals.push(reason) })
  const bytes = packets.map(({ time, payload, marker = true, frameNumber, starts = true }, sequenceNumber) =>
    serializeRtpPacket({
      ...{ payloadType: 96, ssrc: 7, sequenceNumber, rtpTimestamp: time * 3000, payload, marker },
      ...(payload.byteLength === 0 ? { paddingBytes: 200, marker: false } : {}),
      headerExtensions:
        frameNumber === undefined
          ? []
          : [{ id: 13, data: Uint8Array.of((starts ? 0x80 : 0) | 0x40, frameNumber >> 8, frameNumber & 255) }],
    }),
  )
  const units = accessUnitsOf(
    collect(
      depacketizer,
      bytes.filter((_, index) => !lost.includes(index)),
    ),
  )
  return { units, times: units.map(({ rtpTimestamp }) => rtpTimestamp / 3000), signals, stats: depacketizer.stats }
}

function whole(frame: Uint8Array): Uint8Array {
  return Uint8Array.of(0x10, ...frame)
}

describe('OBU elements', () => {
  test('with lengths, without a count; delimiter and padding left out', () => {
    const obus = [Uint8Array.of(0x10), av1SequenceHeader, key, Uint8Array.of(0x78, 1, 2)]
    const payload = Uint8Array.of(0x08, ...obus.flatMap((obu) => [obu.byteLength, ...obu]))
    const { units } = run([{ time: 0, payload }])
    expect(units[0]!.nalUnits).toEqual([withSize(av1SequenceHeader), withSize(key)])
    expect(units[0]).toMatchObject({ keyframe: true, configuration: { codecString: 'av01.0.00M.08', width: 480 } })
    expect(units[0]!.configuration!.sequenceHeader).toEqual(withSize(av1SequenceHeader))
  })

  test('that have a size field keep it', () => {
    const sized = Uint8Array.of(0x28, 13 - 1, ...withSize(av1SequenceHeader), ...withSize(key))
    expect(run([{ time: 0, payload: sized }]).units[0]!.nalUnits).toEqual([withSize(av1SequenceHeader), withSize(key)])
  })

  test('over three packets, its header byte alone in the first', () => {
    const first = Uint8Array.of(0x68, av1SequenceHeader.byteLength, ...av1SequenceHeader, key[0]!)
    const { units, stats } = run([
      { time: 0, payload: first, marker: false },
      { time: 0, payload: Uint8Array.of(0xd0, ...key.subarray(1, 9)), marker: false },
      { time: 0, payload: Uint8Array.of(0x90, ...key.subarray(9)) },
    ])
    expect(stats.malformed).toMatchObject({ 'frame-header': 0 })
    expect(units[0]?.nalUnits).toEqual([withSize(av1SequenceHeader), withSize(key)])
  })

  test.each([
    ['no element', '10'],
    ['a length past the end', '000530'],
    ['a length of zero', '0000'],
    ['fewer elements than counted', '30023030'],
    ['an OBU that is none', '1080'],
  ])('%s is damage', (_, hex) => {
    const payload = Uint8Array.from(Buffer.from(hex, 'hex'))
    const { units, stats } = run([
      { time: 0, payload: keyPayload },
      { time: 1, payload },
    ])
    expect(units).toHaveLength(1)
    const { malformed, droppedUnits } = stats
    const counted = (malformed['aggregation-header'] ?? 0) + (malformed['obu'] ?? 0)
    expect(counted + droppedUnits['no-picture']).toBeGreaterThan(0)
  })
})

describe('loss', () => {
  test('a temporal unit that goes on without its beginning', () => {
    const { times, stats } = run([
      { time: 0, payload: keyPayload },
      { time: 1, payload: Uint8Array.of(0x90, 1, 2, 3) },
    ])
    expect(times).toEqual([0])
    expect(stats.droppedUnits['beginning-lost']).toBe(1)
  })

  test('one that does not go on', () => {
    const open = { time: 1, payload: Uint8Array.of(0x50, ...delta) }
    const { times, stats } = run([{ time: 0, payload: keyPayload }, open, { time: 2, payload: whole(delta) }])
    expect(times).toEqual([0])
    expect(stats.droppedUnits).toMatchObject({ unfinished: 1, frozen: 1 })
  })

  const frames: SentPacket[] = [
    { time: 0, payload: keyPayload, frameNumber: 65_534 },
    { time: 0, payload: new Uint8Array(0) },
    { time: 1, payload: whole(delta), frameNumber: 65_535 },
    { time: 2, payload: whole(delta), frameNumber: 0 },
    { time: 3, payload: keyPayload, frameNumber: 1 },
  ]

  test('lost padding is none where frame numbers go on', () => {
    const { times, stats, units } = run(frames, [1])
    expect(times).toEqual([0, 1, 2, 3])
    expect(stats).toMatchObject({ lost: 1, lostHarmless: 1 })
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
  })

  test('without frame numbers it may have been a frame', () => {
    const { times, signals } = run(frames, [1], { ...camera, headerExtensions: {} })
    expect(times).toEqual([0, 3])
    expect(signals).toEqual(['loss'])
  })

  test('a lost frame freezes up to the next keyframe', () => {
    const { times, units } = run(frames, [2])
    expect(times).toEqual([0, 3])
    expect(units[1]).toMatchObject({ lossBefore: true, lostPackets: 1 })
  })

  test('of a frame that no other needs, it freezes nothing', () => {
    const half = [Uint8Array.of(0x50, ...disposable.subarray(0, 12)), Uint8Array.of(0x90, ...disposable.subarray(12))]
    const packets: SentPacket[] = [
      { time: 0, payload: keyPayload, frameNumber: 0 },
      { time: 1, payload: half[0]!, marker: false, frameNumber: 1 },
      { time: 1, payload: half[1]!, frameNumber: 1, starts: false },
      { time: 2, payload: whole(delta), frameNumber: 2 },
    ]
    expect(run(packets).times).toEqual([0, 1, 2])
    const { times, units, signals } = run(packets, [2])
    expect(times).toEqual([0, 2])
    expect(units[1]!.lossBefore).toBe(true)
    expect(signals).toEqual([])
  })
})

test('a keyframe without sequence header is given the last', () => {
  const { units } = run([
    { time: 0, payload: keyPayload },
    { time: 1, payload: whole(key) },
  ])
  expect(units.map(({ nalUnits }) => nalUnits)).toEqual([
    [withSize(av1SequenceHeader), withSize(key)],
    [withSize(av1SequenceHeader), withSize(key)],
  ])
  expect(units[1]).toMatchObject({ keyframe: true })
})
