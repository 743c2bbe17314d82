import type { AccessUnit, AudioFrame, SenderReport } from '@rushes/media'
import { type ClockFit, type ClockPoint, evaluateFit, fitClock, median } from './clock-fit.js'

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
}

interface Source {
  readonly trackId: string
  readonly epoch: number
  readonly clockRate: number
  /** Reports as (RTP time, NTP time relative to `ntpBaseUs` in ticks). */
  readonly points: ClockPoint[]
  /** Arrival less NTP of each report, in microseconds: the network's delay and the difference of the clocks. */
  readonly transitsUs: number[]
  cname: string | undefined
  firstRtp: number | undefined
  /** Smallest arrival (recording time, ticks) less RTP time: the minimum filter that stands in for reports. */
  minTransit: number | undefined
  fit: ClockFit | undefined
  fitIsStale: boolean
  group: Group
}

/** What the sources of one CNAME share: their sender's NTP clock. */
interface Group {
  /** Of all reports of the clock; cut to the newest when live. */
  readonly transitsUs: number[]
  /** What to add to a time by this NTP clock to get recording time. 0 where the clock is trusted. */
  offsetUs: number
  trusted: boolean
  isStale: boolean
}

/** Reports kept of one source: three hours of one a second. Older ones are thinned, every second one. */
const MAX_REPORTS = 10_800
/** Live, a fit looks back over this many reports: five minutes of Chromium's video, half an hour of its audio. */
const LIVE_REPORTS = 300

/**
 * The clocks of one participant's sources: RTP time to recording time by sender reports (RFC 3550 §6.4.1), grouped by
 * CNAME (§6.5.1), with arrival where there are none.
 *
 * `observe` everything first and `settle` for a finished take: every report then counts for every sample. Live, observe
 * as it comes; the mapping then says what can be known so far.
 */
export class SourceClocks {
  readonly #startedAtUs: number | undefined
  readonly #startedAtArrivalUs: number
  readonly #maxClockErrorUs: number
  readonly #sources = new Map<string, Map<number, Source>>()
  readonly #groups = new Map<string | undefined, Group>()
  /** NTP times are kept relative to this, so that ticks stay small exact numbers. */
  #ntpBaseUs: number | undefined
  #settled = false

  constructor(options: SourceClocksOptions = {}) {
    this.#startedAtUs = options.startedAtUs
    this.#startedAtArrivalUs = options.startedAtArrivalUs ?? 0
    this.#maxClockErrorUs = options.maxClockErrorUs ?? 5_000_000
    this.#ntpBaseUs = options.startedAtUs
  }

  /** All that will ever be known is known: mappings are final from here on. */
  settle(): void {
    this.#settled = true
    for (const epochs of this.#sources.values()) for (const source of epochs.values()) source.fitIsStale = true
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Learns from a unit's arrival or a sender's report. Nothing is learnt once settled. */
  observe(item: AccessUnit | AudioFrame | SenderReport): void {
    if (this.#settled) return
    const source = this.#source(item.trackId, item.epoch, item.clockRate)
    if (item.type === 'sender-report') {
      this.#learnReport(source, item)
      return
    }
    if (source.firstRtp === undefined) source.firstRtp = item.rtpTimestamp
    if (item.arrivalUs === undefined) return
    const transit = this.#arrivalTicks(item.arrivalUs, source.clockRate) - item.rtpTimestamp
    if (source.minTransit === undefined || transit < source.minTransit) source.minTransit = transit
  }

  /**
   * Recording time of an RTP time, in ticks of the track's RTP clock, not rounded; by the best knowledge there is now.
   */
  toTicks(trackId: string, epoch: number, clockRate: number, rtpTimestamp: number): number {
    const source = this.#source(trackId, epoch, clockRate)
    const fit = this.#fitOf(source)
    if (fit !== undefined) {
      return evaluateFit(fit, rtpTimestamp) + (this.#groupOf(source).offsetUs * clockRate) / 1_000_000
    }
    if (source.minTransit !== undefined) {
      return rtpTimestamp + source.minTransit - (this.#siblingTransitUs(source) * clockRate) / 1_000_000
    }
    if (source.firstRtp === undefined) source.firstRtp = rtpTimestamp
    return rtpTimestamp - source.firstRtp
  }

  /** One line per source, in the order of first sight. */
  states(): ClockState[] {
    const states: ClockState[] = []
    for (const epochs of this.#sources.values()) {
      for (const source of epochs.values()) {
        states.push({
          trackId: source.trackId,
          epoch: source.epoch,
          basis: this.#basis(source),
          cname: source.cname,
          reports: source.points.length,
          ntpOffsetUs: source.transitsUs.length === 0 ? undefined : Math.round(median(source.transitsUs)),
        })
      }
    }
    return states
  }

  #source(trackId: string, epoch: number, clockRate: number): Source {
    let epochs = this.#sources.get(trackId)
    if (epochs === undefined) {
      epochs = new Map()
      this.#sources.set(trackId, epochs)
    }
    let source = epochs.get(epoch)
    if (source === undefined) {
      source = {
        trackId,
        epoch,
        clockRate,
        points: [],
        transitsUs: [],
        cname: undefined,
        firstRtp: undefined,
        minTransit: undefined,
        fit: undefined,
        fitIsStale: false,
        group: this.#group(undefined),
      }
      epochs.set(epoch, source)
    }
    return source
  }

  #learnReport(source: Source, report: SenderReport): void {
    this.#ntpBaseUs ??= report.ntpUs
    if (source.cname === undefined && report.cname !== undefined) {
      source.cname = report.cname
      source.group = this.#group(report.cname)
    }
    const sinceBaseUs = report.ntpUs - this.#ntpBaseUs
    source.points.push({ rtp: report.rtpTimestamp, reference: (sinceBaseUs * source.clockRate) / 1_000_000 })
    if (report.arrivalUs !== undefined) {
      const transitUs = report.arrivalUs - this.#startedAtArrivalUs - sinceBaseUs
      source.transitsUs.push(transitUs)
      source.group.transitsUs.push(transitUs)
      source.group.isStale = true
    }
    for (const list of [source.points, source.transitsUs, source.group.transitsUs]) {
      if (list.length > MAX_REPORTS) thinInPlace<unknown>(list)
    }
    source.fitIsStale = true
  }

  #fitOf(source: Source): ClockFit | undefined {
    if (source.fitIsStale) {
      const points = this.#settled ? source.points : source.points.slice(-LIVE_REPORTS)
      source.fit = fitClock(points, source.clockRate)
      source.fitIsStale = false
    }
    return source.fit
  }

  #basis(source: Source): ClockBasis {
    if (source.points.length > 0) return this.#groupOf(source).trusted ? 'sender-reports' : 'distrusted-sender-reports'
    return source.minTransit !== undefined ? 'arrival' : 'first-unit'
  }

  #group(cname: string | undefined): Group {
    let group = this.#groups.get(cname)
    if (group === undefined) {
      group = { transitsUs: [], offsetUs: 0, trusted: this.#startedAtUs !== undefined, isStale: false }
      this.#groups.set(cname, group)
    }
    return group
  }

  /** The group with its trust decided by all transits known now. */
  #groupOf(source: Source): Group {
    const { group } = source
    if (group.isStale) {
      const recent = this.#settled ? group.transitsUs : group.transitsUs.slice(-LIVE_REPORTS)
      group.trusted = this.#startedAtUs !== undefined && Math.abs(median(recent)) <= this.#maxClockErrorUs
      group.offsetUs = group.trusted ? 0 : recent.reduce((least, transit) => Math.min(least, transit))
      group.isStale = false
    }
    return group
  }

  /**
   * The least network delay that the reports of the participant's other tracks show, so that a track without reports
   * yet is not placed later than its sibling by the delay of the network.
   */
  #siblingTransitUs(source: Source): number {
    let least: number | undefined
    for (const epochs of this.#sources.values()) {
      for (const other of epochs.values()) {
        if (other === source || other.minTransit === undefined || !this.#groupOf(other).trusted) continue
        const fit = this.#fitOf(other)
        if (fit === undefined) continue
        const reference = evaluateFit(fit, other.firstRtp ?? 0)
        const transitUs = (((other.firstRtp ?? 0) + other.minTransit - reference) * 1_000_000) / other.clockRate
        if (least === undefined || transitUs < least) least = transitUs
      }
    }
    return Math.max(0, least ?? 0)
  }

  #arrivalTicks(arrivalUs: number, clockRate: number): number {
    return ((arrivalUs - this.#startedAtArrivalUs) * clockRate) / 1_000_000
  }
}

function thinInPlace<T>(values: T[]): void {
  let kept = 0
  for (let i = 0; i < values.length; i += 2) values[kept++] = values[i] as T
  values.length = kept
}
