import { tsFormat } from '@rushes/h264-ts-muxer'
import { HlsSegmenter } from '@rushes/hls-segmenter'
import type { OutputObject, TimedItem, Track } from '@rushes/media'
import type { ManifestOutput } from './manifest.js'
import type { Output, OutputContext, OutputStart } from './output.js'
import { TrackFacts } from './track-facts.js'

const MULTIVARIANT_PLAYLIST = 'index.m3u8'
/** level_idc (ITU-T H.264 §A.3.1). */
const LEVEL_4_0 = 40

/** HLS with MPEG-TS segments, into a store: each object in its turn, a playlist after what it names. */
export class HlsOutput implements Output {
  readonly #context: OutputContext
  readonly #start: OutputStart
  readonly #segmenter: HlsSegmenter
  readonly #facts: TrackFacts
  readonly #queue: OutputObject[] = []
  readonly #stored = new Map<string, number>()
  #location = ''
  #started = false
  #finished = false

  constructor(context: OutputContext, start: OutputStart) {
    const { plan } = context
    const codecs = plan.playlistType === 'vod' ? undefined : declaredCodecs(start)
    this.#context = context
    this.#start = start
    this.#facts = new TrackFacts(start.tracks)
    this.#segmenter = new HlsSegmenter({
      format: tsFormat(start.tracks, { originUs: start.startUs }),
      segmentDuration: plan.segmentDuration,
      ...(plan.targetDuration === undefined ? undefined : { targetDuration: plan.targetDuration }),
      ...(context.frameRate === undefined ? undefined : { frameRate: context.frameRate }),
      ...(codecs === undefined ? undefined : { codecs }),
      playlistType: plan.playlistType,
      startedAtUs: context.startedAtUs,
      names: { multivariantPlaylist: MULTIVARIANT_PLAYLIST },
      onSignal: context.emit,
    })
  }

  addTrack(track: Track): void {
    this.#facts.addTrack(track)
    this.#segmenter.addTrack(track)
  }

  push(item: TimedItem): void {
    if (item.type === 'sample') this.#facts.see(item)
    this.#segmenter.push(item, this.#enqueue)
  }

  async drain(): Promise<void> {
    for (const object of this.#queue.splice(0)) {
      const { store, signal, emit, participantId } = this.#context
      const key = this.#context.keyOf(`/${object.name}`)
      const put = await store.put(key, object.body, {
        contentType: object.contentType,
        ...(object.cacheControl === undefined ? undefined : { cacheControl: object.cacheControl }),
        ...(signal === undefined ? undefined : { signal }),
      })
      this.#stored.set(key, put.bytes)
      emit({ type: 'stored', key, bytes: put.bytes })
      if (object.name === MULTIVARIANT_PLAYLIST) {
        this.#location = put.location
        if (!this.#started) emit({ type: 'output-started', participantId, container: 'hls', key })
        this.#started = true
      }
    }
  }

  async finish(): Promise<ManifestOutput> {
    this.#segmenter.flush(this.#enqueue)
    await this.drain()
    this.#finished = true
    const { startUs } = this.#start
    let bytes = 0
    for (const size of this.#stored.values()) bytes += size
    return {
      kind: 'individual',
      participantId: this.#context.participantId,
      container: 'hls',
      key: this.#context.keyOf(`/${MULTIVARIANT_PLAYLIST}`),
      location: this.#location,
      bytes,
      startUs,
      durationUs: (this.#facts.endUs ?? startUs) - startUs,
      ...this.#facts.describe(),
    }
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
