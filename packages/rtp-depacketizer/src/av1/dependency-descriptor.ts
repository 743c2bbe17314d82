import { findHeaderExtension } from '../rtp-header-extension.js'
import type { RtpPacket } from '../rtp-packet.js'

/** RTP header extension of the AV1 RTP payload format, appendix A. */
const DEPENDENCY_DESCRIPTOR_URI =
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension'

/** The id under which the dependency descriptor was negotiated, or 0. */
export function dependencyDescriptorId(headerExtensions: Readonly<Record<number, string>> | undefined): number {
  for (const [id, uri] of Object.entries(headerExtensions ?? {})) {
    if (uri === DEPENDENCY_DESCRIPTOR_URI) return Number(id)
  }
  return 0
}

/** The fields that every dependency descriptor begins with (appendix A). */
export interface DependencyDescriptor {
  /** 0 to 65,535: counts frames, each spatial layer its own. */
  readonly frameNumber: number
  readonly startsFrame: boolean
}

const MANDATORY_BYTES = 3

/** The beginning of a packet's dependency descriptor, where it has one. */
export function dependencyDescriptorOf(packet: RtpPacket, id: number): DependencyDescriptor | undefined {
  if (id === 0) return undefined
  if (packet.readExtensions !== undefined) {
    const data = packet.readExtensions.find((extension) => extension.id === id)?.data
    return data === undefined ? undefined : read(data, 0, data.byteLength)
  }
  if (packet.extensionOffset === 0) return undefined
  const { bytes, extensionProfile, extensionOffset, extensionEnd } = packet
  const at = findHeaderExtension(bytes, extensionProfile, extensionOffset, extensionEnd, id)
  return at < 0 ? undefined : read(bytes, at, extensionEnd)
}

function read(bytes: Uint8Array, at: number, end: number): DependencyDescriptor | undefined {
  if (at + MANDATORY_BYTES > end) return undefined
  return { startsFrame: bytes[at]! >= 0x80, frameNumber: (bytes[at + 1]! << 8) | bytes[at + 2]! }
}
