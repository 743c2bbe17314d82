import { ONE_BYTE_PROFILE, type RtpHeaderExtension, TWO_BYTE_PROFILE } from './rtp-header-extension.js'

/** What an RTP packet is made of. Left out: no marker, no CSRCs, no header extensions, no padding. */
export interface RtpPacketFields {
  /** 0 to 127. */
  readonly payloadType: number
  /** Taken modulo 2^16. */
  readonly sequenceNumber: number
  /** Taken modulo 2^32. */
  readonly rtpTimestamp: number
  readonly ssrc: number
  readonly marker?: boolean
  readonly csrcs?: readonly number[]
  readonly headerExtensions?: readonly RtpHeaderExtension[]
  readonly payload: Uint8Array
  /** 0 to 255, the count byte included. */
  readonly paddingBytes?: number
}

/** Writes an RTP packet (RFC 3550 §5.1); header extensions in the one-byte form of RFC 8285 where they fit into it. */
export function serializeRtpPacket(fields: RtpPacketFields): Uint8Array {
  const csrcs = fields.csrcs ?? []
  const extensions = fields.headerExtensions ?? []
  const padding = fields.paddingBytes ?? 0
  const block = extensions.length === 0 ? undefined : serializeExtensions(extensions)
  const payloadOffset = 12 + csrcs.length * 4 + (block?.byteLength ?? 0)
  const bytes = new Uint8Array(payloadOffset + fields.payload.byteLength + padding)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (block === undefined ? 0 : 0x10) | csrcs.length
  bytes[1] = (fields.marker === true ? 0x80 : 0) | fields.payloadType
  view.setUint16(2, fields.sequenceNumber)
  view.setUint32(4, fields.rtpTimestamp)
  view.setUint32(8, fields.ssrc)
  for (const [index, csrc] of csrcs.entries()) view.setUint32(12 + index * 4, csrc)
  if (block !== undefined) bytes.set(block, 12 + csrcs.length * 4)
  bytes.set(fields.payload, payloadOffset)
  if (padding > 0) bytes[bytes.byteLength - 1] = padding
  return bytes
}

function serializeExtensions(extensions: readonly RtpHeaderExtension[]): Uint8Array {
  const oneByte = extensions.every(
    ({ id, data }) => id >= 1 && id <= 14 && data.byteLength >= 1 && data.byteLength <= 16,
  )
  let length = 0
  for (const { data } of extensions) length += (oneByte ? 1 : 2) + data.byteLength
  const words = Math.ceil(length / 4)
  const block = new Uint8Array(4 + words * 4)
  const view = new DataView(block.buffer)
  view.setUint16(0, oneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE)
  view.setUint16(2, words)
  let offset = 4
  for (const { id, data } of extensions) {
    if (oneByte) block[offset++] = (id << 4) | (data.byteLength - 1)
    else {
      block[offset++] = id
      block[offset++] = data.byteLength
    }
    block.set(data, offset)
    offset += data.byteLength
  }
  return block
}
