import { readFileSync } from 'node:fs'
import { h264Configuration, isSameVideoConfiguration, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import type { EncodedSample, VideoConfiguration } from '@rushes/media'

const STAP_A = 24
const FU_A = 28

/**
 * The video of a captured take without loss as samples, put together in the plainest way: one access unit per RTP
 * timestamp, in order of arrival, NAL units in the pieces in which they came.
 */
export function capturedSamples(take: string, trackId: string): EncodedSample[] {
  const file = readFileSync(new URL(`../../../test/fixtures/${take}/alice-video.rtpdump`, import.meta.url))
  const units: { timestamp: number; pieces: Uint8Array[][] }[] = []
  for (let at = file.indexOf(0x0a) + 17; at + 8 <= file.byteLength; at += file.readUInt16BE(at)) {
    const packet = file.subarray(at + 8, at + file.readUInt16BE(at))
    const payload = file.readUInt16BE(at + 2) === 0 ? packet.subarray(0, 0) : rtpPayload(packet)
    if (payload.byteLength === 0) continue
    const timestamp = packet.readUInt32BE(4)
    if (units.at(-1)?.timestamp !== timestamp) units.push({ timestamp, pieces: [] })
    appendPayload(units.at(-1)!.pieces, payload)
  }
  let configuration: VideoConfiguration | undefined
  return units.map(({ timestamp, pieces }) => {
    const data = pieces.map((parts) => Buffer.concat(parts))
    const ofType = (type: number): Uint8Array[] => data.filter((nalUnit) => nalUnitTypeOf(nalUnit) === type)
    const found =
      ofType(NalUnitType.sps).length > 0
        ? h264Configuration(ofType(NalUnitType.sps), ofType(NalUnitType.pps))
        : undefined
    const isNew =
      found !== undefined && (configuration === undefined || !isSameVideoConfiguration(configuration, found))
    if (isNew) configuration = found
    const dts = (timestamp - units[0]!.timestamp) >>> 0
    const keyframe = ofType(NalUnitType.idrSlice).length > 0
    return {
      type: 'sample',
      trackId,
      data,
      pieces,
      pts: dts,
      dts,
      keyframe,
      ...(isNew ? { configuration: found } : {}),
    }
  })
}

function rtpPayload(packet: Buffer): Buffer {
  let start = 12 + (packet[0]! & 15) * 4
  if ((packet[0]! & 0x10) !== 0) start += 4 + packet.readUInt16BE(start + 2) * 4
  return packet.subarray(start, packet.byteLength - ((packet[0]! & 0x20) !== 0 ? packet.at(-1)! : 0))
}

function appendPayload(nalUnits: Uint8Array[][], payload: Buffer): void {
  const type = nalUnitTypeOf(payload)
  if (type === STAP_A) {
    for (let at = 1; at + 2 < payload.byteLength; at += 2 + payload.readUInt16BE(at)) {
      nalUnits.push([payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at))])
    }
  } else if (type === FU_A) {
    if ((payload[1]! & 0x80) !== 0) nalUnits.push([Buffer.of((payload[0]! & 0xe0) | (payload[1]! & 0x1f))])
    nalUnits.at(-1)!.push(payload.subarray(2))
  } else {
    nalUnits.push([payload])
  }
}
