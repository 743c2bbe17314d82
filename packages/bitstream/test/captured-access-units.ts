import { readFileSync } from 'node:fs'
import { nalUnitTypeOf } from '../src/index.js'

/** The access units of a captured take without loss, put together in the plainest way: by RTP timestamp. */
export function capturedAccessUnits(take: string): Uint8Array[][] {
  const file = readFileSync(new URL(`../../../test/fixtures/${take}/alice-video.rtpdump`, import.meta.url))
  const accessUnits: Uint8Array[][] = []
  let timestamp: number | undefined
  let offset = file.indexOf(0x0a) + 1 + 16
  while (offset + 8 <= file.byteLength) {
    const length = file.readUInt16BE(offset)
    const rtpLength = file.readUInt16BE(offset + 2)
    const packet = file.subarray(offset + 8, offset + length)
    offset += length
    if (rtpLength === 0) continue
    const payload = rtpPayload(packet)
    if (payload.byteLength === 0) continue
    const now = packet.readUInt32BE(4)
    if (now !== timestamp) accessUnits.push([])
    timestamp = now
    appendPayload(accessUnits.at(-1)!, payload)
  }
  return accessUnits
}

function rtpPayload(packet: Buffer): Buffer {
  let start = 12 + (packet[0]! & 15) * 4
  if ((packet[0]! & 0x10) !== 0) start += 4 + packet.readUInt16BE(start + 2) * 4
  return packet.subarray(start, packet.byteLength - ((packet[0]! & 0x20) !== 0 ? packet.at(-1)! : 0))
}

function appendPayload(nalUnits: Uint8Array[], payload: Buffer): void {
  const type = nalUnitTypeOf(payload)
  if (type === 24) {
    for (let at = 1; at + 2 < payload.byteLength; at += 2 + payload.readUInt16BE(at)) {
      nalUnits.push(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)))
    }
  } else if (type === 28) {
    const isStart = (payload[1]! & 0x80) !== 0
    if (isStart) nalUnits.push(Buffer.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f)))
    nalUnits.push(Buffer.concat([nalUnits.pop()!, payload.subarray(2)]))
  } else {
    nalUnits.push(payload)
  }
}
