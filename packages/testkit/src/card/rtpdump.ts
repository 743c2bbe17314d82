/** Reads what the reference needs of a classic rtptools dump, apart from the code that records and plays takes. */

/** An RTP packet of a dump. */
export interface DumpPacket {
  readonly arrivalMs: number
  readonly sequence: number
  readonly timestamp: number
  readonly marker: boolean
  readonly ssrc: number
  readonly payloadType: number
  /** Without padding; empty in a packet that is padding only. */
  readonly payload: Uint8Array
}

/** A sender report of a dump. */
export interface DumpReport {
  readonly arrivalMs: number
  readonly ssrc: number
  /** Since 1970, by the sender's clock, in microseconds. */
  readonly ntpUs: number
  readonly timestamp: number
  /** How many RTP packets came before it. */
  readonly packetsBefore: number
}

/** One dump, in order of arrival. */
export interface Dump {
  readonly packets: readonly DumpPacket[]
  readonly reports: readonly DumpReport[]
}

/** Seconds from 1900, where NTP starts, to 1970. */
const NTP_OFFSET_S = 2_208_988_800

/** Reads a dump up to its end or to the first record that is cut short. */
export function readDump(bytes: Uint8Array): Dump {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const packets: DumpPacket[] = []
  const reports: DumpReport[] = []
  let at = bytes.indexOf(10) + 1 + 16
  while (at + 8 <= bytes.byteLength) {
    const recordBytes = view.getUint16(at)
    const isRtcp = view.getUint16(at + 2) === 0
    const arrivalMs = view.getUint32(at + 4)
    const end = at + recordBytes
    if (recordBytes < 8 || end > bytes.byteLength) break
    if (isRtcp) readReports(view, at + 8, end, arrivalMs, packets.length, reports)
    else packets.push(readPacket(bytes, view, at + 8, end, arrivalMs))
    at = end
  }
  return { packets, reports }
}

function readPacket(bytes: Uint8Array, view: DataView, at: number, end: number, arrivalMs: number): DumpPacket {
  const first = view.getUint8(at)
  let start = at + 12 + (first & 15) * 4
  if ((first & 0x10) !== 0) start += 4 + view.getUint16(start + 2) * 4
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(end - 1)
  return {
    arrivalMs,
    sequence: view.getUint16(at + 2),
    timestamp: view.getUint32(at + 4),
    ssrc: view.getUint32(at + 8),
    marker: view.getUint8(at + 1) >= 0x80,
    payloadType: view.getUint8(at + 1) & 0x7f,
    payload: bytes.subarray(start, Math.max(start, end - padding)),
  }
}

function readReports(
  view: DataView,
  start: number,
  end: number,
  arrivalMs: number,
  packetsBefore: number,
  reports: DumpReport[],
): void {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2) * 4) {
    if (view.getUint8(at + 1) !== 200 || at + 28 > end) continue
    reports.push({
      arrivalMs,
      packetsBefore,
      ssrc: view.getUint32(at + 4),
      ntpUs: (view.getUint32(at + 8) - NTP_OFFSET_S) * 1_000_000 + (view.getUint32(at + 12) * 1_000_000) / 2 ** 32,
      timestamp: view.getUint32(at + 16),
    })
  }
}

/** The value congruent to `value` modulo `wrap` that is nearest to `reference`. */
export function unwrapNear(value: number, reference: number, wrap: number): number {
  return value + Math.round((reference - value) / wrap) * wrap
}
