import type { Emit, EncodedSample, TimedItem, Track } from '@rushes/media'
import { usToTicks } from '@rushes/media'
import { sampleWith } from './sample-with.js'

/** Where a track of a source lies in time, as far as it is known; microseconds of recording time. */
export interface TrackSpan {
  readonly track: Track
  readonly startUs: number
  /** Undefined while it goes on. */
  readonly endUs: number | undefined
}

/**
 * A track of the output. A participant who leaves and comes back, or changes the connection, sends one track after the
 * other: those of one kind that do not overlap share a lane. A second camera or a screen beside it gets a lane of its own.
 */
export interface Lane {
  /** The output's description; its id is that of the first track in it. */
  readonly track: Track
  readonly trackIds: string[]
  endUs: number | undefined
}

/** Overlap that is still taken for one after the other: the new connection often starts before the old one is missed. */
const OVERLAP_US = 250_000

/** Adds a track to the lane that is free by then, or to a new one. Returns the lane and whether it is new. */
export function assignLane(lanes: Lane[], span: TrackSpan): { readonly lane: Lane; readonly isNew: boolean } {
  const { track } = span
  for (const lane of lanes) {
    const fits =
      lane.track.kind === track.kind &&
      lane.track.codec === track.codec &&
      lane.track.clockRate === track.clockRate &&
      lane.endUs !== undefined &&
      lane.endUs <= span.startUs + OVERLAP_US
    if (fits) {
      lane.trackIds.push(track.id)
      lane.endUs = span.endUs
      return { lane, isNew: false }
    }
  }
  const lane: Lane = { track, trackIds: [track.id], endUs: span.endUs }
  lanes.push(lane)
  return { lane, isNew: true }
}

/** Counters of a {@link LaneMerger}. */
export interface LaneMergerStats {
  /** Samples of a track that lay before what its lane had already said. */
  overlapping: number
}

/** Makes one track of the tracks of a lane: one id, rising times, one end. */
export class LaneMerger {
  readonly #lane: Lane
  /** Per track: what it promised, in ticks; Infinity once it has ended. */
  readonly #promised = new Map<string, number>()
  #currentTrack: string | undefined
  #lastDts = Number.NEGATIVE_INFINITY
  #lastWatermark = Number.NEGATIVE_INFINITY
  #closed = false
  readonly stats: LaneMergerStats = { overlapping: 0 }

  constructor(lane: Lane) {
    this.#lane = lane
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    if (item.type === 'sample') {
      this.#promised.set(item.trackId, item.dts)
      if (item.dts <= this.#lastDts) {
        this.stats.overlapping++
        return
      }
      this.#lastDts = item.dts
      const changes = this.#currentTrack !== undefined && this.#currentTrack !== item.trackId
      this.#currentTrack = item.trackId
      emit(onLane(item, this.#lane.track.id, changes))
      return
    }
    this.#promised.set(item.trackId, item.type === 'watermark' ? item.dts : Number.POSITIVE_INFINITY)
    let least = Number.POSITIVE_INFINITY
    for (const trackId of this.#lane.trackIds) {
      least = Math.min(least, this.#promised.get(trackId) ?? Number.NEGATIVE_INFINITY)
    }
    if (Number.isFinite(least)) this.promise(Math.min(least, this.#endTicks()), emit)
  }

  /** Whether every track of the lane has ended; another may still join it. */
  get idle(): boolean {
    return this.#lane.trackIds.every((trackId) => this.#promised.get(trackId) === Number.POSITIVE_INFINITY)
  }

  /** Every track of the lane has promised to be past its known end. */
  get pastEnd(): boolean {
    const end = this.#endTicks()
    return this.#lane.trackIds.every((trackId) => (this.#promised.get(trackId) ?? Number.NEGATIVE_INFINITY) >= end)
  }

  /** While the lane is idle: nothing will come before `dts`, by the host's clock. */
  promise(dts: number, emit: Emit<TimedItem>): void {
    if (dts <= this.#lastDts || dts <= this.#lastWatermark) return
    this.#lastWatermark = dts
    emit({ type: 'watermark', trackId: this.#lane.track.id, dts })
  }

  /** A promise past a known end would be heard as silence after the last sound. Live, another track may follow it. */
  #endTicks(): number {
    const { endUs, track } = this.#lane
    return endUs === undefined ? Number.POSITIVE_INFINITY : usToTicks(endUs, track.clockRate)
  }

  /** No track will join any more. */
  close(emit: Emit<TimedItem>): void {
    if (this.#closed) return
    this.#closed = true
    emit({ type: 'track-end', trackId: this.#lane.track.id })
  }
}

/** The sample under its lane's id. */
function onLane(sample: EncodedSample, laneId: string, discontinuity: boolean): EncodedSample {
  if (sample.trackId === laneId && !discontinuity) return sample
  return sampleWith(sample, { trackId: laneId, discontinuity })
}
