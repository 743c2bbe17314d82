import type { Take } from '@rushes/take'

/** First bytes of an RTP payload from which on a decoder can start, by codec. */
const STARTS: Record<'h264' | 'av1', (payload: Uint8Array) => boolean> = {
  // RFC 6184: an SPS alone, first in a STAP-A, or an IDR slice in fragments.
  h264: ([header = 0, second = 0, third = 0, fourth = 0]) => {
    const type = header & 31
    return (
      type === 7 ||
      type === 5 ||
      (type === 24 && (fourth & 31) === 7) ||
      (type === 28 && (second & 31) === 5 && third >= 0)
    )
  },
  // RTP payload format for AV1 §4.4: N, the first packet of a coded video sequence.
  av1: ([aggregation = 0]) => (aggregation & 0x08) !== 0,
}

/** How many pictures a take has from its first keyframe on: RTP timestamps of packets that hold something. */
export async function sentPictures(take: Take, codec: 'h264' | 'av1'): Promise<number> {
  const timestamps = new Set<number>()
  let hasStarted = false
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet' || item.rtcp || !item.trackId.includes('video')) continue
      const payload = payloadOf(item.data)
      if (payload.byteLength === 0) continue
      hasStarted ||= STARTS[codec](payload)
      if (hasStarted) timestamps.add(new DataView(item.data.buffer, item.data.byteOffset).getUint32(4))
    }
  }
  return timestamps.size
}

/** RFC 3550 §5.1. */
function payloadOf(packet: Uint8Array): Uint8Array {
  const [first = 0] = packet
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  let start = 12 + 4 * (first & 15)
  if ((first & 0x10) !== 0) start += 4 + 4 * view.getUint16(start + 2)
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(packet.byteLength - 1)
  return packet.subarray(start, packet.byteLength - padding)
}
