import type { AccessUnit, AudioFrame, SenderReport } from '@rushes/media'
import { transitOf } from './arrival-envelope.js'
import { type ClockPoint, evaluateFit, fitClock, fitTrailing, median } from './clock-fit.js'
import { SourceClock, type SourceSurroundings } from './source-clock.js'
import { SourceTrack } from './source-track.js'
import { WallClocks } from './wall-clocks.js'

/** What is known of the clocks. Live it grows as items come; for a finished take all of it is known before the first sample. */
export interface SourceClocksOptions {
  /**
   * Wall-clock time of recording time zero, microseconds since 1970. Without it the senders' NTP only relates their own
   * tracks to each other, and arrival (or the first unit) tells where they lie in the recording.
   */
  readonly startedAtUs?: number
  /** The host's monotonic time at recording time zero. @defaultValue 0 */
  readonly startedAtArrivalUs?: number
  /**
   * How far a sender's NTP clock may stand from the arrival of its reports, in microseconds, before only its
   * differences are believed. @defaultValue 5,000,000
   */
  readonly maxClockErrorUs?: number
  /**
   * `recent` for a live timeline: only the last minutes are kept, and reports tell of the time that comes after them.
   * @defaultValue 'all'
   */
  readonly keep?: 'all' | 'recent'
}

/** What a mapping rests on, the best first. */
export type ClockBasis = 'sender-reports' | 'distrusted-sender-reports' | 'arrival' | 'first-unit'

/** The clock of one source (one epoch of one track), for people and for the manifest. */
export interface ClockState {
  readonly trackId: string
  readonly epoch: number
  readonly basis: ClockBasis
  readonly cname: string | undefined
  readonly reports: number
  /** Microseconds between the sender's wall clock and the recorder's, as far as arrival tells; includes the network's delay. */
  readonly ntpOffsetUs: number | undefined
  /** Reports that were dropped because they stood far off all others. */
  readonly outliers: number
  /** Steps of the sender's clock (or of its reports) that were taken off. */
  readonly steps: number
}

/** Delays of one track are taken from arrivals this far around, in microseconds. */
const AROUND_US = 15_000_000
/** A first report that places its media further from where the other tracks stand waits for a second, in microseconds. */
const MAX_LAG_DIFFERENCE_US = 150_000
/** A first report that is further off than this is not of the clock that its CNAME says. */
const MAX_CLOCK_DIFFERENCE_US = 2_500_000

/**
 * The clocks of one participant's sources: RTP time to recording time by sender reports (RFC 3550 §6.4.1), grouped by
 * CNAME (§6.5.1), with arrival where there are none.
 *
 * `observe` everything first and `settle` for a finished take: every report then counts for every sample. Live, observe
 * as it comes; the mapping then says what can be known so far.
 */
export class SourceClocks {
  readonly #startedAtArrivalUs: number
  readonly #live: boolean
  readonly #tracks = new Map<string, SourceTrack>()
  readonly #walls: WallClocks
  /** NTP times are kept relative to this, so that ticks stay small exact numbers. */
  #ntpBaseUs: number | undefined
  #settled = false

  constructor(options: SourceClocksOptions = {}) {
    this.#startedAtArrivalUs = options.startedAtArrivalUs ?? 0
    this.#live = options.keep === 'recent'
    this.#ntpBaseUs = options.startedAtUs
    this.#walls = new WallClocks({
      hasStart: options.startedAtUs !== undefined,
      maxClockErrorUs: options.maxClockErrorUs ?? 5_000_000,
      live: this.#live,
    })
  }

  /** All that will ever be known is known: mappings are final from here on. */
  settle(): void {
    for (const source of this.#allSources()) source.filter.settle()
    this.#settled = true
    this.#walls.settle()
    for (const source of this.#allSources()) source.arrivalFitIsStale = true
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Learns from a unit's arrival or a sender's report. Nothing is learnt once settled. */
  observe(item: AccessUnit | AudioFrame | SenderReport): void {
    if (this.#settled) return
    const track = this.#track(item.trackId)
    const arrivalUs = item.arrivalUs === undefined ? undefined : item.arrivalUs - this.#startedAtArrivalUs
    let source = track.newestOf(item.epoch)
    if (item.type === 'sender-report') {
      this.#learnReport(source ?? this.#newSource(track, item, arrivalUs), item, arrivalUs)
      return
    }
    const rtp = item.rtpTimestamp / item.clockRate
    const arrival = arrivalUs === undefined ? undefined : arrivalUs / 1_000_000
    if (source === undefined || track.hasJumped(source, rtp, arrival)) source = this.#newSource(track, item, arrivalUs)
    track.passed(rtp, arrival)
    source.firstRtp ??= item.rtpTimestamp
    if (arrivalUs !== undefined) source.arrived(item.rtpTimestamp, arrivalUs)
  }

  /**
   * Recording time of an RTP time, in ticks of the track's RTP clock, not rounded; by the best knowledge there is now.
   * With `arrivalUs` of the unit it is told which RTP time is meant, where it jumped back within an epoch.
   */
  toTicks(trackId: string, epoch: number, clockRate: number, rtpTimestamp: number, arrivalUs?: number): number {
    const track = this.#track(trackId)
    const at = arrivalUs === undefined ? undefined : arrivalUs - this.#startedAtArrivalUs
    const source = track.sourceOf(epoch, rtpTimestamp, at) ?? this.#newSource(track, { trackId, epoch, clockRate }, at)
    const reported = this.#byReports(source, rtpTimestamp)
    if (reported !== undefined) return reported
    if (source.coarse.windows.length > 0) return this.#byArrival(source, rtpTimestamp)
    source.firstRtp ??= rtpTimestamp
    return rtpTimestamp - source.firstRtp
  }

  /**
   * Whether the reports of a track's newest source will do to place it: there are two, or just one that places it about
   * as far behind its capture as the participant's other tracks are.
   */
  isKnown(trackId: string): boolean {
    const source = this.#tracks.get(trackId)?.sources.at(-1)
    if (source === undefined || !source.hasReports) return false
    const newest = source.coarse.windows.at(-1)
    if (source.reports > 1 || newest === undefined) return true
    const own = this.#lagUs(source, newest.atUs)
    const others = this.#othersLagUs(trackId, newest.atUs)
    return own === undefined || others === undefined || Math.abs(own - others) <= MAX_LAG_DIFFERENCE_US
  }

  /** Whether a track may restart once more without its first source being forgotten; live, few are kept. */
  hasRoom(trackId: string): boolean {
    return this.#tracks.get(trackId)?.isFull !== true
  }

  /** One line per source, in the order of first sight. */
  states(): ClockState[] {
    return [...this.#allSources()].map((source) => ({
      trackId: source.trackId,
      epoch: source.epoch,
      basis: this.#basis(source),
      cname: source.cname,
      reports: source.reports,
      ntpOffsetUs: source.transitsUs.length === 0 ? undefined : Math.round(median(source.transitsUs)),
      outliers: source.filter.outliers,
      steps: source.filter.steps,
    }))
  }

  #track(trackId: string): SourceTrack {
    let track = this.#tracks.get(trackId)
    if (track === undefined) {
      track = new SourceTrack(this.#live)
      this.#tracks.set(trackId, track)
    }
    return track
  }

  *#allSources(): Generator<SourceClock, void, undefined> {
    for (const { sources } of this.#tracks.values()) yield* sources
  }

  #newSource(
    track: SourceTrack,
    facts: { readonly trackId: string; readonly epoch: number; readonly clockRate: number },
    arrivalUs: number | undefined,
  ): SourceClock {
    const fromUs = track.sources.length === 0 ? Number.NEGATIVE_INFINITY : (arrivalUs ?? Number.NEGATIVE_INFINITY)
    const { trackId, epoch, clockRate } = facts
    const around: SourceSurroundings = {
      othersChangeUs: (before, after) => this.#othersChangeUs(trackId, before, after),
      isPlausible: (offsetUs, transitUs) => this.#isPlausible(source, offsetUs, transitUs),
      stepBefore: (offsetUs) => this.#stepBeforeUs(source, offsetUs),
    }
    const source: SourceClock = new SourceClock({ trackId, epoch, clockRate, fromUs }, this.#live, around)
    // The same device goes on: what is known of its drift holds until there is enough of the new source.
    const before = track.sources.at(-1)
    if (before?.clockRate === clockRate) source.filter.drift = before.filter.drift
    track.add(source)
    return source
  }

  #learnReport(source: SourceClock, report: SenderReport, arrivalUs: number | undefined): void {
    this.#ntpBaseUs ??= report.ntpUs
    const ntpUs = report.ntpUs - this.#ntpBaseUs
    if (source.filter.isEmpty || (source.cname === undefined && report.cname !== undefined)) {
      source.cname ??= report.cname
      this.#chooseWall(source, ntpUs - (report.rtpTimestamp * 1_000_000) / report.clockRate)
    }
    source.reported(report.rtpTimestamp, ntpUs, arrivalUs)
    this.#walls.chooseReference()
    for (const one of this.#allSources()) one.arrivalFitIsStale = true
  }

  /**
   * The clock of the CNAME, with the steps that it has made by now; or one of the source's own, where the report cannot
   * be of that clock. What decides is how far behind its capture the report places the media.
   */
  #chooseWall(source: SourceClock, offsetUs: number): void {
    const key = source.cname === undefined ? `track ${source.trackId}` : `cname ${source.cname}`
    source.wall = this.#walls.named(key)
    source.stepsSeen = source.wall.steps.length
    if (!source.filter.isEmpty) return
    const error = (shiftUs: number): number => Math.abs(this.#lagErrorUs(source, offsetUs - shiftUs) ?? 0)
    let least = error(0)
    source.filter.shiftUs = 0
    for (const other of this.#allSources()) {
      if (other === source || other.wall !== source.wall || !other.hasReports) continue
      if (error(other.filter.shiftUs) >= least) continue
      least = error(other.filter.shiftUs)
      source.filter.shiftUs = other.filter.shiftUs
    }
    if (least <= MAX_CLOCK_DIFFERENCE_US) return
    source.wall = this.#walls.named(`${key} track ${source.trackId}`)
    source.stepsSeen = source.wall.steps.length
    source.filter.shiftUs = 0
  }

  #basis(source: SourceClock): ClockBasis {
    if (source.hasReports && source.wall !== undefined) {
      return this.#walls.isTrusted(source.wall) ? 'sender-reports' : 'distrusted-sender-reports'
    }
    return source.coarse.windows.length > 0 ? 'arrival' : 'first-unit'
  }

  /** Recording time by the source's reports, in ticks. */
  #byReports(source: SourceClock, rtp: number): number | undefined {
    const ticks = this.#referenceTicks(source, rtp)
    return ticks === undefined ? undefined : this.#corrected(ticks, source.clockRate)
  }

  /** Time by the reference clock, by the source's reports, in ticks. */
  #referenceTicks(source: SourceClock, rtp: number): number | undefined {
    const ticks = source.toWallTicks(rtp)
    const { wall, clockRate } = source
    if (ticks === undefined || wall === undefined) return undefined
    const clockUs = (ticks * 1_000_000) / clockRate
    return ticks + ((this.#walls.toReferenceUs(wall, clockUs) - clockUs) * clockRate) / 1_000_000
  }

  #corrected(ticks: number, clockRate: number): number {
    return ticks + (this.#walls.correctionUs((ticks * 1_000_000) / clockRate) * clockRate) / 1_000_000
  }

  /** Recording time by arrival, less the delay that the other tracks show at that time; in ticks. */
  #byArrival(source: SourceClock, rtp: number): number {
    const { clockRate } = source
    if (source.arrivalFitIsStale) {
      source.arrivalFitIsStale = false
      source.arrivalIsByReference = false
      const points = source.coarse.windows.map((window): ClockPoint => {
        const ticks = (window.clockUs * clockRate) / 1_000_000
        const lagUs = this.#expectedLagUs(source, window.atUs)
        if (lagUs !== undefined) source.arrivalIsByReference = true
        return { rtp: ticks, reference: ticks + ((transitOf(window) - (lagUs ?? 0)) * clockRate) / 1_000_000 }
      })
      points.sort((a, b) => a.rtp - b.rtp)
      const fit = this.#settled ? fitClock : fitTrailing
      source.arrivalFit = fit(points, clockRate)
    }
    const ticks = source.arrivalFit === undefined ? rtp : evaluateFit(source.arrivalFit, rtp)
    return source.arrivalIsByReference ? this.#corrected(ticks, clockRate) : ticks
  }

  /**
   * How far behind its capture a track without reports is likely to arrive: as far as the participant's other tracks do
   * then, more or less by as much as it itself did when it had reports.
   */
  #expectedLagUs(source: SourceClock, atUs: number): number | undefined {
    const others = this.#othersLagUs(source.trackId, atUs)
    let own: number | undefined
    let ownOthers: number | undefined
    for (const other of this.#track(source.trackId).sources) {
      if (other === source || !other.hasReports) continue
      const edge = other.coarse.nearest(atUs)
      if (edge === undefined) continue
      own = this.#lagUs(other, edge.atUs)
      ownOthers = this.#othersLagUs(source.trackId, edge.atUs)
      if (other.fromUs > atUs) break
    }
    if (own === undefined) return others
    return others === undefined || ownOthers === undefined ? own : others + own - ownOthers
  }

  /** The least delay, from capture (by the reference clock) to arrival, that the other tracks have around a time. */
  #othersLagUs(trackId: string, atUs: number): number | undefined {
    let least: number | undefined
    for (const other of this.#allSources()) {
      if (other.trackId === trackId || !other.hasReports) continue
      const lag = this.#lagUs(other, atUs)
      if (lag !== undefined && (least === undefined || lag < least)) least = lag
    }
    return least
  }

  #lagUs(source: SourceClock, atUs: number): number | undefined {
    const quickest = source.coarse.quickest(atUs - AROUND_US, atUs + AROUND_US)
    if (quickest === undefined) return undefined
    const ticks = this.#referenceTicks(source, (quickest.clockUs * source.clockRate) / 1_000_000)
    return ticks === undefined ? undefined : quickest.atUs - (ticks * 1_000_000) / source.clockRate
  }

  #othersChangeUs(
    trackId: string,
    before: readonly [number, number],
    after: readonly [number, number],
  ): number | undefined {
    for (const [otherId, { sources }] of this.#tracks) {
      if (otherId === trackId) continue
      for (const other of sources) {
        const change = other.changeUs(before, after)
        if (change !== undefined) return change
      }
    }
    return undefined
  }

  /** Whether a first report places the media where the other tracks are, or at least near the report itself. */
  #isPlausible(source: SourceClock, offsetUs: number, transitUs: number): boolean {
    const errorUs = this.#lagErrorUs(source, offsetUs)
    if (errorUs !== undefined) return Math.abs(errorUs) <= MAX_LAG_DIFFERENCE_US
    const newest = source.coarse.windows.at(-1)
    return newest === undefined || Math.abs(transitOf(newest) - offsetUs - transitUs) <= MAX_CLOCK_DIFFERENCE_US
  }

  /** By how much the delay that a report (NTP less RTP time) shows differs from the delay to be expected. */
  #lagErrorUs(source: SourceClock, offsetUs: number): number | undefined {
    const newest = source.coarse.windows.at(-1)
    if (source.wall === undefined || newest === undefined) return undefined
    const expected = this.#expectedLagUs(source, newest.atUs)
    if (expected === undefined) return undefined
    return newest.atUs - this.#walls.toReferenceUs(source.wall, newest.clockUs + offsetUs) - expected
  }

  /**
   * Where a track goes on with a new source while another one of the same connection went on all along, arrival tells
   * whether the clock was set meanwhile. After a new connection it does not: the way may be another one.
   */
  #stepBeforeUs(source: SourceClock, offsetUs: number): number | undefined {
    const { sources } = this.#track(source.trackId)
    if (!sources.some((before) => before !== source && before.wall === source.wall && before.hasReports))
      return undefined
    for (const [trackId, other] of this.#tracks) {
      const current = other.sources.at(-1)
      if (trackId === source.trackId || current === undefined || !current.hasReports) continue
      if (current.fromUs < source.fromUs - AROUND_US) return -(this.#lagErrorUs(source, offsetUs) ?? 0)
    }
    return undefined
  }
}
