import { tsFormat } from '@rushes/h264-ts-muxer'
import { HlsSegmenter, type HlsSummary, OpusGapFiller } from '@rushes/hls-segmenter'
import type { OutputObject, TimedItem, Track } from '@rushes/media'
import { type Emit, ticksToUs, timescaleOf } from '@rushes/media'
import { cmafFormat } from '@rushes/mp4-writer'
import type { OutputContext, OutputStart } from './output.js'
import { ResumePoint } from './resume-point.js'
import { TrackFacts } from './track-facts.js'

const MEDIA_PLAYLIST = 'media.m3u8'
const VOD_PLAYLIST = 'vod.m3u8'
/** level_idc (ITU-T H.264 §A.3.1). */
const LEVEL_4_0 = 40

/** What the objects of a variant are called, behind the prefix of its output. */
export interface VariantNames {
  /** Empty, or ends in a slash. */
  readonly folder: string
  /** The multivariant playlist, where it is the only variant. */
  readonly index: string | undefined
}

/** One media playlist with its segments, given out as objects in the order in which they must be stored. */
export class HlsVariant {
  readonly facts: TrackFacts
  /** An earlier render, which did not end, has published its beginning. */
  readonly resume: ResumePoint | undefined
  /** Its media playlist, behind the prefix of the output. */
  readonly mediaPlaylist: string
  /** CODECS to declare, where the playlist grows and they are known. */
  readonly codecs: readonly string[] | undefined
  readonly #names: VariantNames
  readonly #segmenter: HlsSegmenter
  /** Players with one buffer for all tracks stop at a hole in one of them. */
  readonly #filler: OpusGapFiller | undefined
  readonly #tracks = new Map<string, Track>()
  readonly #emit: Emit<OutputObject>
  /** The media playlist as it was last written. */
  #playlist: OutputObject | undefined

  /**
   * Goes on with what an earlier render has published, where there is such.
   * @param prefix stands before all names to make keys
   */
  static async create(
    context: OutputContext,
    start: OutputStart,
    prefix: string,
    names: VariantNames,
    emit: Emit<OutputObject>,
  ): Promise<HlsVariant> {
    const isGrowing = context.plan.playlistType === 'event'
    const key = prefix + names.folder + MEDIA_PLAYLIST
    const published = isGrowing ? await context.recallPlaylist?.(key) : undefined
    const resume =
      published === undefined ? undefined : ResumePoint.of(published, context.startedAtUs, context.recallToleranceUs)
    return new HlsVariant(context, start, names, emit, resume)
  }

  private constructor(
    context: OutputContext,
    start: OutputStart,
    names: VariantNames,
    emit: Emit<OutputObject>,
    resume: ResumePoint | undefined,
  ) {
    const { plan, frameRate, startedAtUs } = context
    const { tracks, startUs } = start
    this.#emit = emit
    this.resume = resume
    this.#names = names
    for (const track of tracks) this.#tracks.set(track.id, track)
    this.facts = new TrackFacts(tracks)
    this.codecs = plan.playlistType === 'vod' ? undefined : declaredCodecs(start)
    if (plan.segments === 'cmaf') this.#filler = new OpusGapFiller(tracks)
    const { folder, index } = names
    this.mediaPlaylist = folder + MEDIA_PLAYLIST
    const format = (plan.segments === 'ts' ? tsFormat : cmafFormat)(tracks, { originUs: startUs })
    this.#segmenter = new HlsSegmenter({
      format,
      segmentDuration: plan.segmentDuration,
      ...(plan.targetDuration === undefined ? undefined : { targetDuration: plan.targetDuration }),
      ...(frameRate === undefined ? undefined : { frameRate }),
      ...(this.codecs === undefined ? undefined : { codecs: this.codecs }),
      playlistType: plan.playlistType,
      startedAtUs,
      names: {
        mediaPlaylist: this.mediaPlaylist,
        multivariantPlaylist: index ?? false,
        segment: (number) => `${folder}segment-${String(number).padStart(5, '0')}.${format.extension}`,
        initialization: (number) => `${folder}init-${String(number).padStart(5, '0')}.mp4`,
      },
      // Behind its end a playlist takes nothing more: then this only measures.
      ...(resume === undefined || resume.playlist.endList ? undefined : { resume: { playlist: resume.playlist } }),
      onSignal: context.emit,
    })
  }

  addTrack(track: Track): void {
    this.#tracks.set(track.id, track)
    this.facts.addTrack(track)
    this.#filler?.addTrack(track)
    this.#segmenter.addTrack(track)
  }

  push(item: TimedItem): void {
    if (item.type === 'sample') this.facts.see(item)
    const admitted = this.#admit(item)
    if (admitted === undefined) return
    if (this.#filler === undefined) this.#intoSegmenter(admitted)
    else this.#filler.push(admitted, this.#intoSegmenter)
  }

  flush(): void {
    if (this.resume?.playlist.endList === true) return
    this.#filler?.flush()
    this.#segmenter.flush(this.#give)
  }

  /** Of this run. */
  summary(): HlsSummary {
    return this.#segmenter.summary()
  }

  /**
   * Of an `event` playlist: the same lines under another name and type. The type of a playlist may never change
   * (RFC 8216 §6.2.1).
   */
  vodPlaylist(): OutputObject | undefined {
    const growing = this.#playlist
    if (growing === undefined) return undefined
    const text = Buffer.concat(growing.body).toString('utf8')
    const body = [Buffer.from(text.replace('#EXT-X-PLAYLIST-TYPE:EVENT', '#EXT-X-PLAYLIST-TYPE:VOD'))]
    return {
      ...growing,
      name: this.#names.folder + VOD_PLAYLIST,
      body,
      cacheControl: 'max-age=31536000, immutable',
    }
  }

  readonly #intoSegmenter: Emit<TimedItem> = (item) => this.#segmenter.push(item, this.#give)

  readonly #give = (object: OutputObject): void => {
    if (object.name === this.mediaPlaylist) this.#playlist = object
    this.#emit(object)
  }

  /** What has not been published yet. */
  #admit(item: TimedItem): TimedItem | undefined {
    if (this.resume === undefined || item.type === 'track-end') return item
    if (this.resume.playlist.endList) return undefined
    const track = this.#tracks.get(item.trackId)
    if (item.type === 'sample') return track === undefined ? item : this.resume.admit(item, track)
    const us = track === undefined ? Number.POSITIVE_INFINITY : ticksToUs(item.dts, timescaleOf(track))
    return us < this.resume.endUs ? undefined : item
  }
}

/**
 * What a playlist that grows says of its codecs, once and for all. A browser raises the H264 level in mid-call with the
 * size of its picture: level 4.0 (1080p30) is declared at least. `undefined` while a track has not shown what it is.
 */
function declaredCodecs({ tracks, configurations }: OutputStart): string[] | undefined {
  const codecs: string[] = []
  for (const { id } of tracks) {
    const configuration = configurations.get(id)
    if (configuration === undefined) return undefined
    const level = /^(avc1\.[0-9a-f]{4})([0-9a-f]{2})$/.exec(configuration.codecString)
    if (level === null) codecs.push(configuration.codecString)
    else codecs.push(`${level[1]}${Math.max(LEVEL_4_0, Number.parseInt(level[2] as string, 16)).toString(16)}`)
  }
  return [...new Set(codecs)]
}
