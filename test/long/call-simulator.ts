import type { AccessUnit, AudioFrame, SenderReport, VideoConfiguration } from '@rushes/media'
import type { CallFaults, ParticipantClocks } from './call-faults.js'
import { type NetworkPath, networkPath } from './network-path.js'
import { type Random, seededRandom } from './seeded-random.js'

/** What is simulated. The same options give the same call. */
export interface CallOptions {
  readonly seed: number
  readonly seconds: number
  /** One line for each participant. */
  readonly participants: readonly ParticipantClocks[]
  /** By how much the recorder's monotonic clock is fast, in parts per million. @defaultValue 0 */
  readonly recorderPpm?: number
  readonly faults?: CallFaults
}

/** An item as a depacketizer would give it, and what nobody but the simulator knows. */
export interface SimulatedItem {
  readonly participant: number
  readonly item: AccessUnit | AudioFrame | SenderReport
  /** When it was captured, on the recorder's clock less the start of the recording; `undefined` for reports. */
  readonly trueUs: number | undefined
  /** When the depacketizer hands it over, on the recorder's clock. */
  readonly deliveredUs: number
  readonly ssrc: number
  readonly sequenceNumber: number
}

/** The recorder's wall clock when the recording began. */
export const STARTED_AT_US = 1_790_000_000_000_000

const configuration: VideoConfiguration = {
  kind: 'video',
  codec: 'h264',
  codecString: 'avc1.42c01f',
  width: 640,
  height: 360,
  rotation: 0,
  reorderDepth: 0,
}
const NAL_UNITS = [Uint8Array.of(0x65, 1)]
const OPUS = Uint8Array.of(0xf8, 0xff, 0xfe)

/** One track of one participant: its media clock, and what its reports say of it. */
class TrackSimulator {
  readonly #participant: number
  readonly #kind: 'audio' | 'video'
  readonly #clocks: ParticipantClocks
  readonly #faults: CallFaults
  readonly #random: Random
  readonly #path: NetworkPath
  readonly #recorderRate: number
  readonly #clockRate: number
  readonly #rate: number
  readonly #trackId: string
  #ticks = 0
  /** RTP time less media clock: random at each start of a source. */
  #base: number
  #epoch = 0
  #ssrc: number
  #sequence: number
  #delivered = 0
  #nextReport: number
  readonly #restarted = new Set<number>()
  #lastCapture = 0

  constructor(participant: number, kind: 'audio' | 'video', options: CallOptions, random: Random, path: NetworkPath) {
    this.#participant = participant
    this.#kind = kind
    this.#clocks = options.participants[participant] as ParticipantClocks
    this.#faults = options.faults ?? {}
    this.#random = random
    this.#path = path
    this.#recorderRate = 1 + (options.recorderPpm ?? 0) / 1e6
    this.#clockRate = kind === 'audio' ? 48_000 : 90_000
    this.#rate = this.#clockRate * (1 + (kind === 'audio' ? this.#clocks.audioPpm : this.#clocks.videoPpm) / 1e6)
    this.#trackId = `${kind}-${participant}`
    // Half an hour before RTP time wraps, so that a long call sees it.
    this.#base = 2 ** 32 - 1800 * this.#clockRate
    this.#ssrc = random.integer(2 ** 32)
    this.#sequence = random.integer(65_536)
    const first = this.#faults.firstReportSeconds?.[kind] ?? (kind === 'audio' ? 2.4 : 0.5)
    this.#nextReport = first
  }

  /** Everything that is sent up to `untilSeconds` of true time. */
  advance(untilSeconds: number, out: SimulatedItem[]): void {
    for (;;) {
      const capture = this.#captureSeconds()
      if (Math.min(capture, this.#nextReport) >= untilSeconds) return
      if (capture <= this.#nextReport) this.#sendUnit(capture, out)
      else this.#sendReport(this.#nextReport, out)
    }
  }

  /** True time at which the media of the next unit began. */
  #captureSeconds(): number {
    return (this.#ticks + 0.5) / this.#rate
  }

  #sendUnit(at: number, out: SimulatedItem[]): void {
    this.#restartWhereDue(at)
    const faults = this.#faults
    const swallowed = this.#glitchTicks(at) - this.#glitchTicks(this.#lastCapture)
    this.#lastCapture = at
    if (swallowed !== 0) {
      this.#ticks -= swallowed
      return
    }
    const muted = this.#kind === 'audio' && faults.muted?.some(([from, to]) => at >= from && at < to)
    const silent = faults.silent?.some(({ kind, from, to }) => kind === this.#kind && at >= from && at < to)
    const rtpTimestamp = Math.round(this.#base + this.#ticks + this.#glitchTicks(at))
    const [min, max] = this.#kind === 'audio' ? [0.025, 0.027] : [0.012, 0.03]
    if (this.#kind === 'audio') this.#ticks += muted ? 19_200 : 960
    else this.#ticks += 3000 + this.#random.integer(400) - 200
    if (silent) return
    const sent = at + min + (max - min) * this.#random.next()
    const arrivalUs = this.#arrivalUs(sent)
    this.#delivered = Math.max(this.#delivered, arrivalUs)
    const shared = {
      trackId: this.#trackId,
      epoch: this.#epoch,
      clockRate: this.#clockRate,
      rtpTimestamp,
      arrivalUs,
      marker: true,
      lossBefore: false,
    }
    out.push({
      participant: this.#participant,
      item:
        this.#kind === 'audio'
          ? { type: 'audio-frame', ...shared, data: OPUS, duration: 960 }
          : { type: 'access-unit', ...shared, nalUnits: NAL_UNITS, keyframe: true, configuration },
      trueUs: at * 1e6 * this.#recorderRate,
      deliveredUs: this.#delivered,
      ssrc: this.#ssrc,
      sequenceNumber: this.#sequence++ & 0xffff,
    })
  }

  #sendReport(at: number, out: SimulatedItem[]): void {
    const random = this.#random
    const faults = this.#faults
    this.#nextReport += this.#kind === 'audio' ? 4 + 2 * random.next() : 0.9 + 0.2 * random.next()
    if (faults.noReports === this.#kind || faults.noReports === 'both') return
    if (faults.reportGaps?.some(([from, to]) => at >= from && at < to)) return
    const scatter = (this.#kind === 'audio' ? 0.008 : 0.001) * (2 * random.next() - 1)
    let ntpUs = STARTED_AT_US + at * 1e6 * (1 + this.#clocks.ntpPpm / 1e6) + (this.#clocks.ntpOffsetUs ?? 0)
    const ownClock = this.#kind === 'video' ? faults.separateClocks : undefined
    if (ownClock !== undefined) ntpUs += ownClock.offsetUs + at * ownClock.ppm
    if (faults.wrongNtp !== undefined && (faults.wrongNtp.kind ?? this.#kind) === this.#kind) {
      ntpUs += faults.wrongNtp.byUs
    }
    for (const step of faults.ntpSteps ?? []) if (at >= step.at) ntpUs += step.byUs
    let rtp = this.#base + at * this.#rate + this.#glitchTicks(at) + scatter * this.#clockRate
    for (const jump of faults.reportJumps ?? []) {
      if (jump.kind === this.#kind && at >= jump.at) rtp += (jump.byUs / 1e6) * this.#clockRate
    }
    if (random.next() < (faults.outliers ?? 0)) {
      const error = [0.06, -0.3, 2, -9, 3600, -86_400][random.integer(6)] as number
      if (random.next() < 0.5) ntpUs += error * 1e6
      else rtp += Math.max(-9, Math.min(9, error)) * this.#clockRate
    }
    const late = random.next() * (faults.reportDelaySeconds ?? 0)
    const arrivalUs = this.#arrivalUs(at) + late * 1e6
    const item: SenderReport = {
      type: 'sender-report',
      trackId: this.#trackId,
      epoch: this.#epoch,
      clockRate: this.#clockRate,
      ntpUs: Math.round(ntpUs),
      rtpTimestamp: Math.round(rtp),
      arrivalUs,
      ...(faults.withoutCname
        ? undefined
        : { cname: ownClock !== undefined ? `v${this.#participant}` : `c${this.#participant}` }),
    }
    out.push({
      participant: this.#participant,
      item,
      trueUs: undefined,
      deliveredUs: arrivalUs,
      ssrc: this.#ssrc,
      sequenceNumber: 0,
    })
  }

  #restartWhereDue(at: number): void {
    for (const [index, jump] of (this.#faults.rtpJumps ?? []).entries()) {
      if (at < jump.at || this.#restarted.has(index) || (jump.kind ?? this.#kind) !== this.#kind) continue
      this.#restarted.add(index)
      if (jump.bySeconds !== undefined) {
        this.#base += jump.bySeconds * this.#clockRate
        continue
      }
      this.#base = this.#random.integer(2 ** 32)
      this.#epoch++
      if (jump.newSsrc) {
        this.#ssrc = this.#random.integer(2 ** 32)
        // A new connection reports anew, as the first one did.
        this.#nextReport = at + (this.#kind === 'audio' ? 2.4 : 0.5)
      }
      this.#sequence = this.#random.integer(65_536)
    }
  }

  /** Samples that the device never gave: RTP time then stands behind the capture. */
  #glitchTicks(at: number): number {
    let ticks = 0
    for (const glitch of this.#faults.captureGlitches ?? []) {
      if (glitch.kind === this.#kind && at >= glitch.at) ticks -= (glitch.byUs / 1e6) * this.#clockRate
    }
    return ticks
  }

  #arrivalUs(sentSeconds: number): number {
    return this.#path.arrival(sentSeconds, this.#random) * 1e6 * this.#recorderRate
  }
}

/** A call: items in the order in which the depacketizers would hand them over. */
export function* simulateCall(options: CallOptions): Generator<SimulatedItem, void, undefined> {
  const tracks: TrackSimulator[] = []
  for (let participant = 0; participant < options.participants.length; participant++) {
    const path = networkPath(options.faults ?? {}, options.seconds, seededRandom(options.seed * 31 + participant))
    for (const kind of ['audio', 'video'] as const) {
      const random = seededRandom(options.seed * 977 + participant * 2 + (kind === 'audio' ? 0 : 1))
      tracks.push(new TrackSimulator(participant, kind, options, random, path))
    }
  }
  const rate = 1 + (options.recorderPpm ?? 0) / 1e6
  let waiting: SimulatedItem[] = []
  for (let second = 1; second <= options.seconds; second++) {
    for (const track of tracks) track.advance(second, waiting)
    waiting.sort((a, b) => a.deliveredUs - b.deliveredUs)
    // What is sent later cannot arrive before now.
    const nowUs = second * 1e6 * rate
    let ready = 0
    while (ready < waiting.length && (waiting[ready] as SimulatedItem).deliveredUs <= nowUs) ready++
    yield* waiting.slice(0, ready)
    waiting = waiting.slice(ready)
  }
  yield* waiting
}
