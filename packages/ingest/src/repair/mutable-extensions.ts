import { RtpPacket } from '@rushes/rtp-depacketizer'

/** Header extensions that senders fill in after FEC has been computed over them as zeros. */
const MUTABLE_URIS: ReadonlySet<string> = new Set([
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/transport-wide-cc-02',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/video-timing',
])

/** The ids of extensions that change after FEC. */
export function mutableExtensionIds(headerExtensions: Readonly<Record<number, string>>): ReadonlySet<number> {
  const ids = new Set<number>()
  for (const [id, uri] of Object.entries(headerExtensions)) if (MUTABLE_URIS.has(uri)) ids.add(Number(id))
  return ids
}

/** A copy of the packet as it was when FEC was computed. */
export function protectedCopy(bytes: Uint8Array, mutableIds: ReadonlySet<number>): Uint8Array {
  const copy = new Uint8Array(bytes)
  if (mutableIds.size === 0) return copy
  const packet = new RtpPacket()
  if (packet.read(copy) !== undefined) return copy
  // The elements are views of the copy.
  for (const { id, data } of packet.headerExtensions) if (mutableIds.has(id)) data.fill(0)
  return copy
}
