import type { RtpPacket } from '@rushes/rtp-depacketizer'

/**
 * Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01): tells the sender when
 * each of its packets arrived, from which it finds out how much the way to us can carry. Without it a browser begins at
 * 300 kbit/s and climbs by less than a tenth each second.
 */

/** URI of the header extension that numbers the packets. */
export const TRANSPORT_CC_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

/** Packets remembered, a power of two: half a second at 60 Mbit/s, and how late a packet may come and still be told. */
const HISTORY = 4096
const MAX_REORDER = 512
/** Packets told of in one feedback packet: with two bytes for each it stays below 1,200 bytes. */
const MAX_STATUSES = 400
const TICK_US = 250
const REFERENCE_US = 64_000
/** Ticks that two bytes hold. */
const MAX_DELTA = 0x7fff

/** Remembers arrivals and writes feedback of them. */
export class TransportFeedback {
  readonly #arrivals = new Float64Array(HISTORY).fill(Number.NaN)
  /** Extended number of the next packet to tell of. */
  #base = -1
  #highest = -1
  /** Feedback packets written. */
  #count = 0

  /** Notes a packet by its transport-wide sequence number, modulo 2^16. */
  received(sequenceNumber: number, arrivalUs: number): void {
    if (this.#highest < 0) {
      this.#base = this.#highest = sequenceNumber + 0x1_0000
      this.#arrivals[this.#highest % HISTORY] = arrivalUs
      return
    }
    const step = ((sequenceNumber - this.#highest + 0x8000) & 0xffff) - 0x8000
    const extended = this.#highest + step
    if (step > 0) {
      if (step >= HISTORY) {
        // The sender began anew, or half a minute is missing: telling of it would help nobody.
        this.#arrivals.fill(Number.NaN)
        this.#base = extended
      } else {
        for (let lost = this.#highest + 1; lost < extended; lost++) this.#arrivals[lost % HISTORY] = Number.NaN
        // What was never told and now falls out of the history.
        this.#base = Math.max(this.#base, extended - HISTORY + 1)
      }
      this.#highest = extended
    } else {
      if (step < -MAX_REORDER || !Number.isNaN(this.#arrivals[extended % HISTORY]!)) return
      this.#base = Math.min(this.#base, extended)
    }
    this.#arrivals[extended % HISTORY] = arrivalUs
  }

  /** Writes what has not been told: none, one or, after a burst, several packets of RTCP. */
  flush(senderSsrc: number, mediaSsrc: number, emit: (bytes: Uint8Array) => void): void {
    while (this.#base >= 0 && this.#base <= this.#highest) {
      let arrived = this.#base
      while (arrived <= this.#highest && Number.isNaN(this.#at(arrived))) arrived++
      // What is missing at the end may still come.
      if (arrived > this.#highest) return
      // Losses in front are told with what came after them, as far as they fit.
      this.#base = Math.max(this.#base, arrived - MAX_STATUSES / 2)
      emit(this.#write(senderSsrc, mediaSsrc, arrived))
    }
  }

  #at(extended: number): number {
    return this.#arrivals[extended % HISTORY]!
  }

  #write(senderSsrc: number, mediaSsrc: number, arrived: number): Uint8Array {
    const first = this.#base
    const reference = Math.floor(this.#at(arrived) / REFERENCE_US)
    // Rounded from the beginning each time: differences added up would drift.
    let toldTicks = Math.floor((reference * REFERENCE_US) / TICK_US)
    const symbols: number[] = []
    const deltas: number[] = []
    let last = arrived
    for (let at = first; at <= this.#highest && symbols.length < MAX_STATUSES; at++) {
      const arrivalUs = this.#at(at)
      if (Number.isNaN(arrivalUs)) {
        symbols.push(0)
        continue
      }
      const ticks = Math.round(arrivalUs / TICK_US)
      const delta = ticks - toldTicks
      if (Math.abs(delta) > MAX_DELTA) break
      toldTicks = ticks
      symbols.push(delta >= 0 && delta <= 0xff ? 1 : 2)
      deltas.push(delta)
      last = at
    }
    // What is missing at the end may still come.
    symbols.length = last - first + 1
    this.#base = last + 1
    return this.#serialize(senderSsrc, mediaSsrc, first, reference, symbols, deltas)
  }

  #serialize(
    senderSsrc: number,
    mediaSsrc: number,
    first: number,
    reference: number,
    symbols: readonly number[],
    deltas: readonly number[],
  ): Uint8Array {
    const chunks = statusChunks(symbols)
    const deltaBytes = deltas.reduce((sum, delta) => sum + (delta >= 0 && delta <= 0xff ? 1 : 2), 0)
    const used = 20 + chunks.length * 2 + deltaBytes
    const bytes = new Uint8Array((used + 3) & ~3)
    const view = new DataView(bytes.buffer)
    const padding = bytes.byteLength - used
    bytes[0] = 0x80 | (padding > 0 ? 0x20 : 0) | 15
    bytes[1] = 205
    view.setUint16(2, bytes.byteLength / 4 - 1)
    view.setUint32(4, senderSsrc)
    view.setUint32(8, mediaSsrc)
    view.setUint16(12, first & 0xffff)
    view.setUint16(14, symbols.length)
    view.setUint32(16, (((reference & 0xff_ffff) << 8) | (this.#count & 0xff)) >>> 0)
    this.#count++
    let offset = 20
    for (const chunk of chunks) {
      view.setUint16(offset, chunk)
      offset += 2
    }
    for (const delta of deltas) {
      if (delta >= 0 && delta <= 0xff) view.setUint8(offset++, delta)
      else {
        view.setInt16(offset, delta)
        offset += 2
      }
    }
    if (padding > 0) bytes[bytes.byteLength - 1] = padding
    return bytes
  }
}

/** Runs of seven or more as a run, everything else seven by seven (§3.1.3, §3.1.4). */
function statusChunks(symbols: readonly number[]): number[] {
  const chunks: number[] = []
  let at = 0
  while (at < symbols.length) {
    const symbol = symbols[at]!
    let end = at + 1
    while (end < symbols.length && symbols[end] === symbol) end++
    if (end - at >= 7 || end === symbols.length) {
      chunks.push((symbol << 13) | (end - at))
      at = end
      continue
    }
    let chunk = 0xc000
    for (let i = 0; i < 7; i++) chunk |= (symbols[at + i] ?? 0) << (12 - i * 2)
    chunks.push(chunk)
    at += 7
  }
  return chunks
}

/** The two bytes of header extension `id` (RFC 8285), or -1. Runs for every packet: it allocates nothing. */
export function transportSequenceNumber(packet: RtpPacket, id: number): number {
  const { bytes, extensionProfile, extensionEnd } = packet
  const isOneByte = extensionProfile === 0xbede
  if (packet.extensionOffset === 0 || (!isOneByte && (extensionProfile & 0xfff0) !== 0x1000)) return -1
  let at = packet.extensionOffset
  while (at + 1 < extensionEnd) {
    const head = bytes[at]!
    if (head === 0) {
      at++
      continue
    }
    const found = isOneByte ? head >>> 4 : head
    if (isOneByte && found === 15) return -1
    const length = isOneByte ? (head & 0x0f) + 1 : bytes[at + 1]!
    at += isOneByte ? 1 : 2
    if (found === id) return length === 2 && at + 2 <= extensionEnd ? (bytes[at]! << 8) | bytes[at + 1]! : -1
    at += length
  }
  return -1
}
