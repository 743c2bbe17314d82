import type { Track } from '@rushes/media'
import { serializeRtpPacket } from '@rushes/rtp-depacketizer'
import {
  aggregationPacket,
  CRA,
  encode as encodeH265,
  type PictureSpec,
  paci,
  packetize as packetizeH265,
  recoveryPointSei,
} from '../../../packages/rtp-depacketizer/test/h265-stream.js'
import { capturedSequences } from '../capture-seeds.js'
import type { FuzzTarget } from '../fuzz-target.js'
import { mutateSequence } from '../mutators/sequence.js'
import { encodeSequence, withoutPackets } from '../packet-sequence.js'
import { runDepacketizer } from './depacketizer-harness.js'

const VIDEO_CLOCK = 90_000

/** Every depacketizer, fed runs of packets, each with a timeline behind it. */
export const depacketizerTargets: readonly FuzzTarget[] = [
  target('h264', { id: 'v', kind: 'video', codec: 'h264', clockRate: VIDEO_CLOCK }, () => [
    ...['solo', 'lossy', 'burst-loss', 'mutes', 'ramp'].flatMap((take) => capturedSequences(`${take}/alice-video`, 4)),
    ...capturedSequences('rejoin/bob-video', 3),
  ]),
  target('h265', { id: 'v', kind: 'video', codec: 'h265', clockRate: VIDEO_CLOCK }, h265Sequences),
  target('vp8', { id: 'v', kind: 'video', codec: 'vp8', clockRate: VIDEO_CLOCK }, () => [
    ...capturedSequences('codecs/vp8', 6),
    ...capturedSequences('codecs/vp8-l1t3', 6),
  ]),
  target('vp9', { id: 'v', kind: 'video', codec: 'vp9', clockRate: VIDEO_CLOCK }, () => [
    ...capturedSequences('codecs/vp9', 5),
    ...capturedSequences('codecs/vp9-l3t3', 6),
    ...capturedSequences('codecs/vp9-l3t3-key', 6),
  ]),
  target('av1', { id: 'v', kind: 'video', codec: 'av1', clockRate: VIDEO_CLOCK }, () => [
    ...capturedSequences('codecs/av1', 5),
    ...capturedSequences('codecs/av1-l1t3', 5),
    ...capturedSequences('codecs/av1-l3t3-key', 6),
  ]),
  target('opus', { id: 'a', kind: 'audio', codec: 'opus', clockRate: 48_000 }, () => [
    ...capturedSequences('mutes/alice-audio', 6),
    ...capturedSequences('burst-loss/alice-audio', 4),
  ]),
  target('g711', { id: 'a', kind: 'audio', codec: 'pcmu', clockRate: 8000 }, () => sampleSequences(0)),
  target('g722', { id: 'a', kind: 'audio', codec: 'g722', clockRate: 8000 }, () => sampleSequences(9)),
]

function target(name: string, track: Track, seeds: () => Uint8Array[]): FuzzTarget {
  return {
    name: `${name}-depacketizer`,
    weight: track.kind === 'video' ? 6 : 4,
    seeds,
    mutate: mutateSequence,
    withoutParts: withoutPackets,
    run: (input) => runDepacketizer(track, input),
  }
}

/** H265 by hand: all kinds of pictures, fragments, aggregation packets with and without decoding order numbers, PACI. */
function h265Sequences(): Uint8Array[] {
  const kinds: readonly PictureSpec['kind'][] = ['idr', 'picture', 'picture', 'disposable', 'cra', 'rasl', 'picture']
  const specs = Array.from(
    { length: 14 },
    (_, index): PictureSpec => ({
      kind: kinds[index % kinds.length] ?? 'picture',
      temporalId: index % 3 === 2 ? 1 : 0,
      used: [true, index % 2 === 0],
      dropped: [false, index % 5 === 4],
      toLongTerm: index === 5,
      slices: 1 + (index % 2),
      dataLength: index % 4 === 1 ? 150 : 20,
      padding: index % 6 === 5 ? 1 : 0,
    }),
  )
  const units = encodeH265(specs, { firstTimestamp: 4_294_900_000 })
  const first = units[0]?.nalUnits ?? []
  const payloads = [
    aggregationPacket([...first.slice(0, 3), recoveryPointSei]),
    ...first.map((nalUnit) => paci(nalUnit, [1, 2, 3])),
    ...first.filter((nalUnit) => nalUnit[0]! >> 1 === CRA),
  ]
  const handMade = payloads.map((payload, index) =>
    serializeRtpPacket({ payload, payloadType: 98, sequenceNumber: 65_530 + index, rtpTimestamp: 3000, ssrc: 7 }),
  )
  const streams = [
    packetizeH265(units, { mtu: 100, aggregate: true, firstSequenceNumber: 65_520 }),
    packetizeH265(units, { mtu: 60, aggregate: false, firstDon: 65_530 }),
    packetizeH265(units.slice(4), { mtu: 1200, marker: false }),
  ].map((packets) => packets.map(({ bytes }) => bytes))
  return [...streams, handMade].map((packets) =>
    encodeSequence({ options: 0, packets: packets.slice(0, 40).map((bytes) => ({ delay: 5, bytes })) }),
  )
}

/** Blocks of 20 ms, with a pause. */
function sampleSequences(payloadType: number): Uint8Array[] {
  return [0, 65_530].map((first) => {
    const packets = Array.from({ length: 24 }, (_, index) => {
      const place = index < 12 ? index : index + 100
      const rtpTimestamp = (4_294_960_000 + place * 160) >>> 0
      const sequenceNumber = (first + index) & 0xffff
      const payload = new Uint8Array(160).fill(index)
      return { delay: 5, bytes: serializeRtpPacket({ payloadType, sequenceNumber, rtpTimestamp, ssrc: 7, payload }) }
    })
    return encodeSequence({ options: 0, packets })
  })
}
