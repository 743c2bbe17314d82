import { leb128Bytes, writeLeb128 } from '@rushes/bitstream'
import { serializeRtpPacket } from '../src/index.js'

/** VP8, VP9 and AV1 made by hand: headers that hold, data that is arbitrary; and packets of them. */

/** What is sent under one timestamp: RTP payloads, in order. */
export interface SentPicture {
  readonly rtpTimestamp: number
  readonly payloads: readonly Uint8Array[]
  /** Padding-only packets behind it. */
  readonly padding?: number
}

export interface SentPacket {
  readonly bytes: Uint8Array
  /** Index of its picture; undefined for padding. */
  readonly picture: number | undefined
}

export function packetize(pictures: readonly SentPicture[], firstSequenceNumber = 0): SentPacket[] {
  let sequenceNumber = firstSequenceNumber
  return pictures.flatMap(({ rtpTimestamp, payloads, padding }, picture) => {
    const fields = (): { payloadType: number; ssrc: number; sequenceNumber: number; rtpTimestamp: number } => ({
      payloadType: 96,
      ssrc: 7,
      sequenceNumber: sequenceNumber++ & 0xffff,
      rtpTimestamp: rtpTimestamp % 2 ** 32,
    })
    const packets: SentPacket[] = payloads.map((payload, i) => ({
      picture,
      bytes: serializeRtpPacket({ ...fields(), payload, marker: i === payloads.length - 1 }),
    }))
    for (let i = 0; i < (padding ?? 0); i++) {
      const bytes = serializeRtpPacket({ ...fields(), payload: new Uint8Array(0), paddingBytes: 255 })
      packets.push({ picture: undefined, bytes })
    }
    return packets
  })
}

function split(data: Uint8Array, mtu: number): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let from = 0; from < data.byteLength; from += mtu) parts.push(data.subarray(from, from + mtu))
  return parts
}

// VP8

export function vp8Frame(keyframe: boolean, data: Uint8Array, width = 64, height = 48): Uint8Array {
  if (!keyframe) return Uint8Array.of(0x11, 0, 0, ...data)
  const size = [width & 255, width >> 8, height & 255, height >> 8]
  return Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, ...size, ...data)
}

export interface Vp8Place {
  readonly pictureId?: number
  /** @defaultValue 15 */
  readonly pictureIdBits?: 7 | 15
  readonly tl0PicIdx?: number
  readonly temporalId?: number
  readonly layerSync?: boolean
  readonly nonReference?: boolean
}

export function vp8Payloads(frame: Uint8Array, place: Vp8Place = {}, mtu = 1200): Uint8Array[] {
  const { pictureId, tl0PicIdx, temporalId } = place
  const extension: number[] = []
  if (pictureId !== undefined) {
    if (place.pictureIdBits === 7) extension.push(pictureId & 0x7f)
    else extension.push(0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff)
  }
  if (tl0PicIdx !== undefined) extension.push(tl0PicIdx & 0xff)
  if (temporalId !== undefined) extension.push((temporalId << 6) | (place.layerSync === true ? 0x20 : 0))
  const flags =
    (pictureId === undefined ? 0 : 0x80) | (tl0PicIdx === undefined ? 0 : 0x40) | (temporalId === undefined ? 0 : 0x20)
  const first = (flags === 0 ? 0 : 0x80) | (place.nonReference === true ? 0x20 : 0)
  return split(frame, mtu).map((part, i) =>
    Uint8Array.of(first | (i === 0 ? 0x10 : 0), ...(flags === 0 ? [] : [flags]), ...extension, ...part),
  )
}

// VP9

class BitWriter {
  readonly #bits: number[] = []

  u(bits: number, value: number): this {
    for (let i = bits - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) % 2)
    return this
  }

  bytes(): number[] {
    const bits = [...this.#bits]
    while (bits.length % 8 !== 0) bits.push(0)
    return Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2))
  }
}

export interface Vp9FrameFields {
  readonly keyframe?: boolean
  readonly width?: number
  readonly height?: number
  /** @defaultValue true */
  readonly errorResilient?: boolean
  /** @defaultValue 1 */
  readonly refresh?: number
  /** Its own size, though it is predicted. */
  readonly ownSize?: boolean
}

export function vp9Frame(fields: Vp9FrameFields, data: Uint8Array): Uint8Array {
  const { keyframe = false, width = 64, height = 48, errorResilient = true, refresh = 1, ownSize = false } = fields
  const bits = new BitWriter()
    .u(2, 2)
    .u(3, 0)
    .u(1, keyframe ? 0 : 1)
    .u(1, 1)
    .u(1, errorResilient ? 1 : 0)
  const size = (): BitWriter => bits.u(16, width - 1).u(16, height - 1)
  if (keyframe) {
    bits.u(24, 0x49_83_42).u(4, 0)
    size().u(1, 0)
  } else {
    if (!errorResilient) bits.u(2, 0)
    bits.u(8, refresh).u(12, 0)
    if (ownSize) {
      bits.u(3, 0)
      size()
    } else bits.u(1, 1)
    bits.u(1, 0).u(2, 1)
  }
  if (!errorResilient) bits.u(2, 0)
  bits.u(2, 0).u(9, 0).u(1, 0).u(8, 60).u(3, 0).u(1, 0).u(1, 0).u(16, data.byteLength)
  return Uint8Array.of(...bits.bytes(), ...data)
}

export interface Vp9Place {
  readonly pictureId: number
  /** @defaultValue 15 */
  readonly pictureIdBits?: 7 | 15
  readonly interPicture: boolean
  readonly flexible?: boolean
  readonly references?: readonly number[]
  readonly temporalId?: number
  readonly switchingUp?: boolean
  readonly spatialId?: number
  readonly interLayer?: boolean
  readonly tl0PicIdx?: number
}

export function vp9Payloads(frame: Uint8Array, place: Vp9Place, mtu = 1200): Uint8Array[] {
  const { pictureId, interPicture, flexible = false, references = [], temporalId } = place
  const descriptor: number[] = []
  if (place.pictureIdBits === 7) descriptor.push(pictureId & 0x7f)
  else descriptor.push(0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff)
  if (temporalId !== undefined) {
    const switchingUp = place.switchingUp === true ? 0x10 : 0
    descriptor.push(
      (temporalId << 5) | switchingUp | ((place.spatialId ?? 0) << 1) | (place.interLayer === true ? 1 : 0),
    )
    if (!flexible) descriptor.push((place.tl0PicIdx ?? 0) & 0xff)
  }
  if (flexible && interPicture) {
    descriptor.push(...references.map((reference, i) => (reference << 1) | (i < references.length - 1 ? 1 : 0)))
  }
  const flags = 0x80 | (interPicture ? 0x40 : 0) | (temporalId === undefined ? 0 : 0x20) | (flexible ? 0x10 : 0)
  const parts = split(frame, mtu)
  return parts.map((part, i) => {
    const ends = (i === 0 ? 0x08 : 0) | (i === parts.length - 1 ? 0x04 : 0)
    return Uint8Array.of(flags | ends, ...descriptor, ...part)
  })
}

// AV1

/** As Chromium sends it for 480x270, without layers. */
export const av1SequenceHeader: Uint8Array = Uint8Array.from(Buffer.from('0800000004477e1a00d004', 'hex'))

/** OBUs without size field, as RTP has them. */
export function av1Frame(keyframe: boolean, data: Uint8Array, isReference = true): Uint8Array {
  if (keyframe) return Uint8Array.of(0x30, 0x10, ...data)
  // disable_cdf_update, then refresh_frame_flags behind allow_screen_content_tools, size override, order hint, primary.
  const bits = new BitWriter().u(1, 0).u(2, 1).u(1, 1).u(1, 0).u(1, 1)
  bits.u(AV1_SKIPPED_BITS, 0).u(8, isReference ? 1 : 0)
  return Uint8Array.of(0x30, ...bits.bytes(), ...data)
}
/** allow_screen_content_tools, frame_size_override_flag, primary_ref_frame: with this sequence header. */
const AV1_SKIPPED_BITS = 5

/** An OBU as a container has it: with size field. */
export function withSize(obu: Uint8Array): Uint8Array {
  const header = new Uint8Array(1 + leb128Bytes(obu.byteLength - 1))
  header[0] = obu[0]! | 2
  writeLeb128(header, 1, obu.byteLength - 1)
  return Uint8Array.of(...header, ...obu.subarray(1))
}

/** RTP payloads of a temporal unit: elements with lengths, the last of a packet without where `counted`. */
export function av1Payloads(obus: readonly Uint8Array[], mtu = 1200, counted = true): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let elements: Uint8Array[] = []
  let room = mtu
  let continues = false
  const isStart = (obus[0]?.[0] ?? 0) >> 3 === 1
  const send = (isOpen: boolean): void => {
    const count = counted && elements.length <= 3 ? elements.length : 0
    const bytes = elements.flatMap((element, i) => {
      if (count > 0 && i === count - 1) return [...element]
      const length = new Uint8Array(leb128Bytes(element.byteLength))
      writeLeb128(length, 0, element.byteLength)
      return [...length, ...element]
    })
    const isFirst = payloads.length === 0
    const head = (continues ? 0x80 : 0) | (isOpen ? 0x40 : 0) | (count << 4) | (isStart && isFirst ? 0x08 : 0)
    payloads.push(Uint8Array.of(head, ...bytes))
    elements = []
    room = mtu
    continues = isOpen
  }
  for (const obu of obus) {
    let offset = 0
    while (offset < obu.byteLength) {
      const length = Math.min(room, obu.byteLength - offset)
      elements.push(obu.subarray(offset, offset + length))
      offset += length
      room -= length
      if (room <= 0) send(offset < obu.byteLength)
    }
  }
  if (elements.length > 0) send(false)
  return payloads
}
