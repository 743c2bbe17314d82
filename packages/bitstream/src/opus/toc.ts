import { BitstreamError } from '../errors.js'

/** What the first byte of an Opus packet says, and how many frames there are (RFC 6716 §3.1, §3.2). */
export interface OpusToc {
  /** 0 to 31 (Table 2). */
  readonly config: number
  readonly mode: 'silk' | 'hybrid' | 'celt'
  readonly bandwidth: 'narrowband' | 'mediumband' | 'wideband' | 'superwideband' | 'fullband'
  readonly stereo: boolean
  /** 2,500 to 60,000. */
  readonly frameDurationUs: number
  /** 1 to 48. */
  readonly frameCount: number
}

/** RFC 6716 §3.2.5, R5: a packet holds 120 ms at most. */
const MAX_PACKET_DURATION_US = 120_000
const SILK_DURATIONS_US = [10_000, 20_000, 40_000, 60_000] as const
const HYBRID_DURATIONS_US = [10_000, 20_000] as const
const CELT_DURATIONS_US = [2_500, 5_000, 10_000, 20_000] as const
const SILK_BANDWIDTHS = ['narrowband', 'mediumband', 'wideband'] as const
const HYBRID_BANDWIDTHS = ['superwideband', 'fullband'] as const
const CELT_BANDWIDTHS = ['narrowband', 'wideband', 'superwideband', 'fullband'] as const

/**
 * Reads the TOC byte and the frame count.
 * Throws BitstreamError `OPUS_BAD_PACKET` where the packet is empty, has no frame count, no frame, or over 120 ms.
 */
export function parseOpusToc(packet: Uint8Array): OpusToc {
  const byte = packet[0]
  if (byte === undefined) throw new BitstreamError('OPUS_BAD_PACKET', 'the packet is empty')
  const config = byte >>> 3
  const frameCount = frameCountOf(packet, byte & 3)
  const stereo = (byte & 4) !== 0
  const toc: OpusToc =
    config < 12
      ? {
          config,
          mode: 'silk',
          bandwidth: SILK_BANDWIDTHS[config >>> 2]!,
          stereo,
          frameDurationUs: SILK_DURATIONS_US[config & 3]!,
          frameCount,
        }
      : config < 16
        ? {
            config,
            mode: 'hybrid',
            bandwidth: HYBRID_BANDWIDTHS[(config - 12) >>> 1]!,
            stereo,
            frameDurationUs: HYBRID_DURATIONS_US[config & 1]!,
            frameCount,
          }
        : {
            config,
            mode: 'celt',
            bandwidth: CELT_BANDWIDTHS[(config - 16) >>> 2]!,
            stereo,
            frameDurationUs: CELT_DURATIONS_US[config & 3]!,
            frameCount,
          }
  if (toc.frameDurationUs * frameCount > MAX_PACKET_DURATION_US) {
    throw new BitstreamError(
      'OPUS_BAD_PACKET',
      `${frameCount} frames of ${toc.frameDurationUs} us, a packet has ${MAX_PACKET_DURATION_US} us at most`,
    )
  }
  return toc
}

function frameCountOf(packet: Uint8Array, code: number): number {
  if (code === 0) return 1
  if (code < 3) return 2
  const count = packet[1]
  if (count === undefined) throw new BitstreamError('OPUS_BAD_PACKET', 'code 3 needs a frame count byte')
  if ((count & 0x3f) === 0) throw new BitstreamError('OPUS_BAD_PACKET', 'a packet has one frame at least')
  return count & 0x3f
}
