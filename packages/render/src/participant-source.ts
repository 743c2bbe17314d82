import type { AccessUnit, SourceItem, TimedItem, TimedStage, Track } from '@rushes/media'
import { ticksToUs } from '@rushes/media'
import { createDepacketizer, type RtpInput, type RtpStats, type SourceClocks, Timeline } from '@rushes/rtp-depacketizer'
import type { ResolvedPlan } from './plan.js'
import type { RenderEvent } from './render-event.js'
import { RepairLog } from './repair-log.js'
import type { TimeCuts } from './time-cuts.js'
import type { TrackHealth } from './track-health.js'

/** A packet of one track. */
export interface TrackPacket {
  readonly trackId: string
  readonly data: Uint8Array
  readonly arrivalUs: number
}

/** Whatever is made of the media of a participant. */
export interface MediaSink {
  /** At output time, which is recording time without the pauses that are cut out. */
  push(item: TimedItem): void
  /** The end of the track is known: arrivals after `atUs` are none of it. What was on its way still comes. */
  willEnd?(trackId: string, atUs: number): void
  /** Of a finished source: everything of the track has come. */
  ended?(trackId: string): void
}

/** What the source of a participant's media needs to know. */
export interface ParticipantSourceOptions {
  readonly participantId: string
  readonly plan: ResolvedPlan
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  /** Settled ones of a finished source; without them the clocks are learnt on the way. */
  readonly clocks: SourceClocks | undefined
  /** Of a finished source all of them; else they come while it grows. */
  readonly cuts: TimeCuts
  readonly emit: (event: RenderEvent) => void
}

/** Late packets may still come this long after a track's last one, in microseconds. */
const TRACK_END_DELAY_US = 1_000_000

interface Entry {
  readonly depacketizer: TimedStage<RtpInput, SourceItem>
  readonly clockRate: number
  /** Arrival after which the track is over, once that is known. */
  endsAtUs: number | undefined
  ended: boolean
  /** Recording time. */
  lastKeyframeUs: number | undefined
}

/** From the packets of one participant to samples at their times, for all that is made of them. */
export class ParticipantSource {
  readonly #options: ParticipantSourceOptions
  readonly #timeline: Timeline
  readonly #entries = new Map<string, Entry>()
  readonly #sinks: MediaSink[] = []
  /** On the clock of the arrivals. */
  #nowUs = 0
  #bursts = 0
  readonly repairs: RepairLog

  constructor(options: ParticipantSourceOptions) {
    this.#options = options
    const { plan, startedAtUs, clocks, participantId } = options
    const { us: startHoldUs, bytes: startHoldBytes } = plan.startHold
    this.#timeline = new Timeline(
      clocks === undefined ? { startedAtUs, startHoldUs, startHoldBytes } : { startedAtUs, clocks },
    )
    this.repairs = new RepairLog(participantId, plan.afterLoss, plan.audioCodec)
  }

  /** Every clock is known: a finished source, whose ends are known too. */
  get isFinished(): boolean {
    return this.#options.clocks !== undefined
  }

  addSink(sink: MediaSink): void {
    this.#sinks.push(sink)
  }

  /** @param endsAtUs arrival of its last packet, where that is known */
  addTrack(track: Track, endsAtUs?: number): void {
    this.#timeline.addTrack(track)
    this.repairs.addTrack(track)
    this.#entries.set(track.id, {
      depacketizer: createDepacketizer(track, {
        afterLoss: this.#options.plan.afterLoss,
        onSignal: this.#options.emit,
      }),
      clockRate: track.clockRate,
      endsAtUs,
      ended: false,
      lastKeyframeUs: undefined,
    })
  }

  /**
   * Whether, since this was asked last, so much went on at once that others should have their turn: of a growing source,
   * the media that had waited for its sender's reports.
   */
  takeBurst(): boolean {
    const { startHold } = this.#timeline.stats
    if (startHold === undefined) return false
    const bursts = startHold.known + startHold.overdue + startHold.full
    const isNew = bursts !== this.#bursts
    this.#bursts = bursts
    return isNew
  }

  push(packet: TrackPacket): void {
    const entry = this.#entries.get(packet.trackId)
    if (entry === undefined || entry.ended) return
    this.#nowUs = packet.arrivalUs
    entry.depacketizer.push(packet, this.#intoTimeline)
  }

  /** The track, or everything of the participant, has ended: what was on its way by `nowUs` is still taken. */
  leave(nowUs: number, trackId?: string): void {
    for (const [id, entry] of this.#entries) {
      if (trackId === undefined || trackId === id) this.#willEnd(id, entry, nowUs)
    }
  }

  /** Time has passed: `nowUs` on the clock of the arrivals. */
  tick(nowUs: number): void {
    this.#nowUs = nowUs
    for (const [trackId, entry] of this.#entries) {
      if (entry.ended) continue
      if (entry.endsAtUs !== undefined && nowUs > entry.endsAtUs + TRACK_END_DELAY_US) {
        this.#endTrack(trackId, entry)
        if (this.isFinished) for (const sink of this.#sinks) sink.ended?.(trackId)
      } else entry.depacketizer.tick(nowUs, this.#intoTimeline)
    }
    this.#timeline.tick(nowUs, this.#intoSinks)
  }

  /** The source has ended. */
  flush(): void {
    for (const [trackId, entry] of this.#entries) this.#endTrack(trackId, entry)
    this.#timeline.flush(this.#intoSinks)
  }

  /** How each track is doing. */
  health(): TrackHealth[] {
    const states = this.#timeline.clocks.states()
    return [...this.#entries].map(([trackId, { depacketizer, lastKeyframeUs }]) => {
      const stats = depacketizer.stats as RtpStats
      const clock = states.findLast((state) => state.trackId === trackId)?.basis
      return {
        participantId: this.#options.participantId,
        trackId,
        packets: stats.packets,
        bytes: stats.bytes,
        lost: lostIn(stats),
        late: stats.late,
        duplicates: stats.duplicates,
        ...(lastKeyframeUs === undefined ? undefined : { lastKeyframeUs }),
        ...(clock === undefined ? undefined : { clock }),
      }
    })
  }

  /** The track will send no more. */
  #endTrack(trackId: string, entry: Entry): void {
    if (entry.ended) return
    entry.ended = true
    entry.depacketizer.flush(this.#intoTimeline)
    this.#intoTimeline({ type: 'track-end', trackId })
    this.repairs.end(trackId, lostIn(entry.depacketizer.stats), Math.min(this.#nowUs, entry.endsAtUs ?? this.#nowUs))
  }

  /** Of a finished source the ends are known from the start. */
  #willEnd(trackId: string, entry: Entry, atUs: number): void {
    if (this.isFinished) return
    entry.endsAtUs ??= atUs
    for (const sink of this.#sinks) sink.willEnd?.(trackId, entry.endsAtUs)
  }

  readonly #intoTimeline = (item: SourceItem): void => {
    const entry = this.#entries.get(item.trackId)
    // Also a BYE says so: nothing more comes, whether or not the room tells.
    if (item.type === 'track-end' && entry !== undefined) this.#willEnd(item.trackId, entry, this.#nowUs)
    this.#timeline.push(item, this.#intoSinks)
    // Told at once, also where the media waits: nobody needs to ask again.
    if (item.type === 'access-unit' && item.keyframe && entry !== undefined) this.#tellKeyframe(item, entry)
  }

  readonly #intoSinks = (item: TimedItem): void => {
    const entry = this.#entries.get(item.trackId)
    if (entry === undefined) return
    if (item.type === 'sample') this.repairs.see(item, ticksToUs(item.pts, entry.clockRate))
    const { cuts } = this.#options
    const kept = cuts.any ? cuts.apply(item, entry.clockRate) : item
    if (kept !== undefined) for (const sink of this.#sinks) sink.push(kept)
  }

  #tellKeyframe({ trackId, epoch, clockRate, rtpTimestamp, arrivalUs }: AccessUnit, entry: Entry): void {
    const ticks = this.#timeline.clocks.toTicks(trackId, epoch, clockRate, rtpTimestamp, arrivalUs)
    entry.lastKeyframeUs = ticksToUs(Math.round(ticks), clockRate)
    this.#options.emit({ type: 'keyframe', trackId, atUs: entry.lastKeyframeUs })
  }
}

/** Packets of a track that never came, those aside that carried nothing. */
function lostIn(stats: object): number {
  const { lost = 0, lostHarmless = 0 } = stats as { readonly lost?: number; readonly lostHarmless?: number }
  return lost - lostHarmless
}
