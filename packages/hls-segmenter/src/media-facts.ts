/** What the multivariant playlist and the summary say of the media: codecs and sizes that occurred. */

import type { Configuration, SegmentFormat, Track } from '@rushes/media'

/** Pixels. */
export interface Resolution {
  readonly width: number
  readonly height: number
}

// A sender may change its size at every keyframe: what is listed is bounded, the largest is always known.
const MAX_LISTED = 32

/** Collects configurations as they come. */
export class MediaFacts {
  readonly #container: SegmentFormat['container']
  readonly #video = new Set<string>()
  readonly #audio = new Set<string>()
  readonly #resolutions = new Map<string, Resolution>()
  readonly #known = new Set<string>()
  #largest: Resolution | undefined

  constructor(container: SegmentFormat['container']) {
    this.#container = container
  }

  add(track: Track, configuration: Configuration): void {
    this.#known.add(track.id)
    const codecs = configuration.kind === 'video' ? this.#video : this.#audio
    if (codecs.size < MAX_LISTED) codecs.add(configuration.codecString)
    if (configuration.kind !== 'video') return
    // A transport stream cannot say how a picture is to be turned, so there it is shown as it was coded.
    const turned = this.#container === 'cmaf' && configuration.rotation % 180 !== 0
    const width = turned ? configuration.height : configuration.width
    const height = turned ? configuration.width : configuration.height
    if (this.#resolutions.size < MAX_LISTED) this.#resolutions.set(`${width}x${height}`, { width, height })
    const largest = this.#largest
    if (largest === undefined || width * height > largest.width * largest.height) this.#largest = { width, height }
  }

  /** RFC 6381 strings, video first. */
  get codecs(): readonly string[] {
    return [...this.#video, ...this.#audio]
  }

  /**
   * What CODECS may say of `tracks`: it must name every format that can occur (RFC 8216 §4.3.4.2), so it says nothing
   * while a video track has not shown its profile. Audio that has not begun is taken for what its codec implies.
   */
  codecsOf(tracks: readonly Track[]): readonly string[] | undefined {
    const codecs = new Set(this.codecs)
    for (const { id, kind, codec } of tracks) {
      if (this.#known.has(id)) continue
      if (kind === 'video' || (codec !== 'aac' && codec !== 'opus')) return undefined
      codecs.add(codec === 'aac' ? 'mp4a.40.2' : codec)
    }
    return codecs.size === 0 ? undefined : [...codecs]
  }

  /** Every size that occurred, in the order of its first occurrence (up to 32). */
  get resolutions(): readonly Resolution[] {
    return [...this.#resolutions.values()]
  }

  /** By area. */
  get largest(): Resolution | undefined {
    return this.#largest
  }
}
