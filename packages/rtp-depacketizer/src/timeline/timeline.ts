import type {
  AccessUnit,
  AudioFrame,
  Emit,
  EncodedSample,
  SourceItem,
  TimedItem,
  TimedStage,
  Track,
} from '@rushes/media'
import { ConfigurationError } from '@rushes/media'
import { DecodingTimes } from './decoding-times.js'
import { Retimer } from './retimer.js'
import { SourceClocks, type SourceClocksOptions } from './source-clocks.js'
import { StartHold, type StartHoldStats } from './start-hold.js'
import { isTimestampJump } from './timestamp-jump.js'

/** Options of a {@link Timeline}. */
export interface TimelineOptions extends SourceClocksOptions {
  /**
   * Clocks that are known already: those of a finished take, settled after all its items were observed. Without it the
   * timeline learns as items come.
   */
  readonly clocks?: SourceClocks
  /**
   * A silent track is said to send nothing before now less its usual delay less this, in microseconds. The reorder
   * buffer's window must fit in. @defaultValue 1,000,000
   */
  readonly watermarkMarginUs?: number
  /**
   * Live: how long the first units of a track wait for the sender reports that tell how the tracks belong together, in
   * microseconds of arrival from the first unit. All that waits goes on as soon as they are there.
   * @defaultValue 0: nothing waits
   */
  readonly startHoldUs?: number
  /** Bytes that may wait so, of all tracks. @defaultValue 16,777,216: 5 s of 25 Mbit/s */
  readonly startHoldBytes?: number
}

/** Counters of a {@link Timeline}. */
export interface TimelineStats {
  samples: number
  /** Times moved because they ran backwards within a track. */
  clamped: number
  /** Forward jumps by late knowledge of a clock (live only). */
  steps: number
  watermarks: number
  /** What waits at its beginning, and what was let go; live with `startHoldUs` only. */
  readonly startHold?: Readonly<StartHoldStats>
}

interface Lane {
  readonly trackId: string
  readonly clockRate: number
  /** Undefined until the first unit. */
  epoch: number | undefined
  retimer: Retimer
  /** Of the newest unit: RTP time in ticks, and arrival. */
  lastRtp: number
  lastArrivalUs: number | undefined
  readonly times: DecodingTimes
  /** Recording time of the newest sample, ticks. */
  lastPts: number
  /** Greatest delay from recording time to arrival that the track has shown, microseconds. */
  lagUs: number
  /** No sample or watermark of this track may lie before it; microseconds of recording time. */
  promisedUs: number
  ended: boolean
}

/** Watermarks are at least this far apart for one track, so that a silent track costs nothing. */
const WATERMARK_STEP_US = 200_000

/**
 * The time border: RTP time in, recording time out, for the tracks of one participant.
 *
 * Every rule of synchronisation, drift and decoding time is in here and in {@link SourceClocks}. Samples of one track come
 * out in decoding order with strictly increasing decoding times. Times are ticks of the track's RTP clock.
 */
export class Timeline implements TimedStage<SourceItem, TimedItem> {
  readonly #clocks: SourceClocks
  readonly #lanes = new Map<string, Lane>()
  readonly #startedAtArrivalUs: number
  readonly #marginUs: number
  #nextWatermarkUs: number | undefined
  readonly #hold: StartHold | undefined
  /** Who the samples were given to last, and what gives units their place on the way there. */
  #into: Emit<TimedItem> | undefined
  #place: Emit<SourceItem> = () => {}
  readonly #stats: TimelineStats

  constructor(options: TimelineOptions = {}) {
    this.#clocks = options.clocks ?? new SourceClocks({ ...options, keep: 'recent' })
    this.#startedAtArrivalUs = options.startedAtArrivalUs ?? 0
    this.#marginUs = options.watermarkMarginUs ?? 1_000_000
    const { startHoldUs = 0, startHoldBytes = 16_777_216 } = options
    if (!(startHoldUs >= 0)) throw new ConfigurationError('startHoldUs', 'must be 0 or more', startHoldUs)
    if (!(startHoldBytes > 0)) throw new ConfigurationError('startHoldBytes', 'must be greater than 0', startHoldBytes)
    // Where all is known there is nothing to wait for.
    if (startHoldUs > 0 && !this.#clocks.settled) {
      const isKnown = (trackId: string): boolean => this.#clocks.isKnown(trackId)
      const isRemembered = (trackId: string): boolean => this.#clocks.hasRoom(trackId)
      this.#hold = new StartHold({ maxUs: startHoldUs, maxBytes: startHoldBytes, isKnown, isRemembered })
    }
    this.#stats = {
      samples: 0,
      clamped: 0,
      steps: 0,
      watermarks: 0,
      ...(this.#hold === undefined ? undefined : { startHold: this.#hold.stats }),
    }
  }

  get stats(): Readonly<TimelineStats> {
    return this.#stats
  }

  /** What the times rest on; see {@link SourceClocks.states}. */
  get clocks(): SourceClocks {
    return this.#clocks
  }

  /** Announces a track, so that promises are made for it even before its first unit. */
  addTrack(track: Track): void {
    this.#lane(track.id, track.clockRate)
  }

  push(item: SourceItem, emit: Emit<TimedItem>): void {
    const hold = this.#hold
    const place = this.#placeInto(emit)
    if (item.type === 'track-end') {
      if (hold === undefined) place(item)
      else hold.push(item, place)
      return
    }
    // What is overdue goes by what was known until then, however often time is looked at.
    if (hold !== undefined && item.arrivalUs !== undefined) hold.tick(item.arrivalUs, place)
    this.#clocks.observe(item)
    if (hold === undefined) place(item)
    else hold.push(item, place)
    if (item.arrivalUs !== undefined) this.tick(item.arrivalUs, emit)
  }

  /**
   * Lets go what has waited for too long, and promises for silent tracks: what keeps an interleaver going. `nowUs` is the
   * host's monotonic time.
   */
  tick(nowUs: number, emit: Emit<TimedItem>): void {
    this.#hold?.tick(nowUs, this.#placeInto(emit))
    if (this.#nextWatermarkUs !== undefined && nowUs < this.#nextWatermarkUs) return
    this.#nextWatermarkUs = nowUs + WATERMARK_STEP_US
    // What waits may turn out to lie further back than any promise: nobody can go on without it anyway.
    if (this.#hold !== undefined && (this.#stats.samples === 0 || this.#hold.stats.heldUnits > 0)) return
    for (const lane of this.#lanes.values()) {
      if (lane.ended) continue
      const safeUs = nowUs - this.#startedAtArrivalUs - lane.lagUs - this.#marginUs
      if (safeUs <= lane.promisedUs + WATERMARK_STEP_US) continue
      const dts = Math.floor((safeUs * lane.clockRate) / 1_000_000)
      if (dts <= lane.lastPts) continue
      lane.promisedUs = safeUs
      this.#stats.watermarks++
      emit({ type: 'watermark', trackId: lane.trackId, dts })
    }
  }

  nextDeadline(): number | undefined {
    const deadlineUs = this.#hold?.nextDeadline()
    if (deadlineUs === undefined || this.#nextWatermarkUs === undefined) return deadlineUs ?? this.#nextWatermarkUs
    return Math.min(deadlineUs, this.#nextWatermarkUs)
  }

  flush(emit: Emit<TimedItem>): void {
    this.#hold?.flush(this.#placeInto(emit))
    for (const lane of this.#lanes.values()) {
      if (!lane.ended) emit({ type: 'track-end', trackId: lane.trackId })
      lane.ended = true
    }
    this.#nextWatermarkUs = undefined
  }

  #placeInto(emit: Emit<TimedItem>): Emit<SourceItem> {
    // Made anew only when the caller's emit changes, not for each unit.
    if (emit !== this.#into) {
      this.#into = emit
      this.#place = (item) => {
        if (item.type === 'track-end') {
          const lane = this.#lanes.get(item.trackId)
          if (lane !== undefined) lane.ended = true
          emit(item)
        } else if (item.type !== 'sender-report') emit(this.#sample(item))
      }
    }
    return this.#place
  }

  #sample(unit: AccessUnit | AudioFrame): EncodedSample {
    const lane = this.#lane(unit.trackId, unit.clockRate)
    const known = this.#clocks.toTicks(unit.trackId, unit.epoch, unit.clockRate, unit.rtpTimestamp, unit.arrivalUs)
    const newSource = lane.epoch !== undefined && lane.epoch !== unit.epoch
    if (newSource || jumped(lane, unit)) lane.retimer = new Retimer(unit.clockRate, lane.lastPts)
    lane.epoch = unit.epoch
    lane.lastRtp = unit.rtpTimestamp
    lane.lastArrivalUs = unit.arrivalUs
    const stepsBefore = lane.retimer.steps
    const wanted = this.#clocks.settled ? known : lane.retimer.apply(unit.rtpTimestamp, known)
    this.#stats.steps += lane.retimer.steps - stepsBefore
    if (unit.configuration?.kind === 'video') lane.times.depth = unit.configuration.reorderDepth
    const clampedBefore = lane.times.clamped
    const { pts, dts } = lane.times.next(Math.round(wanted))
    this.#stats.clamped += lane.times.clamped - clampedBefore
    this.#stats.samples++
    lane.lastPts = Math.max(lane.lastPts, pts)
    if (unit.arrivalUs !== undefined) {
      const lagUs = unit.arrivalUs - this.#startedAtArrivalUs - (dts / lane.clockRate) * 1_000_000
      if (lagUs > lane.lagUs) lane.lagUs = lagUs
    }
    return unit.type === 'audio-frame' ? audioSample(unit, pts, dts, newSource) : videoSample(unit, pts, dts, newSource)
  }

  #lane(trackId: string, clockRate: number): Lane {
    let lane = this.#lanes.get(trackId)
    if (lane === undefined) {
      lane = {
        trackId,
        clockRate,
        epoch: undefined,
        retimer: new Retimer(clockRate),
        lastRtp: 0,
        lastArrivalUs: undefined,
        times: new DecodingTimes(clockRate),
        lastPts: Number.NEGATIVE_INFINITY,
        lagUs: 0,
        promisedUs: Number.NEGATIVE_INFINITY,
        ended: false,
      }
      this.#lanes.set(trackId, lane)
    }
    return lane
  }
}

/** Whether RTP time jumped within its epoch, so that the time of before says nothing of it. */
function jumped(lane: Lane, unit: AccessUnit | AudioFrame): boolean {
  if (lane.epoch === undefined || unit.arrivalUs === undefined || lane.lastArrivalUs === undefined) return false
  const rtpSeconds = (unit.rtpTimestamp - lane.lastRtp) / unit.clockRate
  return isTimestampJump(rtpSeconds, (unit.arrivalUs - lane.lastArrivalUs) / 1_000_000)
}

function audioSample(frame: AudioFrame, pts: number, dts: number, newSource: boolean): EncodedSample {
  return {
    type: 'sample',
    trackId: frame.trackId,
    data: frame.data,
    pts,
    dts,
    duration: frame.duration,
    keyframe: true,
    ...facts(frame, newSource),
  }
}

function videoSample(unit: AccessUnit, pts: number, dts: number, newSource: boolean): EncodedSample {
  return {
    type: 'sample',
    trackId: unit.trackId,
    // The unit joins NAL units that came in pieces when it is asked to: the copy path never asks.
    get data() {
      return unit.nalUnits
    },
    ...(unit.pieces === undefined ? undefined : { pieces: unit.pieces }),
    pts,
    dts,
    keyframe: unit.keyframe,
    ...facts(unit, newSource),
  }
}

/** What a unit tells of itself beside its time, as far as it does. */
function facts(unit: AccessUnit | AudioFrame, newSource: boolean): Partial<EncodedSample> {
  return {
    ...(unit.configuration === undefined ? undefined : { configuration: unit.configuration }),
    ...(unit.lossBefore || newSource ? { discontinuity: true } : undefined),
    ...(unit.lostPackets === undefined ? undefined : { lostPackets: unit.lostPackets }),
    ...(unit.arrivalUs === undefined ? undefined : { arrivalUs: unit.arrivalUs }),
  }
}
