import { type RtpPacket, serializeRtpPacket, unwrapSequenceNumber } from '@rushes/rtp-depacketizer'
import type { RedBlock } from './red.js'

/** What redundant blocks gave. */
export interface RedStats {
  /** Packets restored. */
  readonly restored: number
  /** Blocks whose packet could not be told: their sender skips packets, or its times contradict. */
  readonly ambiguous: number
}

/**
 * Sequence numbers remembered, a power of two. A block says how old it is in 14 bits of ticks, at most 341 ms at 48 kHz:
 * 34 packets of 10 ms.
 */
const HISTORY = 64

/** Restores lost audio packets from the redundant blocks of later ones (RFC 2198). */
export class RedRestorer {
  /** Extended sequence numbers by slot, -1 where none. */
  readonly #numbers: number[] = new Array<number>(HISTORY).fill(-1)
  readonly #timestamps: number[] = new Array<number>(HISTORY).fill(0)
  #highest: number | undefined
  readonly #stats = { restored: 0, ambiguous: 0 }

  get stats(): RedStats {
    return this.#stats
  }

  /** Notes a packet that is there, by whatever way it came. */
  received(sequenceNumber: number, rtpTimestamp: number): void {
    this.#highest ??= sequenceNumber + 0x1_0000
    const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
    if (extended > this.#highest) this.#highest = extended
    else if (extended <= this.#highest - HISTORY) return
    const slot = extended & (HISTORY - 1)
    this.#numbers[slot] = extended
    this.#timestamps[slot] = rtpTimestamp
  }

  /**
   * Emits packets that the redundant blocks hold and that are not there. Blocks carry times and no sequence numbers, and
   * senders differ in which packets they repeat: the place follows from the packets around it.
   */
  restore(packet: RtpPacket, blocks: readonly RedBlock[], emit: (bytes: Uint8Array) => void): void {
    if (this.#highest === undefined) return
    for (const block of blocks.slice(0, -1)) {
      if (block.end === block.start) continue
      const rtpTimestamp = (packet.rtpTimestamp - block.timestampOffset) >>> 0
      const place = this.#placeOf(rtpTimestamp, this.#highest)
      if (place === undefined) continue
      if (place < 0) {
        this.#stats.ambiguous++
        continue
      }
      this.#stats.restored++
      const sequenceNumber = place & 0xffff
      this.received(sequenceNumber, rtpTimestamp)
      const payload = packet.bytes.subarray(block.start, block.end)
      const { ssrc } = packet
      const { payloadType } = block
      emit(serializeRtpPacket({ payloadType, sequenceNumber, rtpTimestamp, ssrc, payload }))
    }
  }

  /**
   * The extended sequence number of a time: `undefined` where the packet is there, or from before the first one; -1 where
   * no place is free, or several are and the packets around them are not evenly spaced.
   */
  #placeOf(rtpTimestamp: number, highest: number): number | undefined {
    let before = -1
    let after = Number.POSITIVE_INFINITY
    let ticksBefore = 0
    let ticksAfter = 0
    for (let slot = 0; slot < HISTORY; slot++) {
      const number = this.#numbers[slot]!
      if (number < 0 || number <= highest - HISTORY) continue
      const ticks = (this.#timestamps[slot]! - rtpTimestamp) | 0
      if (ticks === 0) return undefined
      if (ticks < 0 && number > before) {
        before = number
        ticksBefore = -ticks
      } else if (ticks > 0 && number < after) {
        after = number
        ticksAfter = ticks
      }
    }
    if (before < 0) return undefined
    if (after === before + 2) return before + 1
    const step = (ticksBefore + ticksAfter) / (after - before)
    const isEven = Number.isInteger(step) && ticksBefore % step === 0
    return after > before + 2 && isEven ? before + ticksBefore / step : -1
  }
}
