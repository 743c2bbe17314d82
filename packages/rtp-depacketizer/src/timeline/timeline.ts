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
import { DecodingTimes } from './decoding-times.js'
import { Retimer } from './retimer.js'
import { SourceClocks, type SourceClocksOptions } from './source-clocks.js'
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
}

/** Counters of a {@link Timeline}. */
export interface TimelineStats {
  samples: number
  /** Times moved because they ran backwards within a track. */
  clamped: number
  /** Forward jumps by late knowledge of a clock (live only). */
  steps: number
  watermarks: number
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
  readonly #stats: TimelineStats = { samples: 0, clamped: 0, steps: 0, watermarks: 0 }

  constructor(options: TimelineOptions = {}) {
    this.#clocks = options.clocks ?? new SourceClocks({ ...options, keep: 'recent' })
    this.#startedAtArrivalUs = options.startedAtArrivalUs ?? 0
    this.#marginUs = options.watermarkMarginUs ?? 1_000_000
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
    if (item.type === 'track-end') {
      const lane = this.#lanes.get(item.trackId)
      if (lane !== undefined) lane.ended = true
      emit(item)
      return
    }
    this.#clocks.observe(item)
    if (item.type !== 'sender-report') emit(this.#sample(item))
    if (item.arrivalUs !== undefined) this.tick(item.arrivalUs, emit)
  }

  /** Promises of silent tracks: what keeps an interleaver going. `nowUs` is the host's monotonic time. */
  tick(nowUs: number, emit: Emit<TimedItem>): void {
    if (this.#nextWatermarkUs !== undefined && nowUs < this.#nextWatermarkUs) return
    this.#nextWatermarkUs = nowUs + WATERMARK_STEP_US
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
    return this.#nextWatermarkUs
  }

  flush(emit: Emit<TimedItem>): void {
    for (const lane of this.#lanes.values()) {
      if (!lane.ended) emit({ type: 'track-end', trackId: lane.trackId })
      lane.ended = true
    }
    this.#nextWatermarkUs = undefined
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
