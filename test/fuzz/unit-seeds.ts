import { H265NalUnitType, joinAnnexB } from '@rushes/bitstream'
import type { SourceItem, VideoCodec } from '@rushes/media'
import { createDepacketizer, parseRtpPacket } from '@rushes/rtp-depacketizer'
import {
  CRA,
  IDR_N_LP,
  ppsNalUnit,
  prefixSei,
  recoveryPointSei,
  sliceNalUnit,
  spsNalUnit,
  vpsNalUnit,
} from '../../packages/rtp-depacketizer/test/h265-stream.js'
import { capturedPackets, captureRecords } from './capture-seeds.js'

/** Of coded data, as much as holds every header. */
const HEAD_BYTES = 64

/** High profile, interlaced, with HRD, from x264: what no browser sends. */
const X264_SETS =
  '0000000167640015acd9421b602200000300020000030064c08001e848003d09498601f142996000000001' + '68fba3cb22c0'
/** VPS, SPS and PPS of x265, with VUI. */
const X265_SETS =
  '0000000140010c01ffff01600000030090000003000003001e9594090000000142010101600000030090000003000003001ea0102061659595' +
  '2930bc05a02000000300200000030321000000014401c073c189'

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** The first pictures of a capture, each as its units. */
function pictures(capture: string, codec: VideoCodec, count: number): (readonly Uint8Array[])[] {
  const found: (readonly Uint8Array[])[] = []
  const stage = createDepacketizer({ id: 'v', kind: 'video', codec, clockRate: 90_000 }, { startPackets: 1 })
  const keep = (item: SourceItem): void => {
    if (item.type === 'access-unit' && found.length < count) found.push(item.nalUnits)
  }
  for (const { data } of captureRecords(capture)) {
    if (found.length >= count) break
    stage.push(data, keep)
  }
  return found
}

const heads = (units: readonly Uint8Array[]): Uint8Array[] => units.map((unit) => unit.slice(0, HEAD_BYTES))

/** Byte streams: parameter sets and the beginnings of a few slices. */
export function h264Streams(): Uint8Array[] {
  const captured = ['solo', 'mutes', 'ramp'].map((take) =>
    joinAnnexB(pictures(`${take}/alice-video`, 'h264', 4).flatMap(heads)),
  )
  return [...captured, bytesOf(`${X264_SETS}0000000165888400`), bytesOf(`${X264_SETS}00000001419a2400`)]
}

/** As {@link h264Streams}. */
export function h265Streams(): Uint8Array[] {
  const sets = [vpsNalUnit(), spsNalUnit({ reorder: 2 }), ppsNalUnit()]
  const references = [
    { poc: 1, used: true },
    { poc: 2, used: false },
    { poc: 0, used: true, longTerm: 'whole' as const },
  ]
  const slices = [
    sliceNalUnit({ type: IDR_N_LP }),
    sliceNalUnit({ type: H265NalUnitType.trailR, poc: 4, references }),
    sliceNalUnit({ type: CRA, poc: 9 }),
    sliceNalUnit({ type: 1, poc: 3, address: 3, references: references.slice(0, 2), temporalId: 1 }),
  ]
  return [
    joinAnnexB([...sets, prefixSei, recoveryPointSei, ...slices]),
    ...slices.map((slice) => joinAnnexB([...sets, slice])),
    bytesOf(X265_SETS),
  ]
}

/** The beginnings of captured frames. */
export function videoFrames(codec: 'vp8' | 'vp9'): Uint8Array[] {
  const captures = codec === 'vp8' ? ['vp8', 'vp8-l1t3'] : ['vp9', 'vp9-l3t3', 'vp9-l3t3-key']
  return captures.flatMap((name) => pictures(`codecs/${name}`, codec, 6).flatMap(heads))
}

/** Captured temporal units, their OBUs one after the other. */
export function av1Streams(): Uint8Array[] {
  return ['av1', 'av1-l1t3', 'av1-l3t3-key'].flatMap((name) =>
    pictures(`codecs/${name}`, 'av1', 4).map((obus) => Uint8Array.from(heads(obus).flatMap((obu) => [...obu]))),
  )
}

/** Captured packets, and one of each way to count frames (RFC 6716 §3.2). */
export function opusPackets(): Uint8Array[] {
  const captured = ['solo/alice-audio', 'mutes/alice-audio'].flatMap((capture) =>
    capturedPackets(capture, 6).flatMap((bytes) => {
      const packet = parseRtpPacket(bytes)
      return typeof packet === 'string' || packet.payload.byteLength === 0 ? [] : [packet.payload.slice()]
    }),
  )
  return [...captured, ...['f8', 'f9aabb', 'fa01aabb', 'fb02aabb', 'fb4201aabb00', 'fbc3ff0101aabbcc'].map(bytesOf)]
}
