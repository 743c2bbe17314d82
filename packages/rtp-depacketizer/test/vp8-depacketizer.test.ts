import type { AccessUnit, VideoTrack } from '@rushes/media'
import { describe, expect, test } from 'vitest'
import { serializeRtpPacket, Vp8Depacketizer } from '../src/index.js'
import { Vp8PayloadDescriptor } from '../src/vp8/payload-descriptor.js'
import { accessUnitsOf, collect } from './collect.js'
import { packetize, type SentPicture, type Vp8Place, vp8Frame, vp8Payloads } from './frame-stream.js'

const camera: VideoTrack = {
  id: 'camera',
  kind: 'video',
  codec: 'vp8',
  clockRate: 90_000,
  headerExtensions: { 4: 'urn:3gpp:video-orientation' },
}

describe('payload descriptor (RFC 7741 §4.2)', () => {
  test.each([
    ['the smallest', '10', { startsFrame: true, nonReference: false, pictureId: -1, tl0PicIdx: -1, temporalId: -1 }],
    ['N', '30', { startsFrame: true, nonReference: true }],
    ['another partition', '13', { startsFrame: false }],
    ['a frame going on', '00', { startsFrame: false }],
    ['a picture id of 7 bits', '90807f', { pictureId: 127, pictureIdBits: 7 }],
    ['one of 15 bits', '9080ffff', { pictureId: 32_767, pictureIdBits: 15 }],
    ['TL0PICIDX and TID', '90e08011fea0', { pictureId: 17, tl0PicIdx: 254, temporalId: 2, layerSync: true }],
    ['KEYIDX without TID', '90101f', { temporalId: -1, layerSync: false }],
  ])('%s', (_, hex, expected) => {
    const bytes = Buffer.from(`${hex}aa`, 'hex')
    const descriptor = new Vp8PayloadDescriptor()
    expect(descriptor.read(bytes, 0, bytes.byteLength)).toBe(bytes.byteLength - 1)
    expect(descriptor).toMatchObject(expected)
  })

  test.each(['10', '90', '9080', '9080ff', '90f0800102'])('%s has no payload behind it', (hex) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(new Vp8PayloadDescriptor().read(bytes, 0, bytes.byteLength)).toBe(-1)
  })
})

function picture(index: number, place: Vp8Place = {}, keyframe = index === 0): SentPicture {
  const frame = vp8Frame(keyframe, new Uint8Array(20).fill(index), index < 5 ? 64 : 32)
  return { rtpTimestamp: index * 3000, payloads: vp8Payloads(frame, place, 15) }
}

function run(pictures: readonly SentPicture[], lost: readonly number[] = []) {
  const signals: string[] = []
  const depacketizer = new Vp8Depacketizer(camera, { onSignal: ({ reason }) => void signals.push(reason) })
  const packets = packetize(pictures).filter((_, index) => !lost.includes(index))
  const units: AccessUnit[] = accessUnitsOf(
    collect(
      depacketizer,
      packets.map(({ bytes }) => bytes),
    ),
  )
  return { units, times: units.map(({ rtpTimestamp }) => rtpTimestamp / 3000), signals, stats: depacketizer.stats }
}

describe('loss', () => {
  // A keyframe has two packets of 15 bytes, the others two too.
  test('without picture ids any loss freezes', () => {
    const { times, signals } = run([0, 1, 2, 3].map((index) => picture(index)).concat(picture(4, {}, true)), [4])
    expect(times).toEqual([0, 1, 4])
    expect(signals).toEqual(['loss'])
  })

  test('padding that is lost between two picture ids is no loss', () => {
    const pictures = [0, 1, 2].map((index) => ({ ...picture(index, { pictureId: index + 126 }), padding: 1 }))
    const { units, stats } = run(pictures, [2, 5])
    expect(units).toHaveLength(3)
    expect(units.some(({ lossBefore }) => lossBefore)).toBe(false)
    expect(stats).toMatchObject({ lost: 2, lostHarmless: 2 })
  })

  test('padding lost before padding of the same picture is no loss, without picture ids', () => {
    const pictures = [0, 1].map((index) => ({ ...picture(index), padding: 2 }))
    expect(run(pictures, [2]).stats).toMatchObject({ accessUnits: 2, lost: 1, lostHarmless: 1 })
  })

  test('a frame that no other needs is missed by none', () => {
    const pictures = [0, 1, 2].map((index) => picture(index, { pictureId: index, nonReference: index === 1 }))
    const { times, units, signals } = run(pictures, [3])
    expect(times).toEqual([0, 2])
    expect(units[1]).toMatchObject({ lossBefore: true, lostPackets: 1 })
    expect(signals).toEqual([])
  })

  test('a whole frame that is lost may have been one that others need', () => {
    const pictures = [0, 1, 2].map((index) => picture(index, { pictureId: index, nonReference: index === 1 }))
    expect(run(pictures, [2, 3]).times).toEqual([0])
  })

  test('a lost keyframe at the start is asked for', () => {
    const { times, signals } = run(
      [0, 1].map((index) => picture(index)),
      [0],
    )
    expect(times).toEqual([])
    expect(signals).toEqual(['start'])
  })
})

test('a new size is a new configuration; rotation comes with the keyframe', () => {
  const sizes = [picture(0), picture(1, {}, true), picture(5, {}, true)]
  expect(run(sizes).units.map(({ configuration: c }) => c && [c.codecString, c.width, c.height, c.rotation])).toEqual([
    ['vp8', 64, 48, 0],
    undefined,
    ['vp8', 32, 48, 0],
  ])
  const rotated = serializeRtpPacket({
    ...{ payloadType: 96, sequenceNumber: 1, rtpTimestamp: 0, ssrc: 7, marker: true },
    headerExtensions: [{ id: 4, data: Uint8Array.of(1) }],
    payload: Uint8Array.of(0x10, ...vp8Frame(true, new Uint8Array(9))),
  })
  const [unit] = accessUnitsOf(collect(new Vp8Depacketizer(camera), [rotated]))
  expect(unit!.configuration!.rotation).toBe(90)
})

test('a frame that is not shown, under the timestamp of the next', () => {
  const [first, second] = [picture(0, { pictureId: 0 }), picture(1, { pictureId: 1 })]
  const both = { rtpTimestamp: 0, payloads: [...first.payloads, ...second.payloads] }
  const { units } = run([both])
  expect(units.map(({ rtpTimestamp, keyframe, marker }) => [rtpTimestamp, keyframe, marker])).toEqual([
    [0, true, false],
    [0, false, true],
  ])
})

test('a keyframe whose header is none is damage', () => {
  const broken = { rtpTimestamp: 0, payloads: [Uint8Array.of(0x10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)] }
  const { units, stats } = run([broken])
  expect(units).toEqual([])
  expect(stats.malformed).toMatchObject({ 'frame-header': 1 })
  expect(stats.droppedUnits.damaged).toBe(1)
})

test('what comes behind the first keyframe of a new source is its own', () => {
  const pictures = [0, 1].map((index) => picture(index, { pictureId: index }))
  const again = packetize(pictures, 9000).map(({ bytes }) => {
    const copy = Uint8Array.from(bytes)
    copy[11] = 99
    return copy
  })
  const packets = [...packetize(pictures).map(({ bytes }) => bytes), ...again]
  const units = accessUnitsOf(collect(new Vp8Depacketizer(camera), packets))
  expect(units.map(({ epoch, keyframe }) => [epoch, keyframe])).toEqual([
    [0, true],
    [0, false],
    [1, true],
    [1, false],
  ])
})
