import type { RtpPacket } from './rtp-packet.js'
import { unwrapSequenceNumber } from './sequence.js'

/** Bounds of a {@link ReorderBuffer}. */
export interface ReorderLimits {
  readonly maxPackets: number
  readonly maxBytes: number
  readonly maxDelayUs: number
  readonly startPackets: number
  readonly startDelayUs: number
}

/** What a reorder buffer counts. */
export interface ReorderCounters {
  duplicates: number
  reordered: number
  late: number
  lost: number
}

/** Takes packets in the order of their sequence numbers. `lost` never came in front of this one. */
export interface OrderedPacketSink {
  deliver(packet: RtpPacket, lost: number): void
}

/** What became of a packet. */
export const Insertion = {
  /** Passed on; the object is free again. */
  delivered: 0,
  /** Held: the object now belongs to the buffer. */
  held: 1,
  /** A duplicate, or too late; the object is free again. */
  dropped: 2,
  /** Too far ahead of, or behind, what came before to be of the same sequence. */
  jumpedAhead: 3,
  jumpedBack: 4,
} as const

/** RFC 3550 appendix A.1, MAX_DROPOUT: a step of more than this is a restart of the source rather than a loss. */
const MAX_DROPOUT = 3000
/** Slots for packets, by sequence number: a power of two above MAX_DROPOUT. */
const SLOTS = 4096
const SLOT_MASK = SLOTS - 1

/**
 * Puts packets back into the order of their sequence numbers. A packet that comes in order passes through at once; one
 * that is ahead waits for those before it, until they come or a bound on packets, bytes or time gives them up as lost.
 * Only the first few of a sequence wait in any case: which of them comes first cannot be known before.
 */
export class ReorderBuffer {
  readonly #limits: ReorderLimits
  readonly #counters: ReorderCounters
  readonly #sink: OrderedPacketSink
  readonly #slots: (RtpPacket | undefined)[] = new Array<RtpPacket | undefined>(SLOTS).fill(undefined)
  /** 1 where the packet of that slot was delivered, for the last SLOTS sequence numbers. */
  readonly #delivered: Uint8Array = new Uint8Array(SLOTS)
  /** The first packets of a sequence, or `undefined` once it runs. */
  #start: RtpPacket[] | undefined = []
  #startedUs = Number.POSITIVE_INFINITY
  /** Extended sequence number of the next packet to deliver. */
  #expected = 0
  #highest = 0
  #held = 0
  #heldBytes = 0
  /** Arrival of the packet that has waited longest; Infinity where that is not known. */
  #oldestUs = Number.POSITIVE_INFINITY

  constructor(limits: ReorderLimits, counters: ReorderCounters, sink: OrderedPacketSink) {
    this.#limits = limits
    this.#counters = counters
    this.#sink = sink
  }

  /** Packets that wait. */
  get size(): number {
    return this.#held + (this.#start?.length ?? 0)
  }

  /** Returns one of {@link Insertion}. */
  push(packet: RtpPacket): number {
    if (this.#start !== undefined) return this.#collect(this.#start, packet)
    const extended = unwrapSequenceNumber(packet.sequenceNumber, this.#highest)
    if (extended === this.#expected) {
      this.#advance(packet, 0)
      if (this.#held > 0) this.#drain()
      return Insertion.delivered
    }
    if (extended > this.#highest + MAX_DROPOUT) return Insertion.jumpedAhead
    if (extended < this.#highest - MAX_DROPOUT) return Insertion.jumpedBack
    if (extended < this.#expected) {
      if (this.#delivered[extended & SLOT_MASK] === 1) this.#counters.duplicates++
      else this.#counters.late++
      return Insertion.dropped
    }
    return this.#hold(packet, extended)
  }

  /** Gives up what packets have waited for too long. */
  expire(nowUs: number): void {
    if (this.#start !== undefined) {
      if (this.#start.length > 0 && nowUs - this.#startedUs >= this.#limits.startDelayUs) this.#begin(this.#start)
    }
    while (this.#held > 0 && nowUs - this.#oldestUs >= this.#limits.maxDelayUs) this.#giveUpGap()
  }

  /** When `expire` will have something to do, should nothing come until then. */
  nextDeadline(): number | undefined {
    const deadline =
      this.#start === undefined ? this.#oldestUs + this.#limits.maxDelayUs : this.#startedUs + this.#limits.startDelayUs
    return Number.isFinite(deadline) ? deadline : undefined
  }

  /** Delivers everything held. */
  flush(): void {
    if (this.#start !== undefined && this.#start.length > 0) this.#begin(this.#start)
    while (this.#held > 0) this.#giveUpGap()
  }

  /** Begins a new sequence, with whatever number comes; call `flush` before. */
  restart(): void {
    this.#start = []
    this.#startedUs = Number.POSITIVE_INFINITY
    this.#delivered.fill(0)
  }

  #collect(start: RtpPacket[], packet: RtpPacket): number {
    const first = start[0]
    if (first !== undefined) {
      const distance = unwrapSequenceNumber(packet.sequenceNumber, first.sequenceNumber) - first.sequenceNumber
      // Half the distance either way: the lowest and the highest are then no more than MAX_DROPOUT apart.
      if (distance > MAX_DROPOUT / 2) return Insertion.jumpedAhead
      if (distance < -MAX_DROPOUT / 2) return Insertion.jumpedBack
    }
    if (start.some((other) => other.sequenceNumber === packet.sequenceNumber)) {
      this.#counters.duplicates++
      return Insertion.dropped
    }
    start.push(packet)
    if (packet.arrivalUs !== undefined && packet.arrivalUs < this.#startedUs) this.#startedUs = packet.arrivalUs
    if (start.length >= this.#limits.startPackets) this.#begin(start)
    return Insertion.held
  }

  #begin(start: RtpPacket[]): void {
    this.#start = undefined
    this.#startedUs = Number.POSITIVE_INFINITY
    const reference = start[0]!.sequenceNumber
    let lowest = reference
    for (const packet of start) {
      lowest = Math.min(lowest, unwrapSequenceNumber(packet.sequenceNumber, reference))
    }
    this.#expected = lowest
    this.#highest = lowest - 1
    for (const packet of start) this.push(packet)
  }

  #hold(packet: RtpPacket, extended: number): number {
    while (extended - this.#expected >= SLOTS) this.#giveUpGap()
    const slot = extended & SLOT_MASK
    if (this.#slots[slot] !== undefined) {
      this.#counters.duplicates++
      return Insertion.dropped
    }
    if (extended > this.#highest) this.#highest = extended
    else this.#counters.reordered++
    this.#slots[slot] = packet
    this.#held++
    this.#heldBytes += packet.bytes.byteLength
    const arrivalUs = packet.arrivalUs
    if (arrivalUs !== undefined && arrivalUs < this.#oldestUs) this.#oldestUs = arrivalUs
    while (this.#held > this.#limits.maxPackets || this.#heldBytes > this.#limits.maxBytes) this.#giveUpGap()
    return Insertion.held
  }

  /** Passes `packet` on as the expected one. */
  #advance(packet: RtpPacket, lost: number): void {
    const extended = this.#expected
    if (extended > this.#highest) this.#highest = extended
    else this.#counters.reordered++
    this.#delivered[extended & SLOT_MASK] = 1
    this.#expected = extended + 1
    this.#sink.deliver(packet, lost)
  }

  /** Delivers what follows without a gap. */
  #drain(): void {
    for (;;) {
      const slot = this.#expected & SLOT_MASK
      const packet = this.#slots[slot]
      if (packet === undefined) break
      this.#release(packet, slot, 0)
    }
    this.#findOldest()
  }

  #release(packet: RtpPacket, slot: number, lost: number): void {
    this.#highest = Math.max(this.#highest, this.#expected)
    this.#delivered[slot] = 1
    this.#slots[slot] = undefined
    this.#held--
    this.#heldBytes -= packet.bytes.byteLength
    this.#expected++
    this.#sink.deliver(packet, lost)
  }

  /** The packets before the first held one are lost: goes on with that one. Something must be held. */
  #giveUpGap(): void {
    let lost = 0
    let slot = this.#expected & SLOT_MASK
    while (this.#slots[slot] === undefined) {
      this.#delivered[slot] = 0
      lost++
      slot = (slot + 1) & SLOT_MASK
    }
    this.#expected += lost
    this.#counters.lost += lost
    this.#release(this.#slots[slot]!, slot, lost)
    this.#drain()
  }

  #findOldest(): void {
    this.#oldestUs = Number.POSITIVE_INFINITY
    let left = this.#held
    for (let extended = this.#expected; left > 0; extended++) {
      const packet = this.#slots[extended & SLOT_MASK]
      if (packet === undefined) continue
      left--
      if (packet.arrivalUs !== undefined && packet.arrivalUs < this.#oldestUs) this.#oldestUs = packet.arrivalUs
    }
  }
}
