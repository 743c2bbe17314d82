import { type Dump, type DumpPacket, unwrapNear } from './rtpdump.js'

/** A packet in its place. */
export interface OrderedPacket extends DumpPacket {
  /** Unwrapped. */
  readonly extendedSequence: number
  readonly extendedTimestamp: number
}

/** One RTP stream put in order, and its clock. */
export interface OrderedTrack {
  /** By sequence number, each once. */
  readonly packets: readonly OrderedPacket[]
  /** Microseconds since 1970 by the sender's clock, of an unwrapped timestamp: the median over all sender reports. */
  readonly ntpUsOf: (timestamp: number) => number
  readonly reportCount: number
}

/** Sorts, unwraps and removes duplicates; everything is at hand, so nothing has to be decided early. */
export function orderTrack(dump: Dump, ssrc: number, payloadType: number, clockRate: number): OrderedTrack {
  const bySequence = new Map<number, OrderedPacket>()
  const timestamps: number[] = []
  let sequence: number | undefined
  let timestamp: number | undefined
  for (const packet of dump.packets) {
    if (packet.ssrc === ssrc && packet.payloadType === payloadType) {
      sequence = unwrapNear(packet.sequence, sequence ?? packet.sequence, 2 ** 16)
      timestamp = unwrapNear(packet.timestamp, timestamp ?? packet.timestamp, 2 ** 32)
      if (!bySequence.has(sequence)) {
        bySequence.set(sequence, { ...packet, extendedSequence: sequence, extendedTimestamp: timestamp })
      }
    }
    timestamps.push(timestamp ?? Number.NaN)
  }
  const packets = [...bySequence.values()].sort((a, b) => a.extendedSequence - b.extendedSequence)
  const firstTimestamp = packets[0]?.extendedTimestamp ?? 0
  const usOf = (ticks: number): number => (ticks * 1_000_000) / clockRate
  const offsets = dump.reports
    .filter((report) => report.ssrc === ssrc)
    .map((report) => {
      const near = timestamps[report.packetsBefore - 1] ?? firstTimestamp
      return report.ntpUs - usOf(unwrapNear(report.timestamp, Number.isNaN(near) ? firstTimestamp : near, 2 ** 32))
    })
  const offset = median(offsets)
  return { packets, ntpUsOf: (ticks) => usOf(ticks) + offset, reportCount: offsets.length }
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
