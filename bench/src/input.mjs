import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { h264Configuration, NalUnitType, nalUnitTypeOf, splitAnnexB } from '@rushes/bitstream'

/** One loop of the picture; closed GOPs, so that it can follow itself. */
const LOOP_SECONDS = 10
const FRAMES_PER_SECOND = 30
const TICKS_PER_FRAME = 3000
const MTU = 1200
const SPS_OR_PPS = new Set([NalUnitType.sps, NalUnitType.pps])

/** Encodes one loop into `dir`: 720p30 from x264 at 4 Mbit/s without B-frames, as calls send it. */
export function encodeLoop(dir) {
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=${FRAMES_PER_SECOND}`, '-t', String(LOOP_SECONDS)]
  const encoder = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '60', '-pix_fmt', 'yuv420p']
  const rate = ['-b:v', '4M', '-minrate', '4M', '-maxrate', '4M', '-bufsize', '4M', '-x264opts', 'nal-hrd=cbr:aud=1']
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, ...encoder, ...rate, '-f', 'h264', loopFile(dir)])
}

/**
 * The encoded loop, again and again, about `megabytes` in all.
 * @returns access units (NAL units), their times in 90 kHz ticks and the configuration
 */
export function readVideo(dir, megabytes) {
  const loop = []
  for (const nalUnit of splitAnnexB(readFileSync(loopFile(dir)))) {
    const type = nalUnitTypeOf(nalUnit)
    if (type === NalUnitType.accessUnitDelimiter) loop.push([])
    else if (type !== NalUnitType.fillerData) loop.at(-1).push(nalUnit)
  }
  const first = loop[0].filter((nalUnit) => SPS_OR_PPS.has(nalUnitTypeOf(nalUnit)))
  const configuration = h264Configuration(
    first.filter((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.sps),
    first.filter((nalUnit) => nalUnitTypeOf(nalUnit) === NalUnitType.pps),
  )
  const loopBytes = loop.flat().reduce((sum, nalUnit) => sum + nalUnit.byteLength, 0)
  const accessUnits = []
  for (let i = 0; i < Math.round((megabytes * 1e6) / loopBytes); i++) {
    for (const nalUnits of loop) accessUnits.push({ nalUnits, time90k: accessUnits.length * TICKS_PER_FRAME })
  }
  return { accessUnits, configuration }
}

/** Payload bytes of access units. */
export function bytesOf(accessUnits) {
  let bytes = 0
  for (const { nalUnits } of accessUnits) for (const nalUnit of nalUnits) bytes += nalUnit.byteLength
  return bytes
}

/** RTP packets of at most 1200 bytes of payload: single NAL units, and FU-A for what is longer (RFC 6184). */
export function packetize(accessUnits) {
  const packets = []
  const send = (time90k, marker, head, body) => {
    // Memory of its own, as a datagram has.
    const packet = Buffer.allocUnsafeSlow(12 + head.length + body.byteLength)
    packet[0] = 0x80
    packet[1] = (marker ? 0x80 : 0) | 96
    packet.writeUInt16BE(packets.length & 0xffff, 2)
    packet.writeUInt32BE((1_000_000 + time90k) >>> 0, 4)
    packet.writeUInt32BE(0x12345678, 8)
    packet.set(head, 12)
    packet.set(body, 12 + head.length)
    packets.push(packet)
  }
  for (const { nalUnits, time90k } of accessUnits) {
    for (const [i, nalUnit] of nalUnits.entries()) {
      const isLast = i === nalUnits.length - 1
      if (nalUnit.byteLength <= MTU) {
        send(time90k, isLast, [], nalUnit)
        continue
      }
      const indicator = (nalUnit[0] & 0xe0) | 28
      const type = nalUnit[0] & 0x1f
      for (let at = 1; at < nalUnit.byteLength; at += MTU - 2) {
        const body = nalUnit.subarray(at, at + MTU - 2)
        const isEnd = at + body.byteLength === nalUnit.byteLength
        send(time90k, isEnd && isLast, [indicator, (at === 1 ? 0x80 : 0) | (isEnd ? 0x40 : 0) | type], body)
      }
    }
  }
  return packets
}

/** RTP packets behind 16-bit lengths (RFC 4571). */
export function lengthPrefixed(packets) {
  const parts = []
  for (const packet of packets) {
    const length = Buffer.allocUnsafe(2)
    length.writeUInt16BE(packet.byteLength)
    parts.push(length, packet)
  }
  return Buffer.concat(parts)
}

function loopFile(dir) {
  return join(dir, 'loop.h264')
}
