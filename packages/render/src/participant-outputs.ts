import { type AudioTranscoder, createAacTranscoder } from '@rushes/codecs'
import type { AudioTrack, Emit, TimedItem } from '@rushes/media'
import { rescale, timescaleOf, usToTicks } from '@rushes/media'
import type { Branch } from './branch.js'
import { assignLane, type Lane, LaneMerger, type TrackSpan } from './lanes.js'
import type { ManifestOutput } from './manifest.js'
import type { OutputContext } from './output.js'
import { openOutputBranch } from './output-branch.js'
import type { MediaSink, ParticipantSource } from './participant-source.js'
import type { OutputFormat, ResolvedPlan } from './plan.js'
import type { TimeCuts } from './time-cuts.js'

/** An idle lane promises this far behind now, in microseconds: more than the reorder buffer of a new track holds back. */
const IDLE_LAG_US = 1_500_000

interface LanePath {
  readonly lane: Lane
  readonly merger: LaneMerger
  readonly transcoder: AudioTranscoder | undefined
  /** What comes out of the transcoder. */
  readonly transcoded: Emit<TimedItem>
  readonly emit: Emit<TimedItem>
}

/** The recording of one participant: his or her tracks in lanes, sound as it is wanted, and the outputs of both. */
export class ParticipantOutputs implements MediaSink {
  readonly #context: OutputContext
  readonly #source: ParticipantSource
  readonly #cuts: TimeCuts
  readonly #lanes: Lane[] = []
  readonly #paths = new Map<string, LanePath>()
  readonly #pathOfTrack = new Map<string, LanePath>()
  /** Arrival after which a track is over, once that is known. */
  readonly #endsAtUs = new Map<string, number>()
  /** Those with AAC. */
  readonly #aac: Branch | undefined
  /** Those with Opus as it came. */
  readonly #opus: Branch | undefined

  constructor(context: OutputContext, source: ParticipantSource, cuts: TimeCuts) {
    this.#context = context
    this.#source = source
    this.#cuts = cuts
    const sound = soundOf(context.plan)
    const branch = (formats: readonly OutputFormat[]): Branch =>
      openOutputBranch({ context, formats, everyTrackSends: source.isFinished })
    if (sound.aac.length > 0) this.#aac = branch(sound.aac)
    if (sound.opus.length > 0) this.#opus = branch(sound.opus)
  }

  /** Makes ready for a track. Native codecs are loaded here, when a track needs them and not before. */
  async addTrack(span: TrackSpan): Promise<void> {
    const { track } = span
    const { lane, isNew } = assignLane(this.#lanes, {
      track,
      startUs: this.#cuts.outputUs(span.startUs),
      endUs: span.endUs === undefined ? undefined : this.#cuts.outputUs(span.endUs),
    })
    if (isNew) await this.#openLane(lane)
    this.#pathOfTrack.set(track.id, this.#paths.get(lane.track.id) as LanePath)
  }

  push(item: TimedItem): void {
    const path = this.#pathOfTrack.get(item.trackId)
    if (path === undefined) return
    const { merger, emit } = path
    merger.push(item, emit)
    // The survey knows where the media of a lane ends, which may be long before its track is closed: nobody waits for it.
    if (this.#source.isFinished && item.type === 'watermark' && merger.pastEnd) merger.close(emit)
  }

  /** Once the ends of all tracks of a lane are known, it is free for the next one. */
  willEnd(trackId: string, atUs: number): void {
    this.#endsAtUs.set(trackId, atUs)
    const lane = this.#pathOfTrack.get(trackId)?.lane
    if (lane === undefined) return
    let laneEndUs = Number.NEGATIVE_INFINITY
    for (const id of lane.trackIds) {
      laneEndUs = Math.max(laneEndUs, this.#endsAtUs.get(id) ?? Number.POSITIVE_INFINITY)
    }
    if (Number.isFinite(laneEndUs)) lane.endUs = this.#cuts.outputUs(laneEndUs)
  }

  ended(trackId: string): void {
    const path = this.#pathOfTrack.get(trackId)
    if (path?.merger.idle === true) path.merger.close(path.emit)
  }

  /**
   * Time has passed: `nowUs` on the clock of the arrivals. Live, a lane whose tracks have all ended may go on later (a
   * participant who comes back). Meanwhile it must not hold back the others; while somebody still sends, its sound is
   * silence.
   */
  tick(nowUs: number): void {
    if (this.#source.isFinished) return
    const paths = [...this.#paths.values()]
    const someoneSends = paths.some((path) => !path.merger.idle)
    for (const path of paths) {
      if (!path.merger.idle) continue
      const dts = usToTicks(this.#cuts.outputUs(nowUs - IDLE_LAG_US), path.lane.track.clockRate)
      path.merger.promise(dts, someoneSends ? path.emit : (item) => this.#pastTranscoder(path, item))
    }
  }

  async drain(): Promise<void> {
    await this.#aac?.drain()
    await this.#opus?.drain()
  }

  /** The source has been flushed. */
  async finish(): Promise<ManifestOutput[]> {
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
      onConcealed: (gap) => this.#source.repairs.concealed(gap),
    })
  }

  #pastTranscoder(path: LanePath, item: TimedItem): void {
    const { transcoder, transcoded, lane, emit } = path
    if (transcoder === undefined) emit(item)
    else if (item.type === 'watermark') {
      transcoded({ ...item, dts: rescale(item.dts, lane.track.clockRate, timescaleOf(transcoder.track)) })
      if (lane.track.kind === 'audio' && lane.track.codec === 'opus') this.#opus?.push(item)
    }
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
