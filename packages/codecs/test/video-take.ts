import { readFileSync } from 'node:fs'
import type { EncodedSample } from '@rushes/media'

/** Just enough of rtpdump and RFC 6184 for these tests: the H264 of a capture without loss, as samples. */
export function h264SamplesOf(take: string, file = 'alice-video'): EncodedSample[] {
  const bytes = readFileSync(new URL(`../../../test/fixtures/${take}/${file}.rtpdump`, import.meta.url))
  const packets = new Map<number, { readonly timestamp: number; readonly payload: Uint8Array }>()
  let first: number | undefined
  for (let offset = bytes.indexOf(0x0a) + 17; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt16BE(offset)
    const isRtp = bytes.readUInt16BE(offset + 2) > 0
    const packet = bytes.subarray(offset + 8, offset + length)
    offset += length
    if (!isRtp) continue
    let header = 12 + 4 * (packet[0]! & 0x0f)
    if ((packet[0]! & 0x10) !== 0) header += 4 + 4 * packet.readUInt16BE(header + 2)
    const padding = (packet[0]! & 0x20) !== 0 ? packet.at(-1)! : 0
    const payload = Uint8Array.from(packet.subarray(header, packet.length - padding))
    const sequence = packet.readUInt16BE(2)
    first ??= sequence
    if (payload.length > 0)
      packets.set(((sequence - first) << 16) >> 16, { timestamp: packet.readUInt32BE(4), payload })
  }
  const samples: EncodedSample[] = []
  let origin: number | undefined
  let fragments: Uint8Array[] = []
  for (const [, { timestamp, payload }] of [...packets].sort(([a], [b]) => a - b)) {
    origin ??= timestamp
    const pts = (timestamp - origin) | 0
    let last = samples.at(-1)
    if (last?.pts !== pts) {
      last = { type: 'sample', trackId: 'camera', data: [], pts, dts: pts, keyframe: false }
      samples.push(last)
    }
    const nalUnits = last.data as Uint8Array[]
    const type = payload[0]! & 31
    if (type === 24) {
      for (let at = 1; at + 2 < payload.length; ) {
        const size = (payload[at]! << 8) | payload[at + 1]!
        nalUnits.push(payload.subarray(at + 2, at + 2 + size))
        at += 2 + size
      }
    } else if (type === 28) {
      if ((payload[1]! & 0x80) !== 0) fragments = [Uint8Array.of((payload[0]! & 0xe0) | (payload[1]! & 31))]
      fragments.push(payload.subarray(2))
      if ((payload[1]! & 0x40) !== 0) nalUnits.push(Buffer.concat(fragments))
    } else nalUnits.push(payload)
  }
  return samples
}
