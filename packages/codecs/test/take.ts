import { readFileSync } from 'node:fs'
import type { EncodedSample } from '@rushes/media'

/** Just enough of rtpdump and RTP for these tests: the Opus payloads of a capture, in order, with unwrapped times. */
export interface OpusPacket {
  readonly payload: Uint8Array
  /** Ticks since the first packet. */
  readonly time: number
  readonly sequence: number
}

export function opusPacketsOf(take: string, file = 'alice-audio'): OpusPacket[] {
  const bytes = readFileSync(new URL(`../../../test/fixtures/${take}/${file}.rtpdump`, import.meta.url))
  const packets: OpusPacket[] = []
  const seen = new Set<number>()
  let firstTime: number | undefined
  for (let offset = bytes.indexOf(0x0a) + 17; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset)
    const isRtp = bytes.readUInt16BE(offset + 2) > 0
    const packet = bytes.subarray(offset + 8, offset + length)
    offset += length
    if (!isRtp) continue
    let header = 12 + 4 * (packet[0]! & 0x0f)
    if ((packet[0]! & 0x10) !== 0) header += 4 + 4 * packet.readUInt16BE(header + 2)
    const padding = (packet[0]! & 0x20) !== 0 ? packet.at(-1)! : 0
    const payload = packet.subarray(header, packet.length - padding)
    const sequence = packet.readUInt16BE(2)
    if (payload.length === 0 || seen.has(sequence)) continue
    seen.add(sequence)
    const timestamp = packet.readUInt32BE(4)
    firstTime ??= timestamp
    packets.push({ payload, time: (timestamp - firstTime) | 0, sequence })
  }
  return packets.sort((a, b) => a.time - b.time)
}

/** The samples that a time border would make of the packets, the first one at `start`. */
export function samplesOf(packets: readonly OpusPacket[], trackId: string, start = 0): EncodedSample[] {
  return packets.map(({ payload, time, sequence }, index) => {
    const lost = index === 0 ? 0 : ((sequence - packets[index - 1]!.sequence) & 0xffff) - 1
    return {
      type: 'sample',
      trackId,
      data: payload,
      pts: start + time,
      dts: start + time,
      keyframe: true,
      ...(lost > 0 && lost < 1000 ? { lostPackets: lost, discontinuity: true } : {}),
    }
  })
}
