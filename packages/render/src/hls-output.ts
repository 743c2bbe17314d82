import { relativeUri } from '@rushes/hls-segmenter'
import type { OutputObject, TimedItem, Track } from '@rushes/media'
import type { HlsObjectNames } from '@rushes/naming-rules'
import { hlsIndex } from './hls-index.js'
import { HlsVariant } from './hls-variant.js'
import type { ManifestOutput } from './manifest.js'
import type { OutputContext, OutputStart, PartOutput } from './output.js'

interface HlsOutputParts {
  readonly context: OutputContext
  readonly start: OutputStart
  readonly part: number | undefined
  readonly names: HlsObjectNames
  readonly variants: readonly HlsVariant[]
  readonly variantOf: ReadonlyMap<string, HlsVariant>
  readonly queue: OutputObject[]
}

/**
 * HLS with segments of MPEG-TS or CMAF, into a store: each object in its turn, a playlist after what it names. Where the
 * pictures come in several sizes, each has its own segments, with the same sound and the same boundaries.
 */
export class HlsOutput implements PartOutput {
  readonly #context: OutputContext
  readonly #start: OutputStart
  readonly #part: number | undefined
  readonly #names: HlsObjectNames
  /** The largest first: the only one where there are no renditions. */
  readonly #variants: readonly HlsVariant[]
  /** Of tracks that are of one variant alone. */
  readonly #variantOf: ReadonlyMap<string, HlsVariant>
  readonly #queue: OutputObject[]
  readonly #stored = new Map<string, number>()
  #location = ''
  #started = false
  #finished = false

  /** Goes on with what an earlier render has published, where there is such. */
  static async create(context: OutputContext, start: OutputStart, part?: number): Promise<HlsOutput> {
    const { tracks, startUs } = start
    // An output of HLS is named when it begins: it is published from then on.
    const names = context.naming.of({ container: 'hls', tracks, part, startUs }).hls
    const { prefix, folder, index } = names
    const renditions = tracks.filter(({ id }) => context.renditions?.has(id))
    const isRendition = new Set<Track>(renditions)
    const rest = { ...start, tracks: tracks.filter((track) => !isRendition.has(track)) }
    const isSeveral = renditions.length > 0
    // One queue: what is of one time is stored together, and a crash leaves all variants alike.
    const queue: OutputObject[] = []
    const enqueue = (object: OutputObject): void => void queue.push(object)
    const own = { folder, index: isSeveral ? undefined : index }
    const main = await HlsVariant.create(context, rest, prefix, own, enqueue)
    const variants = [main]
    const variantOf = new Map<string, HlsVariant>()
    if (isSeveral) for (const { id, kind } of rest.tracks) if (kind === 'video') variantOf.set(id, main)
    const sound = rest.tracks.filter(({ kind }) => kind === 'audio')
    for (const [place, track] of renditions.entries()) {
      const smaller = { folder: `${folder}rendition-${place + 1}/`, index: undefined }
      const its = { ...start, tracks: [track, ...sound] }
      const variant = await HlsVariant.create(context, its, prefix, smaller, enqueue)
      variants.push(variant)
      variantOf.set(track.id, variant)
    }
    return new HlsOutput({ context, start, part, names, variants, variantOf, queue })
  }

  private constructor({ context, start, part, names, variants, variantOf, queue }: HlsOutputParts) {
    this.#context = context
    this.#start = start
    this.#part = part
    this.#names = names
    this.#variants = variants
    this.#variantOf = variantOf
    this.#queue = queue
  }

  addTrack(track: Track): void {
    for (const variant of this.#variants) variant.addTrack(track)
  }

  push(item: TimedItem): void {
    const own = this.#variantOf.get(item.trackId)
    if (own !== undefined) own.push(item)
    else for (const variant of this.#variants) variant.push(item)
  }

  async drain(): Promise<void> {
    for (const object of this.#queue.splice(0)) await this.#put(object)
    const isGrowing = this.#context.plan.playlistType !== 'vod'
    if (isGrowing && !this.#started) await this.#putIndex(false)
  }

  async #put(object: OutputObject): Promise<void> {
    const location = await this.#store(object)
    if (object.name !== this.#names.index) return
    const { emit, subject } = this.#context
    this.#location = location
    if (!this.#started) emit({ type: 'output-started', ...subject, container: 'hls', key: this.#key, location })
    this.#started = true
  }

  /** Of several variants, once all of them have something. */
  async #putIndex(isFinal: boolean): Promise<void> {
    const { plan, frameRate } = this.#context
    if (this.#variants.length === 1) return
    const { index: name } = this.#names
    const variants = this.#variants.map((variant) => ({
      uri: relativeUri(name, variant.mediaPlaylist),
      summary: variant.summary(),
      codecs: isFinal ? undefined : variant.codecs,
    }))
    if (variants.some(({ summary }) => summary.segments === 0)) return
    await this.#put(hlsIndex(variants, { name, container: plan.segments, isFinal, frameRate }))
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
    const { subject, store, emit, plan } = this.#context
    for (const variant of this.#variants) variant.flush()
    await this.drain()
    if (plan.playlistType === 'vod') await this.#putIndex(true)
    if (plan.vodPlaylist && plan.playlistType === 'event') await this.#storeVodPlaylists()
    this.#finished = true
    const [{ resume, facts }] = this.#variants as [HlsVariant]
    const startUs = resume?.startUs ?? this.#start.startUs
    let bytes = 0
    for (const variant of this.#variants) bytes += variant.resume?.bytes ?? 0
    for (const size of this.#stored.values()) bytes += size
    const location =
      this.#location === '' ? (await store.urlFor(this.#key).catch(() => undefined))?.url : this.#location
    const output: ManifestOutput = {
      ...subject,
      container: 'hls',
      key: this.#key,
      location: location ?? this.#key,
      bytes,
      startUs,
      durationUs: (facts.endUs ?? startUs) - startUs,
      ...(this.#part === undefined ? undefined : { part: this.#part }),
      ...facts.describe(),
    }
    emit({ type: 'output-ready', output })
    return [output]
  }

  async #storeVodPlaylists(): Promise<void> {
    for (const variant of this.#variants) {
      const playlist = variant.vodPlaylist()
      if (playlist !== undefined) await this.#store(playlist)
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
}
