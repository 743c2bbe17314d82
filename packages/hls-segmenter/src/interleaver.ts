/** Many tracks into one sequence in decoding order. */

import {
  ConfigurationError,
  type Emit,
  type EncodedSample,
  type Stage,
  type TimedItem,
  type Track,
  type TrackEnd,
  ticksToUs,
  timescaleOf,
  type Watermark,
} from '@rushes/media'
import { Fifo } from './fifo.js'
import { sampleBytes } from './sample-bytes.js'
import { compareTicks } from './tick-order.js'

/** How long an {@link Interleaver} waits for a silent track. */
export interface InterleaverOptions {
  /**
   * Microseconds of decoding time that may be held while a track is silent without a watermark: longer than any
   * reordering or jitter between tracks, short enough that a live output is not stalled for long by a dead one.
   * @defaultValue 10,000,000
   */
  readonly maxHeldUs?: number
  /** Payload bytes that may be held, over all tracks. @defaultValue 67,108,864 (64 MiB: 50 Mbit/s for 10 s) */
  readonly maxHeldBytes?: number
}

/** Counters of an {@link Interleaver}. */
export interface InterleaverStats {
  /** Samples emitted. */
  readonly samples: number
  /** Samples held now, and their payload bytes. */
  readonly heldSamples: number
  readonly heldBytes: number
  /** How often a silent track was no longer waited for. */
  readonly passedOver: number
  /** Samples that were emitted behind what had been emitted of other tracks. */
  readonly late: number
  /** Samples dropped because they were not after the sample before of their own track. */
  readonly outOfOrder: number
  /** Items dropped because their track is not known. */
  readonly unknownTrack: number
}

interface Lane {
  readonly track: Track
  readonly timescale: number
  readonly queue: Fifo<EncodedSample | TrackEnd>
  /** DTS of the newest sample that came. */
  lastDts: number
  /** Nothing comes before this DTS, as samples and watermarks say. */
  frontier: number
  /** It has ended, or was silent for too long, and is not waited for until it sends again. */
  ended: boolean
  passedOver: boolean
}

/**
 * Orders the samples of many tracks by DTS, compared exactly across timescales; at the same instant the track that was
 * named first goes first. A sample goes out once every other live track has a sample at or after it, a watermark at or
 * after it, or has ended.
 *
 * A track that is silent for longer than the bounds allow, without a watermark, is passed over: the others go on
 * without it. If it comes back with samples behind what is out already, these are late. They are emitted at once and
 * unchanged: a changed time would break the track's own timing and sync for good, and dropping them would lose media
 * that the take has. So DTS never step back within a track, and across tracks only where `stats.late` counts it.
 *
 * Of watermarks, only combined ones are emitted: where all live tracks have moved past the last sample without
 * sending, one watermark of the slowest track says so. What leaves this stage at time T therefore means for every
 * track: nothing before T will follow (save late samples).
 */
export class Interleaver implements Stage<TimedItem, TimedItem> {
  readonly #lanes: Lane[] = []
  readonly #byId = new Map<string, Lane>()
  readonly #maxHeldUs: number
  readonly #maxHeldBytes: number
  // The latest instant that went out, of a sample or a watermark.
  #outTicks = Number.NEGATIVE_INFINITY
  #outTimescale = 1
  #stats = { samples: 0, heldSamples: 0, heldBytes: 0, passedOver: 0, late: 0, outOfOrder: 0, unknownTrack: 0 }

  constructor(tracks: readonly Track[], options: InterleaverOptions = {}) {
    this.#maxHeldUs = positive('maxHeldUs', options.maxHeldUs ?? 10_000_000)
    this.#maxHeldBytes = positive('maxHeldBytes', options.maxHeldBytes ?? 64 * 1024 * 1024)
    for (const track of tracks) this.addTrack(track)
  }

  /** Adds a track that starts late; from now on it is waited for like the others. */
  addTrack(track: Track): void {
    if (this.#byId.has(track.id)) throw new ConfigurationError('track.id', 'must be unique', track.id)
    const lane: Lane = {
      track,
      timescale: timescaleOf(track),
      queue: new Fifo(),
      lastDts: Number.NEGATIVE_INFINITY,
      frontier: Number.NEGATIVE_INFINITY,
      ended: false,
      passedOver: false,
    }
    this.#lanes.push(lane)
    this.#byId.set(track.id, lane)
  }

  get stats(): InterleaverStats {
    return { ...this.#stats }
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    const lane = this.#byId.get(item.trackId)
    if (lane === undefined) {
      this.#stats.unknownTrack++
      return
    }
    if (item.type === 'sample') this.#onSample(lane, item, emit)
    else if (item.type === 'watermark') this.#onWatermark(lane, item)
    else if (lane.queue.length > 0) lane.queue.push(item)
    else {
      lane.ended = true
      emit(item)
    }
    this.#drain(emit, false)
    this.#emitWatermark(emit)
  }

  flush(emit: Emit<TimedItem>): void {
    this.#drain(emit, true)
  }

  #onSample(lane: Lane, sample: EncodedSample, emit: Emit<TimedItem>): void {
    if (sample.dts <= lane.lastDts) {
      this.#stats.outOfOrder++
      return
    }
    lane.lastDts = sample.dts
    lane.frontier = Math.max(lane.frontier, sample.dts)
    lane.ended = false
    // Behind the others, it cannot be put in order any more. (With a queue of its own it cannot be behind.)
    if (lane.queue.length === 0 && compareTicks(sample.dts, lane.timescale, this.#outTicks, this.#outTimescale) < 0) {
      this.#stats.late++
      this.#stats.samples++
      emit(sample)
      return
    }
    lane.passedOver = false
    lane.queue.push(sample)
    this.#stats.heldSamples++
    this.#stats.heldBytes += sampleBytes(sample)
  }

  #onWatermark(lane: Lane, watermark: Watermark): void {
    lane.frontier = Math.max(lane.frontier, watermark.dts)
    if (compareTicks(lane.frontier, lane.timescale, this.#outTicks, this.#outTimescale) >= 0) lane.passedOver = false
  }

  #drain(emit: Emit<TimedItem>, all: boolean): void {
    for (;;) {
      const lane = this.#earliest()
      const head = lane?.queue.peek()
      if (lane === undefined || head?.type !== 'sample') return
      if (!all && this.#isBlocked(lane, head)) {
        if (!this.#isOverBounds(lane, head)) return
        this.#passOver(lane, head)
      }
      this.#take(lane, head, emit)
    }
  }

  #earliest(): Lane | undefined {
    let earliest: Lane | undefined
    let earliestDts = 0
    for (const lane of this.#lanes) {
      const head = lane.queue.peek()
      if (head?.type !== 'sample') continue
      if (earliest === undefined || compareTicks(head.dts, lane.timescale, earliestDts, earliest.timescale) < 0) {
        earliest = lane
        earliestDts = head.dts
      }
    }
    return earliest
  }

  #isBlocked(lane: Lane, head: EncodedSample): boolean {
    for (const other of this.#lanes) if (isWaitedFor(other, lane, head)) return true
    return false
  }

  #isOverBounds(lane: Lane, head: EncodedSample): boolean {
    if (this.#stats.heldBytes > this.#maxHeldBytes) return true
    const sinceUs = ticksToUs(head.dts, lane.timescale)
    for (const { queue, lastDts, timescale } of this.#lanes) {
      if (queue.length > 0 && ticksToUs(lastDts, timescale) - sinceUs > this.#maxHeldUs) return true
    }
    return false
  }

  #passOver(lane: Lane, head: EncodedSample): void {
    for (const other of this.#lanes) {
      if (!isWaitedFor(other, lane, head)) continue
      other.passedOver = true
      this.#stats.passedOver++
    }
  }

  #take(lane: Lane, head: EncodedSample, emit: Emit<TimedItem>): void {
    lane.queue.shift()
    this.#stats.heldSamples--
    this.#stats.heldBytes -= sampleBytes(head)
    this.#stats.samples++
    this.#outTicks = head.dts
    this.#outTimescale = lane.timescale
    emit(head)
    // An end follows its last sample at once, so that none ever stands at the head of a queue.
    for (let next = lane.queue.peek(); next?.type === 'track-end'; next = lane.queue.peek()) {
      lane.queue.shift()
      lane.ended = lane.queue.length === 0
      emit(next)
    }
  }

  #emitWatermark(emit: Emit<TimedItem>): void {
    let slowest: Lane | undefined
    for (const lane of this.#lanes) {
      if (lane.queue.length > 0) continue
      if (lane.ended || lane.passedOver) continue
      if (
        slowest === undefined ||
        compareTicks(lane.frontier, lane.timescale, slowest.frontier, slowest.timescale) < 0
      ) {
        slowest = lane
      }
    }
    // A held sample is always after the frontier of the track that holds it up: the slowest silent one decides.
    if (slowest === undefined) return
    if (compareTicks(slowest.frontier, slowest.timescale, this.#outTicks, this.#outTimescale) <= 0) return
    this.#outTicks = slowest.frontier
    this.#outTimescale = slowest.timescale
    emit({ type: 'watermark', trackId: slowest.track.id, dts: slowest.frontier })
  }
}

function isWaitedFor(other: Lane, lane: Lane, head: EncodedSample): boolean {
  if (other === lane || other.ended || other.passedOver || other.queue.length > 0) return false
  return compareTicks(other.frontier, other.timescale, head.dts, lane.timescale) < 0
}

function positive(field: string, value: number): number {
  if (!(value > 0)) throw new ConfigurationError(field, 'must be above 0', value)
  return value
}
