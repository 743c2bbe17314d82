import type { RtpDamage } from './rtp-packet.js'

/** Why something that came was not used. */
export type RtpMalformed =
  | RtpDamage
  /** An RTCP compound that could be read in part only. */
  | 'rtcp'
  /** A sender report that says nothing of time (NTP timestamp 0). */
  | 'sender-report-without-time'

/**
 * What every depacketizer counts, since its start. The object is live: read it at any time at no cost, copy what is to
 * be kept.
 */
export interface RtpStats {
  /** RTP packets that came, whatever became of them; RTCP does not count. */
  packets: number
  /** Bytes of those packets, headers included. */
  bytes: number
  /** RTCP compounds. */
  rtcpPackets: number
  /** Sender reports emitted. */
  senderReports: number
  /** Packets that had come before, by sequence number. */
  duplicates: number
  /** Packets that came after one with a higher sequence number, and in time. */
  reordered: number
  /** Packets that came when they had been given up: they stay among the lost. */
  late: number
  /** Packets that never came, or too late. */
  lost: number
  /** Packets without a payload: probing, keep-alive. */
  paddingOnly: number
  /** Packets of another SSRC than `track.ssrc`. */
  foreignSsrc: number
  /** Packets of another payload type than `track.payloadType`. */
  foreignPayloadType: number
  /** Single packets that did not continue the source, of another SSRC or far off in sequence or time. */
  strays: number
  /** Inputs after the end of the track. */
  afterEnd: number
  /** Sources so far: 1 plus the number of restarts, 0 before the first packet. */
  epochs: number
  /** What could not be read, by cause. */
  malformed: Record<string, number>
}

/** Counters at zero. */
export function zeroRtpStats<Malformed extends string>(
  malformed: readonly Malformed[],
): RtpStats & { malformed: Record<RtpMalformed | Malformed, number> } {
  return {
    packets: 0,
    bytes: 0,
    rtcpPackets: 0,
    senderReports: 0,
    duplicates: 0,
    reordered: 0,
    late: 0,
    lost: 0,
    paddingOnly: 0,
    foreignSsrc: 0,
    foreignPayloadType: 0,
    strays: 0,
    afterEnd: 0,
    epochs: 0,
    malformed: zeroCounters([
      'too-short',
      'bad-version',
      'truncated-header',
      'bad-padding',
      'rtcp',
      'sender-report-without-time',
      ...malformed,
    ]),
  }
}

/** One counter at zero for each cause. */
export function zeroCounters<Cause extends string>(causes: readonly Cause[]): Record<Cause, number> {
  return Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<Cause, number>
}
