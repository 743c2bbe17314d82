import { tsFormat } from '@rushes/h264-ts-muxer'
import { HlsSegmenter, OpusGapFiller } from '@rushes/hls-segmenter'
import type { OutputObject, TimedItem, Track } from '@rushes/media'
import { type Emit, ticksToUs, timescaleOf } from '@rushes/media'
import { cmafFormat } from '@rushes/mp4-writer'
import type { HlsObjectNames } from '@rushes/naming-rules'
import type { ManifestOutput } from './manifest.js'
import type { OutputContext, OutputStart, PartOutput } from './output.js'
import { ResumePoint } from './resume-point.js'
import { TrackFacts } from './track-facts.js'

const MEDIA_PLAYLIST = 'media.m3u8'
const VOD_PLAYLIST = 'vod.m3u8'
/** level_idc (ITU-T H.264 §A.3.1). */
const LEVEL_4_0 = 40

/** HLS with segments of MPEG-TS or CMAF, into a store: each object in its turn, a playlist after what it names. */
export class HlsOutput implements PartOutput {
  readonly #context: OutputContext
  readonly #start: OutputStart
  readonly #segmenter: HlsSegmenter
  /** Players with one buffer for all tracks stop at a hole in one of them. */
  readonly #filler: OpusGapFiller | undefined
  readonly #facts: TrackFacts
  readonly #tracks = new Map<string, Track>()
  readonly #queue: OutputObject[] = []
  readonly #stored = new Map<string, number>()
  readonly #part: number | undefined
  readonly #names: HlsObjectNames
  readonly #resume: ResumePoint | undefined
  /** Of the media playlist, as it was last written. */
  #playlist: OutputObject | undefined
  #location = ''
  #started = false
  #finished = false

  /** Goes on with what an earlier render has published, where there is such. */
  static async create(context: OutputContext, start: OutputStart, part?: number): Promise<HlsOutput> {
    if (context.recallPlaylist === undefined || context.plan.playlistType !== 'event') {
      return new HlsOutput(context, start, part, undefined)
    }
    const { prefix, folder } = namesOf(context, start, part)
    const published = await context.recallPlaylist(`${prefix}${folder}${MEDIA_PLAYLIST}`)
    const resume = published === undefined ? undefined : ResumePoint.of(published, context.startedAtUs)
    return new HlsOutput(context, start, part, resume)
  }

  private constructor(
    context: OutputContext,
    start: OutputStart,
    part: number | undefined,
    resume: ResumePoint | undefined,
  ) {
    const { plan } = context
    this.#part = part
    this.#resume = resume
    for (const track of start.tracks) this.#tracks.set(track.id, track)
    const codecs = plan.playlistType === 'vod' ? undefined : declaredCodecs(start)
    this.#context = context
    this.#start = start
    this.#facts = new TrackFacts(start.tracks)
    if (plan.segments === 'cmaf') this.#filler = new OpusGapFiller(start.tracks)
    this.#names = namesOf(context, start, part)
    const { folder, index } = this.#names
    const format = (plan.segments === 'ts' ? tsFormat : cmafFormat)(start.tracks, { originUs: start.startUs })
    this.#segmenter = new HlsSegmenter({
      format,
      segmentDuration: plan.segmentDuration,
      ...(plan.targetDuration === undefined ? undefined : { targetDuration: plan.targetDuration }),
      ...(context.frameRate === undefined ? undefined : { frameRate: context.frameRate }),
      ...(codecs === undefined ? undefined : { codecs }),
      playlistType: plan.playlistType,
      startedAtUs: context.startedAtUs,
      names: {
        mediaPlaylist: folder + MEDIA_PLAYLIST,
        multivariantPlaylist: index,
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
    this.#facts.addTrack(track)
    this.#filler?.addTrack(track)
    this.#segmenter.addTrack(track)
  }

  push(item: TimedItem): void {
    if (item.type === 'sample') this.#facts.see(item)
    const admitted = this.#admit(item)
    if (admitted === undefined) return
    if (this.#filler === undefined) this.#intoSegmenter(admitted)
    else this.#filler.push(admitted, this.#intoSegmenter)
  }

  readonly #intoSegmenter: Emit<TimedItem> = (item) => this.#segmenter.push(item, this.#enqueue)

  /** What has not been published yet. */
  #admit(item: TimedItem): TimedItem | undefined {
    if (this.#resume === undefined || item.type === 'track-end') return item
    if (this.#resume.playlist.endList) return undefined
    const track = this.#tracks.get(item.trackId)
    if (item.type === 'sample') return track === undefined ? item : this.#resume.admit(item, track)
    const us = track === undefined ? Number.POSITIVE_INFINITY : ticksToUs(item.dts, timescaleOf(track))
    return us < this.#resume.endUs ? undefined : item
  }

  async drain(): Promise<void> {
    for (const object of this.#queue.splice(0)) {
      const location = await this.#store(object)
      if (object.name === this.#names.folder + MEDIA_PLAYLIST) this.#playlist = object
      if (object.name !== this.#names.index) continue
      const { emit, subject } = this.#context
      this.#location = location
      if (!this.#started) emit({ type: 'output-started', ...subject, container: 'hls', key: this.#key, location })
      this.#started = true
    }
  }

  async #store(object: OutputObject): Promise<string> {
    const { store, signal, emit } = this.#context
    const key = this.#names.prefix + object.name
    const put = await store.put(key, object.body, {
      contentType: object.contentType,
      ...(object.cacheControl === undefined ? undefined : { cacheControl: object.cacheControl }),
      ...(signal === undefined ? undefined : { signal }),
    })
    this.#stored.set(key, put.bytes)
    emit({ type: 'stored', key, bytes: put.bytes })
    return put.location
  }

  get #key(): string {
    return this.#names.prefix + this.#names.index
  }

  async finish(): Promise<ManifestOutput[]> {
    if (this.#resume?.playlist.endList !== true) {
      this.#filler?.flush()
      this.#segmenter.flush(this.#enqueue)
    }
    await this.drain()
    if (this.#context.plan.vodPlaylist) await this.#storeVodPlaylist()
    this.#finished = true
    const startUs = this.#resume?.startUs ?? this.#start.startUs
    let bytes = this.#resume?.bytes ?? 0
    for (const size of this.#stored.values()) bytes += size
    const { subject, store, emit } = this.#context
    const location =
      this.#location === '' ? (await store.urlFor(this.#key).catch(() => undefined))?.url : this.#location
    const output: ManifestOutput = {
      ...subject,
      container: 'hls',
      key: this.#key,
      location: location ?? this.#key,
      bytes,
      startUs,
      durationUs: (this.#facts.endUs ?? startUs) - startUs,
      ...(this.#part === undefined ? undefined : { part: this.#part }),
      ...this.#facts.describe(),
    }
    emit({ type: 'output-ready', output })
    return [output]
  }

  /** The same lines under another name and type: the type of a playlist may never change (RFC 8216 §6.2.1). */
  async #storeVodPlaylist(): Promise<void> {
    const { playlistType } = this.#context.plan
    const growing = this.#playlist
    if (playlistType !== 'event' || growing === undefined) return
    const text = Buffer.concat(growing.body).toString('utf8')
    const body = [Buffer.from(text.replace('#EXT-X-PLAYLIST-TYPE:EVENT', '#EXT-X-PLAYLIST-TYPE:VOD'))]
    await this.#store({
      ...growing,
      name: this.#names.folder + VOD_PLAYLIST,
      body,
      cacheControl: 'max-age=31536000, immutable',
    })
  }

  /** An unfinished VOD has segments that no playlist names: they go. What is whole, or was published live, stays and plays. */
  async abort(): Promise<void> {
    this.#queue.length = 0
    const { store, plan } = this.#context
    if (this.#finished || plan.playlistType !== 'vod') return
    // Playlists were stored last and go first.
    for (const key of [...this.#stored.keys()].reverse()) await store.delete?.(key).catch(() => {})
  }

  readonly #enqueue = (object: OutputObject): void => void this.#queue.push(object)
}

/** An output of HLS is named when it begins: it is published from then on. */
function namesOf(
  { naming }: OutputContext,
  { tracks, startUs }: OutputStart,
  part: number | undefined,
): HlsObjectNames {
  return naming.of({ container: 'hls', tracks, part, startUs }).hls
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
