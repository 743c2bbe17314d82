import { findHeaderExtension, listHeaderExtensions, type RtpHeaderExtension } from './rtp-header-extension.js'

/** Why bytes are no RTP packet (RFC 3550 §5.1, appendix A.1). */
export type RtpDamage = 'too-short' | 'bad-version' | 'truncated-header' | 'bad-padding'

const FIXED_HEADER_BYTES = 12
const NO_BYTES: Uint8Array = new Uint8Array(0)
const NO_EXTENSIONS: readonly RtpHeaderExtension[] = []

/**
 * One RTP packet (RFC 3550 §5.1) as a window on its bytes: nothing is copied, and what is seldom asked for (header
 * extensions, CSRCs, the payload as a view) is read when asked.
 * An object may be used again for the next packet by calling {@link RtpPacket.read} once more.
 */
export class RtpPacket {
  /** The bytes that the offsets point into. */
  bytes: Uint8Array = NO_BYTES
  marker = false
  /** 0 to 127. */
  payloadType = 0
  /** 0 to 65,535. */
  sequenceNumber = 0
  /** As on the wire, 0 to 2^32 - 1. */
  rtpTimestamp = 0
  ssrc = 0
  /** The payload is `bytes[payloadOffset]` up to, not including, `bytes[payloadEnd]`. */
  payloadOffset = 0
  payloadEnd = 0
  /** Padding at the end, its count byte included. */
  paddingBytes = 0
  /** Monotonic microseconds, where the host gave them. */
  arrivalUs: number | undefined = undefined
  /** The 16 bits "defined by profile", which tell the form of the header extension; 0 without one. */
  extensionProfile = 0
  extensionOffset = 0
  extensionEnd = 0
  /** Header extensions that somebody else has already read; they go before `extensionProfile`. */
  readExtensions: readonly RtpHeaderExtension[] | undefined = undefined

  /** Takes over `bytes`. Returns what is wrong with them, and then leaves the fields undefined; never throws. */
  read(bytes: Uint8Array): RtpDamage | undefined {
    const length = bytes.byteLength
    if (length < FIXED_HEADER_BYTES) return 'too-short'
    const flags = bytes[0]!
    if (flags >>> 6 !== 2) return 'bad-version'
    let offset = FIXED_HEADER_BYTES + (flags & 0x0f) * 4
    let profile = 0
    let extensionOffset = 0
    if ((flags & 0x10) !== 0) {
      if (offset + 4 > length) return 'truncated-header'
      profile = (bytes[offset]! << 8) | bytes[offset + 1]!
      extensionOffset = offset + 4
      offset = extensionOffset + ((bytes[offset + 2]! << 8) | bytes[offset + 3]!) * 4
    }
    if (offset > length) return 'truncated-header'
    let padding = 0
    if ((flags & 0x20) !== 0) {
      padding = bytes[length - 1]!
      if (padding === 0 || offset + padding > length) return 'bad-padding'
    }
    const second = bytes[1]!
    this.bytes = bytes
    this.marker = second >= 0x80
    this.payloadType = second & 0x7f
    this.sequenceNumber = (bytes[2]! << 8) | bytes[3]!
    this.rtpTimestamp = ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!) >>> 0
    this.ssrc = ((bytes[8]! << 24) | (bytes[9]! << 16) | (bytes[10]! << 8) | bytes[11]!) >>> 0
    this.payloadOffset = offset
    this.payloadEnd = length - padding
    this.paddingBytes = padding
    this.extensionProfile = profile
    this.extensionOffset = extensionOffset
    this.extensionEnd = extensionOffset === 0 ? 0 : offset
    this.readExtensions = undefined
    return undefined
  }

  /** Always 2. */
  get version(): number {
    return 2
  }

  /** A view of the payload. */
  get payload(): Uint8Array {
    // Not subarray: of a Buffer that would be a Buffer, at several times the cost.
    const { buffer, byteOffset } = this.bytes
    return new Uint8Array(buffer, byteOffset + this.payloadOffset, this.payloadEnd - this.payloadOffset)
  }

  /** Contributing sources, 0 to 15 of them. */
  get csrcs(): readonly number[] {
    const csrcs: number[] = []
    if (this.readExtensions !== undefined || this.bytes.byteLength < FIXED_HEADER_BYTES) return csrcs
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    for (let i = 0; i < (this.bytes[0]! & 0x0f); i++) csrcs.push(view.getUint32(FIXED_HEADER_BYTES + i * 4))
    return csrcs
  }

  /** All header extensions (RFC 8285), as views, in their order; an empty list where the form is not known. */
  get headerExtensions(): readonly RtpHeaderExtension[] {
    if (this.readExtensions !== undefined) return this.readExtensions
    if (this.extensionOffset === 0) return NO_EXTENSIONS
    return listHeaderExtensions(this.bytes, this.extensionProfile, this.extensionOffset, this.extensionEnd)
  }

  /** The first byte of header extension `id`, or -1 where there is none: a look that allocates nothing. */
  headerExtensionByte(id: number): number {
    if (this.readExtensions !== undefined) {
      const found = this.readExtensions.find((extension) => extension.id === id)
      return found?.data[0] ?? -1
    }
    if (this.extensionOffset === 0) return -1
    const at = findHeaderExtension(this.bytes, this.extensionProfile, this.extensionOffset, this.extensionEnd, id)
    return at < 0 ? -1 : this.bytes[at]!
  }
}

/** Parses one RTP packet, or tells what is wrong with it: `typeof result === 'string'`. Never throws. */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | RtpDamage {
  const packet = new RtpPacket()
  return packet.read(bytes) ?? packet
}
