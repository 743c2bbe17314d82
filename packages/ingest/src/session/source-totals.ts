import type { RtpSource } from './rtp-source.js'

/** What the sources of a section have counted, those that are gone included. */
export interface SourceTotals {
  packets: number
  bytes: number
  lost: number
  duplicates: number
  malformed: number
  nacks: number
  repaired: number
  givenUp: number
  rtx: number
  red: number
  fec: number
}

/** Nothing counted yet. */
export function noTotals(): SourceTotals {
  return {
    packets: 0,
    bytes: 0,
    lost: 0,
    duplicates: 0,
    malformed: 0,
    nacks: 0,
    repaired: 0,
    givenUp: 0,
    rtx: 0,
    red: 0,
    fec: 0,
  }
}

/** Adds what one source has counted. */
export function addSource(totals: SourceTotals, source: RtpSource): void {
  totals.packets += source.packets
  totals.bytes += source.bytes
  totals.lost += Math.max(0, source.statistics.cumulativeLost)
  totals.duplicates += source.duplicates
  totals.malformed += source.malformed
  totals.nacks += source.nack?.stats.requested ?? 0
  totals.repaired += source.nack?.stats.repaired ?? 0
  totals.givenUp += source.nack?.stats.givenUp ?? 0
  totals.rtx += source.recovered.rtx
  totals.red += source.recovered.red
  totals.fec += source.recovered.fec
}
