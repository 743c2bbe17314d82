import { unwrapSequenceNumber } from '@rushes/rtp-depacketizer'

/** What forward error correction gave. */
export interface FecStats {
  readonly packets: number
  /** Media packets recovered. */
  readonly recovered: number
  /** FEC packets that cannot be read, or say what cannot be. */
  readonly malformed: number
  /** FEC packets given up: too much was missing for too long. */
  readonly unused: number
  /** Packets that only a further protection level could recover: no sender in use writes these. */
  readonly unsupported: number
}

/** Media packets remembered, a power of two: FEC packets follow what they protect within a picture or two. */
const HISTORY = 256
/** FEC packets that wait for more media. Chromium sends at most 48 a picture. */
const MAX_WAITING = 48
const FEC_HEADER_BYTES = 10
const RTP_HEADER_BYTES = 12

interface WaitingFec {
  readonly bytes: Uint8Array
  readonly payloadOffset: number
  readonly protectionLength: number
  /** Extended sequence numbers. */
  readonly covered: readonly number[]
}

/**
 * Recovers lost packets of one source from parity packets (RFC 5109, protection level 0, which is what Chromium and
 * GStreamer send): one lost packet for each parity packet, and recovered ones may complete others.
 */
export class UlpfecDecoder {
  readonly #ssrc: number
  readonly #packets: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(HISTORY).fill(undefined)
  readonly #numbers: number[] = new Array<number>(HISTORY).fill(-1)
  readonly #waiting: WaitingFec[] = []
  #highest: number | undefined
  readonly #stats = { packets: 0, recovered: 0, malformed: 0, unused: 0, unsupported: 0 }

  constructor(ssrc: number) {
    this.#ssrc = ssrc
  }

  get stats(): FecStats {
    return this.#stats
  }

  /**
   * Notes a media packet that is there. The bytes must be those that were protected: header extensions that change on
   * the way blanked, and they are kept, so that they must not change.
   */
  media(sequenceNumber: number, bytes: Uint8Array, emit: (bytes: Uint8Array) => void): void {
    this.#remember(sequenceNumber, bytes)
    if (this.#waiting.length > 0) this.#recoverAll(emit)
  }

  /** Takes the payload of a FEC packet. */
  fec(payload: Uint8Array, emit: (bytes: Uint8Array) => void): void {
    this.#stats.packets++
    const parsed = this.#parse(payload)
    if (parsed === undefined) {
      this.#stats.malformed++
      return
    }
    this.#waiting.push(parsed)
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift()
      this.#stats.unused++
    }
    this.#recoverAll(emit)
  }

  #remember(sequenceNumber: number, bytes: Uint8Array): void {
    this.#highest ??= sequenceNumber + 0x1_0000
    const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
    if (extended > this.#highest) this.#highest = extended
    else if (extended <= this.#highest - HISTORY) return
    this.#numbers[extended & (HISTORY - 1)] = extended
    this.#packets[extended & (HISTORY - 1)] = bytes
  }

  #find(extended: number): Uint8Array | undefined {
    const slot = extended & (HISTORY - 1)
    return this.#numbers[slot] === extended ? this.#packets[slot] : undefined
  }

  #parse(payload: Uint8Array): WaitingFec | undefined {
    if (payload.byteLength < FEC_HEADER_BYTES + 4 || payload[0]! >= 0x80) return undefined
    const maskBytes = (payload[0]! & 0x40) === 0 ? 2 : 6
    const payloadOffset = FEC_HEADER_BYTES + 2 + maskBytes
    const protectionLength = (payload[FEC_HEADER_BYTES]! << 8) | payload[FEC_HEADER_BYTES + 1]!
    if (payloadOffset + protectionLength > payload.byteLength) return undefined
    const base16 = (payload[2]! << 8) | payload[3]!
    this.#highest ??= base16 + 0x1_0000
    const base = unwrapSequenceNumber(base16, this.#highest)
    const covered: number[] = []
    for (let bit = 0; bit < maskBytes * 8; bit++) {
      const mask = payload[FEC_HEADER_BYTES + 2 + (bit >> 3)]!
      if ((mask & (0x80 >> (bit & 7))) !== 0) covered.push(base + bit)
    }
    return covered.length === 0 ? undefined : { bytes: payload, payloadOffset, protectionLength, covered }
  }

  #recoverAll(emit: (bytes: Uint8Array) => void): void {
    for (let index = 0; index < this.#waiting.length; ) {
      const fec = this.#waiting[index]!
      const missing = fec.covered.filter((extended) => this.#find(extended) === undefined)
      if (missing.length > 1 && fec.covered[0]! > this.#highest! - HISTORY) {
        index++
        continue
      }
      this.#waiting.splice(index, 1)
      if (missing.length > 1) this.#stats.unused++
      if (missing.length !== 1) continue
      const recovered = this.#recover(fec, missing[0]!)
      if (recovered === undefined) continue
      this.#stats.recovered++
      this.#remember(missing[0]! & 0xffff, recovered)
      // The receiver may do with its bytes what it likes.
      emit(recovered.slice())
      // It may be the last one that an earlier FEC packet waits for.
      index = 0
    }
  }

  #recover(fec: WaitingFec, missing: number): Uint8Array | undefined {
    const { bytes, payloadOffset, protectionLength, covered } = fec
    // §8.2: flags and counts, marker and type, time, length: XOR over all packets gives that of the missing one.
    // Not slice: of a Buffer that would be a view.
    const header = new Uint8Array(bytes.subarray(0, FEC_HEADER_BYTES))
    const body = new Uint8Array(bytes.subarray(payloadOffset, payloadOffset + protectionLength))
    for (const extended of covered) {
      if (extended === missing) continue
      const packet = this.#find(extended)
      if (packet === undefined) return undefined
      const length = packet.byteLength - RTP_HEADER_BYTES
      for (let at = 0; at < 8; at++) if (at !== 2 && at !== 3) header[at]! ^= packet[at]!
      header[8]! ^= length >>> 8
      header[9]! ^= length & 0xff
      const shared = Math.min(length, protectionLength)
      for (let at = 0; at < shared; at++) body[at]! ^= packet[RTP_HEADER_BYTES + at]!
    }
    const length = (header[8]! << 8) | header[9]!
    if (length > protectionLength) {
      this.#stats.unsupported++
      return undefined
    }
    const recovered = new Uint8Array(RTP_HEADER_BYTES + length)
    recovered.set(header.subarray(0, 8))
    recovered[0] = 0x80 | (header[0]! & 0x3f)
    recovered[2] = (missing >>> 8) & 0xff
    recovered[3] = missing & 0xff
    new DataView(recovered.buffer).setUint32(8, this.#ssrc)
    recovered.set(body.subarray(0, length), RTP_HEADER_BYTES)
    return recovered
  }
}
