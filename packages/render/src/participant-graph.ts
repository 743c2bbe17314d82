import { type AudioTranscoder, createAacTranscoder } from '@rushes/codecs'
import type {
  AccessUnit,
  AudioTrack,
  Emit,
  KeyframeNeeded,
  SourceItem,
  TimedItem,
  TimedStage,
  Track,
} from '@rushes/media'
import { rescale, ticksToUs, timescaleOf, usToTicks } from '@rushes/media'
import { createDepacketizer, type RtpInput, type RtpStats, type SourceClocks, Timeline } from '@rushes/rtp-depacketizer'
import { Branch } from './branch.js'
import { MP4_CODECS, TS_CODECS, WEBM_CODECS } from './container-codecs.js'
import { FittedOutputs, type WantedOutput } from './fitted-outputs.js'
import { HlsOutput } from './hls-output.js'
import { assignLane, type Lane, LaneMerger, type TrackSpan } from './lanes.js'
import type { ManifestOutput } from './manifest.js'
import { Mp4Output } from './mp4-output.js'
import type { Output, OutputContext, OutputStart } from './output.js'
import { PartedOutput } from './parted-output.js'
import type { OutputFormat, ResolvedPlan } from './plan.js'
import { RepairLog } from './repair-log.js'
import type { TimeCuts } from './time-cuts.js'
import type { TrackHealth } from './track-health.js'

/** A packet of one track. */
export interface TrackPacket {
  readonly trackId: string
  readonly data: Uint8Array
  readonly arrivalUs: number
}

/** Late packets may still come this long after a track's last one, in microseconds. */
const TRACK_END_DELAY_US = 1_000_000
/** An idle lane promises this far behind now, in microseconds: more than the reorder buffer of a new track holds back. */
const IDLE_LAG_US = 1_500_000

interface Source {
  readonly depacketizer: TimedStage<RtpInput, SourceItem>
  readonly merger: LaneMerger
  readonly lane: Lane
  readonly clockRate: number
  /** Arrival after which the track is over, once that is known. */
  endsAtUs: number | undefined
  ended: boolean
  /** Recording time. */
  lastKeyframeUs: number | undefined
}

interface LanePath {
  readonly lane: Lane
  readonly merger: LaneMerger
  readonly transcoder: AudioTranscoder | undefined
  /** What comes out of the transcoder. */
  readonly transcoded: Emit<TimedItem>
  readonly emit: Emit<TimedItem>
}

/** From the packets of one participant to his or her outputs. */
export class ParticipantGraph {
  readonly #context: OutputContext
  readonly #finishedSource: boolean
  readonly #cuts: TimeCuts
  readonly #timeline: Timeline
  readonly #sources = new Map<string, Source>()
  readonly #lanes: Lane[] = []
  readonly #paths = new Map<string, LanePath>()
  /** Those with AAC. */
  readonly #aac: Branch | undefined
  /** Those with Opus as it came. */
  readonly #opus: Branch | undefined
  /** On the clock of the arrivals. */
  #nowUs = 0
  #bursts = 0
  readonly repairs: RepairLog

  /**
   * @param clocks settled ones of a finished source; without them the clocks are learnt on the way.
   * @param cuts of a finished source all of them; else they come while it grows.
   */
  constructor(context: OutputContext, clocks: SourceClocks | undefined, cuts: TimeCuts) {
    this.#context = context
    this.#cuts = cuts
    this.#finishedSource = clocks !== undefined
    const { plan, startedAtUs } = context
    const { us: startHoldUs, bytes: startHoldBytes } = plan.startHold
    this.#timeline = new Timeline(
      clocks === undefined ? { startedAtUs, startHoldUs, startHoldBytes } : { startedAtUs, clocks },
    )
    const sound = soundOf(plan)
    if (sound.aac.length > 0) this.#aac = this.#branch(sound.aac)
    if (sound.opus.length > 0) this.#opus = this.#branch(sound.opus)
    this.repairs = new RepairLog(context.participantId, plan.afterLoss, plan.audioCodec)
  }

  /** Makes ready for a track. Native codecs are loaded here, when a track needs them and not before. */
  async addTrack(span: TrackSpan, endsAtUs?: number): Promise<void> {
    const { track } = span
    const { lane, isNew } = assignLane(this.#lanes, {
      track,
      startUs: this.#cuts.outputUs(span.startUs),
      endUs: span.endUs === undefined ? undefined : this.#cuts.outputUs(span.endUs),
    })
    if (isNew) await this.#openLane(lane)
    const path = this.#paths.get(lane.track.id) as LanePath
    this.#timeline.addTrack(track)
    this.repairs.addTrack(track)
    this.#sources.set(track.id, {
      depacketizer: createDepacketizer(track, {
        afterLoss: this.#context.plan.afterLoss,
        onSignal: this.#context.emit,
      }),
      merger: path.merger,
      lane,
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
    const source = this.#sources.get(packet.trackId)
    if (source === undefined || source.ended) return
    this.#nowUs = packet.arrivalUs
    source.depacketizer.push(packet, this.#intoTimeline)
  }

  /** The track will send no more. */
  #endTrack(trackId: string, source: Source): void {
    if (source.ended) return
    source.ended = true
    source.depacketizer.flush(this.#intoTimeline)
    this.#intoTimeline({ type: 'track-end', trackId })
    this.repairs.end(trackId, lostIn(source.depacketizer.stats), Math.min(this.#nowUs, source.endsAtUs ?? this.#nowUs))
  }

  /** The track, or everything of the participant, has ended: what was on its way by `nowUs` is still taken. */
  leave(nowUs: number, trackId?: string): void {
    for (const [id, source] of this.#sources) {
      if (trackId === undefined || trackId === id) this.#willEnd(source, nowUs)
    }
  }

  /** Once the ends of all tracks of a lane are known, it is free for the next one. Of a finished source they are. */
  #willEnd(source: Source, atUs: number): void {
    if (this.#finishedSource) return
    source.endsAtUs ??= atUs
    let laneEndUs = Number.NEGATIVE_INFINITY
    for (const trackId of source.lane.trackIds) {
      laneEndUs = Math.max(laneEndUs, this.#sources.get(trackId)?.endsAtUs ?? Number.POSITIVE_INFINITY)
    }
    if (Number.isFinite(laneEndUs)) source.lane.endUs = this.#cuts.outputUs(laneEndUs)
  }

  /** Time has passed: `nowUs` on the clock of the arrivals. */
  tick(nowUs: number): void {
    this.#nowUs = nowUs
    for (const [trackId, source] of this.#sources) {
      if (source.ended) continue
      if (source.endsAtUs !== undefined && nowUs > source.endsAtUs + TRACK_END_DELAY_US) {
        this.#endTrack(trackId, source)
        if (this.#finishedSource && source.merger.idle) source.merger.close(this.#pathOf(source).emit)
      } else source.depacketizer.tick(nowUs, this.#intoTimeline)
    }
    this.#timeline.tick(nowUs, this.#intoLanes)
    if (!this.#finishedSource) this.#promiseForIdleLanes(nowUs)
  }

  async drain(): Promise<void> {
    await this.#aac?.drain()
    await this.#opus?.drain()
  }

  async finish(): Promise<ManifestOutput[]> {
    for (const [trackId, source] of this.#sources) this.#endTrack(trackId, source)
    this.#timeline.flush(this.#intoLanes)
    // Lanes are not closed one by one: where all end together, the last sounds are no part without video.
    for (const { transcoder, transcoded } of this.#paths.values()) transcoder?.flush(transcoded)
    const outputs = [...((await this.#aac?.finish()) ?? []), ...((await this.#opus?.finish()) ?? [])]
    this.#close()
    return outputs
  }

  async abort(): Promise<void> {
    this.#close()
    await Promise.allSettled([this.#aac?.abort(), this.#opus?.abort()])
  }

  #close(): void {
    for (const path of this.#paths.values()) path.transcoder?.close()
  }

  async #openLane(lane: Lane): Promise<void> {
    const { track } = lane
    // What goes into the branches: AAC where it must be, the sound as it came where it may.
    const isCopied = track.kind === 'video' || track.codec === 'aac'
    const opusAsIs = isCopied || track.codec === 'opus'
    const needsAac = !isCopied && (this.#aac !== undefined || !opusAsIs)
    const transcoder = needsAac && track.kind === 'audio' ? await this.#openTranscoder(track) : undefined
    const intoAac = this.#aac
    const intoOpus = this.#opus
    intoAac?.addTrack(transcoder?.track ?? track)
    intoOpus?.addTrack(opusAsIs ? track : (transcoder?.track ?? track))
    const transcoded: Emit<TimedItem> = (item) => {
      intoAac?.push(item)
      if (!opusAsIs) intoOpus?.push(item)
    }
    const emit: Emit<TimedItem> = (item) => {
      if (opusAsIs) intoOpus?.push(item)
      if (transcoder !== undefined) transcoder.push(item, transcoded)
      else intoAac?.push(item)
    }
    this.#paths.set(track.id, { lane, merger: new LaneMerger(lane), transcoder, transcoded, emit })
  }

  #openTranscoder(track: AudioTrack): Promise<AudioTranscoder> {
    const { sampleRate, bitRate } = this.#context.plan
    return createAacTranscoder({
      track,
      sampleRate,
      ...(bitRate === undefined ? undefined : { bitRate }),
      onConcealed: (gap) => this.repairs.concealed(gap),
    })
  }

  #branch(formats: readonly OutputFormat[]): Branch {
    const { plan, emit, participantId } = this.#context
    return new Branch({ fromUs: plan.fromUs, toUs: plan.toUs }, async (start, hasSeen) => {
      const wanted = formats.map((format) => this.#wanted(format, (track) => this.#finishedSource || hasSeen(track.id)))
      const fitted = await FittedOutputs.create(wanted, start, {
        onSignal: emit,
        onLeftOut: ({ id, codec }, container) =>
          emit({
            type: 'warning',
            warning: {
              code: 'TRACK_LEFT_OUT',
              message: `${container} cannot hold ${codec}: track ${id} is left out of it`,
              participantId,
              trackId: id,
            },
          }),
      })
      return [fitted]
    })
  }

  #wanted(format: OutputFormat, exists: (track: Track) => boolean): WantedOutput {
    const context = this.#context
    const withSignals = (onSignal: (request: KeyframeNeeded) => void): OutputContext => ({
      ...context,
      emit: (event) => (event.type === 'keyframe-needed' ? onSignal(event) : context.emit(event)),
    })
    if (format !== 'hls') {
      const create = format === 'mp4' ? Mp4Output.create : Mp4Output.createWebm
      return {
        codecs: format === 'mp4' ? MP4_CODECS : WEBM_CODECS,
        create: (start, onSignal) => this.#inParts(start, (...part) => create(withSignals(onSignal), ...part)),
      }
    }
    return {
      codecs: context.plan.segments === 'ts' ? TS_CODECS : MP4_CODECS,
      // A programme lists only streams that exist (ISO/IEC 13818-1 §2.4.4.8): live, a track that was announced but has
      // sent nothing joins later. A finished source is known to have it.
      create: async (start, onSignal) => {
        const tracks = start.tracks.filter(exists)
        const own = withSignals(onSignal)
        const output = await this.#inParts({ ...start, tracks }, (...part) => HlsOutput.create(own, ...part))
        for (const track of start.tracks) if (!exists(track)) output.addTrack(track)
        return output
      },
    }
  }

  async #inParts(start: OutputStart, create: (start: OutputStart, part?: number) => Promise<Output>): Promise<Output> {
    const { parts } = this.#context.plan
    return parts === undefined ? await create(start) : await PartedOutput.create(start, parts, create)
  }

  #pathOf(source: Source): LanePath {
    return this.#paths.get(source.lane.track.id) as LanePath
  }

  /**
   * Live, a lane whose tracks have all ended may go on later (a participant who comes back). Meanwhile it must not hold
   * back the others; while somebody still sends, its sound is silence.
   */
  #promiseForIdleLanes(nowUs: number): void {
    const paths = [...this.#paths.values()]
    const someoneSends = paths.some((path) => !path.merger.idle)
    for (const path of paths) {
      if (!path.merger.idle) continue
      const dts = usToTicks(this.#cuts.outputUs(nowUs - IDLE_LAG_US), path.lane.track.clockRate)
      path.merger.promise(dts, someoneSends ? path.emit : (item) => this.#pastTranscoder(path, item))
    }
  }

  #pastTranscoder(path: LanePath, item: TimedItem): void {
    const { transcoder, transcoded, lane, emit } = path
    if (transcoder === undefined) emit(item)
    else if (item.type === 'watermark') {
      transcoded({ ...item, dts: rescale(item.dts, lane.track.clockRate, timescaleOf(transcoder.track)) })
      if (lane.track.kind === 'audio' && lane.track.codec === 'opus') this.#opus?.push(item)
    }
  }

  readonly #intoTimeline = (item: SourceItem): void => {
    const source = this.#sources.get(item.trackId)
    // Also a BYE says so: nothing more comes, whether or not the room tells.
    if (item.type === 'track-end' && source !== undefined) this.#willEnd(source, this.#nowUs)
    this.#timeline.push(item, this.#intoLanes)
    // Told at once, also where the media waits: nobody needs to ask again.
    if (item.type === 'access-unit' && item.keyframe && source !== undefined) this.#tellKeyframe(item, source)
  }

  readonly #intoLanes = (item: TimedItem): void => {
    const source = this.#sources.get(item.trackId)
    if (source === undefined) return
    if (item.type === 'sample') this.repairs.see(item, ticksToUs(item.pts, source.clockRate))
    const kept = this.#cuts.any ? this.#cuts.apply(item, source.clockRate) : item
    if (kept === undefined) return
    const { emit } = this.#pathOf(source)
    source.merger.push(kept, emit)
    // The survey knows where the media of a lane ends, which may be long before its track is closed: nobody waits for it.
    if (this.#finishedSource && kept.type === 'watermark' && source.merger.pastEnd) source.merger.close(emit)
  }

  #tellKeyframe({ trackId, epoch, clockRate, rtpTimestamp, arrivalUs }: AccessUnit, source: Source): void {
    const ticks = this.#timeline.clocks.toTicks(trackId, epoch, clockRate, rtpTimestamp, arrivalUs)
    source.lastKeyframeUs = ticksToUs(Math.round(ticks), clockRate)
    this.#context.emit({ type: 'keyframe', trackId, atUs: source.lastKeyframeUs })
  }

  /** How each track is doing. */
  health(): TrackHealth[] {
    const states = this.#timeline.clocks.states()
    return [...this.#sources].map(([trackId, { depacketizer, lastKeyframeUs }]) => {
      const stats = depacketizer.stats as RtpStats
      const clock = states.findLast((state) => state.trackId === trackId)?.basis
      return {
        participantId: this.#context.participantId,
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
}

/** Which formats have which sound. */
function soundOf(plan: ResolvedPlan): { readonly aac: OutputFormat[]; readonly opus: OutputFormat[] } {
  const sound = { aac: [] as OutputFormat[], opus: [] as OutputFormat[] }
  for (const format of plan.formats) {
    const mayBeOpus = format === 'mp4' || (format === 'hls' && plan.segments === 'cmaf')
    if (format === 'webm' || (mayBeOpus && plan.audioCodec === 'opus')) sound.opus.push(format)
    else sound.aac.push(format)
  }
  return sound
}

/** Packets of a track that never came, those aside that carried nothing. */
function lostIn(stats: object): number {
  const { lost = 0, lostHarmless = 0 } = stats as { readonly lost?: number; readonly lostHarmless?: number }
  return lost - lostHarmless
}
