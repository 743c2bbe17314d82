import { addEmulationPrevention } from '@rushes/bitstream'
import { type RtpPacketFields, serializeRtpPacket } from '../src/index.js'

/** H264 made by hand: parameter sets and slice headers that hold, slice data that is arbitrary. */

class BitWriter {
  readonly #bits: number[] = []

  u(bits: number, value: number): this {
    for (let i = bits - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) % 2)
    return this
  }

  ue(value: number): this {
    const code = (value + 1).toString(2)
    return this.u(code.length - 1, 0).u(code.length, value + 1)
  }

  se(value: number): this {
    return this.ue(value > 0 ? value * 2 - 1 : -value * 2)
  }

  bytes(): number[] {
    const bits = [...this.#bits, 1]
    while (bits.length % 8 !== 0) bits.push(0)
    return Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2))
  }
}

function nalUnit(header: number, rbsp: readonly number[]): Uint8Array {
  const ebsp = addEmulationPrevention(Uint8Array.from(rbsp))
  return Uint8Array.of(header, ...ebsp)
}

const LOG2_MAX_FRAME_NUM = 4

/** Baseline, pic_order_cnt_type 2, frame_num of 4 bits; size in macroblocks. */
export function spsNalUnit(widthMbs = 4, heightMbs = 3, id = 0): Uint8Array {
  const bits = new BitWriter().u(8, 66).u(8, 0xc0).u(8, 31).ue(id)
  bits
    .ue(LOG2_MAX_FRAME_NUM - 4)
    .ue(2)
    .ue(1)
    .u(1, 0)
  bits
    .ue(widthMbs - 1)
    .ue(heightMbs - 1)
    .u(1, 1)
    .u(1, 1)
    .u(1, 0)
    .u(1, 0)
  return nalUnit(0x67, bits.bytes())
}

export function ppsNalUnit(id = 0, spsId = 0): Uint8Array {
  const bits = new BitWriter().ue(id).ue(spsId).u(1, 0).u(1, 0).ue(0).ue(0).ue(0)
  bits.u(1, 0).u(2, 0).se(0).se(0).se(0).u(1, 0).u(1, 0).u(1, 0)
  return nalUnit(0x68, bits.bytes())
}

export interface SliceFields {
  readonly idr?: boolean
  readonly reference?: boolean
  readonly frameNum: number
  readonly firstMb?: number
  readonly ppsId?: number
  readonly idrPicId?: number
  /** Slice data, of any bytes. */
  readonly data?: Uint8Array
}

export function sliceNalUnit(fields: SliceFields): Uint8Array {
  const idr = fields.idr ?? false
  const bits = new BitWriter()
    .ue(fields.firstMb ?? 0)
    .ue(idr ? 7 : 5)
    .ue(fields.ppsId ?? 0)
  bits.u(LOG2_MAX_FRAME_NUM, fields.frameNum % 2 ** LOG2_MAX_FRAME_NUM)
  if (idr) bits.ue(fields.idrPicId ?? 0)
  const reference = idr || (fields.reference ?? true)
  return nalUnit((reference ? 0x60 : 0) | (idr ? 5 : 1), [...bits.bytes(), ...(fields.data ?? [])])
}

export const accessUnitDelimiter: Uint8Array = Uint8Array.of(9, 0xf0)
export const sei: Uint8Array = Uint8Array.of(6, 5, 1, 0xab, 0x80)
export const recoveryPointSei: Uint8Array = Uint8Array.of(6, 6, 1, 0xc0, 0x80)

export interface PacketizerOptions {
  readonly mtu?: number
  readonly firstSequenceNumber?: number
  readonly ssrc?: number
  readonly payloadType?: number
  /** Puts small neighbours together in STAP-A. */
  readonly aggregate?: boolean
  readonly marker?: boolean
}

export interface SentUnit {
  readonly rtpTimestamp: number
  readonly nalUnits: readonly Uint8Array[]
  /** Padding-only packets sent behind it. */
  readonly padding?: number
}

export interface SentPacket {
  readonly bytes: Uint8Array
  readonly sequenceNumber: number
  /** Index of its unit; undefined for padding. */
  readonly unit: number | undefined
}

/** RTP payloads of NAL units (RFC 6184, packetization mode 1). */
export function payloadsOf(nalUnits: readonly Uint8Array[], mtu: number, aggregate: boolean): Uint8Array[] {
  const payloads: Uint8Array[] = []
  for (let i = 0; i < nalUnits.length; i++) {
    const nal = nalUnits[i]!
    if (nal.byteLength > mtu) {
      for (let from = 1; from < nal.byteLength; from += mtu - 2) {
        const to = Math.min(from + mtu - 2, nal.byteLength)
        const flags = (from === 1 ? 0x80 : 0) | (to === nal.byteLength ? 0x40 : 0)
        payloads.push(Uint8Array.of((nal[0]! & 0xe0) | 28, flags | (nal[0]! & 0x1f), ...nal.subarray(from, to)))
      }
      continue
    }
    const group = [nal]
    let length = 1 + 2 + nal.byteLength
    while (i + 1 < nalUnits.length && length + 2 + nalUnits[i + 1]!.byteLength <= (aggregate ? mtu : 0)) {
      group.push(nalUnits[++i]!)
      length += 2 + nalUnits[i]!.byteLength
    }
    if (group.length === 1) payloads.push(nal)
    else payloads.push(stapA(group))
  }
  return payloads
}

export function stapA(nalUnits: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.of(0x78, ...nalUnits.flatMap((nal) => [nal.byteLength >> 8, nal.byteLength & 255, ...nal]))
}

export function packetize(units: readonly SentUnit[], options: PacketizerOptions = {}): SentPacket[] {
  const packets: SentPacket[] = []
  let sequenceNumber = options.firstSequenceNumber ?? 0
  const send = (unit: number | undefined, fields: Partial<RtpPacketFields> & { rtpTimestamp: number }): void => {
    packets.push({
      unit,
      sequenceNumber: sequenceNumber & 0xffff,
      bytes: serializeRtpPacket({
        payloadType: options.payloadType ?? 97,
        ssrc: options.ssrc ?? 0x1234_5678,
        payload: new Uint8Array(0),
        sequenceNumber: sequenceNumber++ & 0xffff,
        ...fields,
      }),
    })
  }
  for (const [index, { rtpTimestamp, nalUnits, padding }] of units.entries()) {
    const payloads = payloadsOf(nalUnits, options.mtu ?? 1200, options.aggregate ?? true)
    for (const [i, payload] of payloads.entries()) {
      const marker = (options.marker ?? true) && i === payloads.length - 1
      send(index, { rtpTimestamp, payload, marker })
    }
    for (let i = 0; i < (padding ?? 0); i++) send(undefined, { rtpTimestamp, paddingBytes: 255 })
  }
  return packets
}

export interface PictureSpec {
  readonly idr: boolean
  readonly reference: boolean
  readonly slices: number
  readonly dataLength: number
  readonly padding: number
  readonly step: number
}

/** A decodable stream, frame_num and all (ITU-T H.264 §7.4.3), from what each picture is to be. */
export function encode(specs: readonly PictureSpec[], firstTimestamp = 0): SentUnit[] {
  let rtpTimestamp = firstTimestamp
  let frameNum = 0
  let idrPicId = 0
  let afterReference = false
  return specs.map((spec, index) => {
    const idr = spec.idr || index === 0
    if (idr) frameNum = 0
    else if (afterReference) frameNum++
    afterReference = idr || spec.reference
    if (idr) idrPicId = (idrPicId + 1) % 2
    if (index > 0) rtpTimestamp += spec.step
    const slices = Array.from({ length: spec.slices }, (_, slice) =>
      sliceNalUnit({
        idr,
        reference: spec.reference,
        frameNum,
        firstMb: slice * 2,
        idrPicId,
        data: new Uint8Array(spec.dataLength).fill((index % 200) + 1),
      }),
    )
    return {
      rtpTimestamp: rtpTimestamp % 2 ** 32,
      nalUnits: idr ? [spsNalUnit(), ppsNalUnit(), ...slices] : slices,
      padding: spec.padding,
    }
  })
}
