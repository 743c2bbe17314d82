import { parseOpusToc } from '@rushes/bitstream'

/**
 * How many samples at 48 kHz the packet repeats of the sound just before it: its low bit-rate redundancy (RFC 6716
 * §2.1.7, §4.2.5), which SILK and hybrid frames may carry for the frame before. 0 for packets without.
 */
export function opusRedundantSamples(packet: Uint8Array): number {
  try {
    const { mode, stereo, frameDurationUs } = parseOpusToc(packet)
    if (mode === 'celt') return 0
    const header = packet[firstFrameOffset(packet)]
    if (header === undefined) return 0
    // The first bits of a SILK frame: a voice activity flag per 20 ms and a flag for redundancy, per channel (§4.2.3).
    const flags = Math.max(1, frameDurationUs / 20_000)
    const mid = (header >> (7 - flags)) & 1
    const side = stereo ? (header >> (6 - 2 * flags)) & 1 : 0
    return (mid | side) === 0 ? 0 : (frameDurationUs * 48) / 1000
  } catch {
    return 0
  }
}

/** Where the first frame of a packet begins (RFC 6716 §3.2). */
function firstFrameOffset(packet: Uint8Array): number {
  const code = packet[0]! & 3
  if (code < 2) return 1
  if (code === 2) return 1 + lengthBytes(packet, 1)
  const counts = packet[1] ?? 0
  let offset = 2
  if ((counts & 0x40) !== 0) {
    while (packet[offset] === 255) offset++
    offset++
  }
  if ((counts & 0x80) === 0) return offset
  for (let frame = 1; frame < (counts & 0x3f); frame++) offset += lengthBytes(packet, offset)
  return offset
}

function lengthBytes(packet: Uint8Array, offset: number): number {
  return (packet[offset] ?? 0) < 252 ? 1 : 2
}
