import { BitstreamError } from '../errors.js'
import { parseOpusToc } from './toc.js'

/** RFC 6716 §3.2.1: the longest frame, 255 * 4 + 255 bytes. */
const MAX_FRAME_BYTES = 1275
const SAMPLES_PER_SECOND = 48_000

/**
 * Length of a packet in samples at 48 kHz, the RTP clock of Opus, whatever its bandwidth.
 * Throws BitstreamError `OPUS_BAD_PACKET` where the packet breaks a rule of RFC 6716 §3.4 (empty, over 120 ms, frame
 * lengths that do not add up). A frame of no bytes is legal: it is how DTX looks.
 */
export function opusPacketDuration(packet: Uint8Array): number {
  const toc = parseOpusToc(packet)
  const code = packet[0]! & 3
  if (code === 0) atMostFrame(packet.byteLength - 1)
  else if (code === 1) equalFrames(packet.byteLength - 1, 2)
  else if (code === 2) checkLengths(packet, 1, packet.byteLength, 2)
  else checkCode3(packet, toc.frameCount)
  return (toc.frameDurationUs * toc.frameCount * SAMPLES_PER_SECOND) / 1_000_000
}

/** §3.2.5: the frame count byte (v, p, M), padding, then frames of one size or behind their lengths. */
function checkCode3(packet: Uint8Array, frameCount: number): void {
  const flags = packet[1]!
  let offset = 2
  let end = packet.byteLength
  if ((flags & 0x40) !== 0) {
    let value: number | undefined
    do {
      value = packet[offset++]
      if (value === undefined) throw new BitstreamError('OPUS_BAD_PACKET', 'the padding length is cut short')
      end -= value === 255 ? 254 : value
    } while (value === 255)
    if (offset > end) throw new BitstreamError('OPUS_BAD_PACKET', 'the padding is longer than the packet')
  }
  if ((flags & 0x80) === 0) equalFrames(end - offset, frameCount)
  else checkLengths(packet, offset, end, frameCount)
}

/** All frames but the last have a length in front (§3.2.1); the last takes what is left. */
function checkLengths(packet: Uint8Array, start: number, end: number, frameCount: number): void {
  let offset = start
  let total = 0
  for (let frame = 1; frame < frameCount; frame++) {
    const first = offset < end ? packet[offset++]! : undefined
    const second = first !== undefined && first >= 252 ? (offset < end ? packet[offset++] : undefined) : 0
    if (first === undefined || second === undefined) {
      throw new BitstreamError('OPUS_BAD_PACKET', 'a frame length is cut short')
    }
    total += first + second * 4
  }
  const last = end - offset - total
  if (last < 0) throw new BitstreamError('OPUS_BAD_PACKET', `the frames are ${-last} bytes longer than the packet`)
  atMostFrame(last)
}

function equalFrames(bytes: number, frameCount: number): void {
  if (bytes % frameCount !== 0) {
    throw new BitstreamError('OPUS_BAD_PACKET', `${bytes} bytes are not ${frameCount} frames of one size`)
  }
  atMostFrame(bytes / frameCount)
}

function atMostFrame(bytes: number): void {
  if (bytes > MAX_FRAME_BYTES) {
    throw new BitstreamError('OPUS_BAD_PACKET', `a frame has ${MAX_FRAME_BYTES} bytes at most, got ${bytes}`)
  }
}
