/** What RTCP that comes in says of clocks and round trips, and `parseRtcpCompound` passes over. */

/** The clock of a sender, as its report gives it (RFC 3550 §6.4.1). */
export interface SenderClock {
  readonly type: 'sender-clock'
  readonly ssrc: number
  /** The middle 32 bits of the NTP timestamp, as a report block sends them back. */
  readonly ntpMiddle: number
  /** Where the report begins in the compound. */
  readonly offset: number
}

/** The echo of a receiver reference time (RFC 3611 §4.5). */
export interface ReferenceTimeEcho {
  readonly type: 'reference-time-echo'
  /** Who sent the reference time. */
  readonly ssrc: number
  /** The middle 32 bits of the reference time. */
  readonly lastReferenceTime: number
  /** How long the peer kept it, in units of 1/65,536 s. */
  readonly delay: number
}

/** Reads clocks and echoes from an RTCP compound; stops where it cannot be read, never throws. */
export function readClockEchoes(bytes: Uint8Array, visit: (item: SenderClock | ReferenceTimeEcho) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  while (offset + 4 <= bytes.byteLength && view.getUint8(offset) >>> 6 === 2) {
    const end = offset + 4 + view.getUint16(offset + 2) * 4
    if (end > bytes.byteLength) return
    const packetType = view.getUint8(offset + 1)
    if (packetType === 200 && offset + 28 <= end) {
      // The middle of 64 bits begins two bytes into them.
      const ssrc = view.getUint32(offset + 4)
      visit({ type: 'sender-clock', ssrc, ntpMiddle: view.getUint32(offset + 10), offset })
    } else if (packetType === 207) readEchoes(view, offset + 8, end, visit)
    offset = end
  }
}

function readEchoes(view: DataView, start: number, end: number, visit: (item: ReferenceTimeEcho) => void): void {
  let offset = start
  while (offset + 4 <= end) {
    const blockEnd = Math.min(end, offset + 4 + view.getUint16(offset + 2) * 4)
    if (view.getUint8(offset) === 5) {
      for (let at = offset + 4; at + 12 <= blockEnd; at += 12) {
        visit({
          type: 'reference-time-echo',
          ssrc: view.getUint32(at),
          lastReferenceTime: view.getUint32(at + 4),
          delay: view.getUint32(at + 8),
        })
      }
    }
    offset += 4 + view.getUint16(offset + 2) * 4
  }
}

/** The round trip in microseconds that an echo shows, or `undefined` where it cannot be one of ours. */
export function roundTripUs(echo: ReferenceTimeEcho, nowUs: number): number | undefined {
  if (echo.lastReferenceTime === 0) return undefined
  const now = middleOf(nowUs)
  const units = (now - echo.lastReferenceTime - echo.delay) | 0
  // Rounding on both sides may take it just below zero; more than a minute is no round trip.
  if (units < -66 || units > 60 * 65_536) return undefined
  return Math.max(0, Math.round((units * 1_000_000) / 65_536))
}

/** Microseconds as seconds and fraction, 16 bits each. */
export function middleOf(timeUs: number): number {
  return Math.floor((timeUs / 1_000_000) * 65_536) >>> 0
}
