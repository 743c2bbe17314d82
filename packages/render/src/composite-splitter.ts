import { rescale, type TimedItem, type VideoTrack } from '@rushes/media'

/** What a compositor emitted from one keyframe of the picture to the next. */
export interface SplitItems {
  /** Number of its first frame, and of the first one after it. */
  readonly frame: number
  readonly nextFrame: number
  readonly items: readonly TimedItem[]
}

/**
 * Cuts what a compositor emits at the keyframes of its pictures. A segment is whole when every size of the picture has
 * given out the next keyframe; sound goes into the segment in which it comes. What follows the last keyframe is never
 * given out. Holds one segment.
 */
export class CompositeSplitter {
  readonly #fps: number
  readonly #videoTracks: ReadonlyMap<string, VideoTrack>
  #frame: number | undefined
  #items: TimedItem[] = []
  /** Where the next segment may begin, in ticks, once all sizes are there. */
  #boundary: number | undefined
  readonly #arrived = new Set<string>()
  /** Pictures behind the boundary. */
  #behind: TimedItem[] = []

  /** @param videoTracks the picture and its renditions, which have keyframes at the same times */
  constructor(videoTracks: readonly VideoTrack[], fps: number) {
    this.#fps = fps
    this.#videoTracks = new Map(videoTracks.map((track) => [track.id, track]))
  }

  push(item: TimedItem, emit: (split: SplitItems) => void): void {
    // The end of a track is for whoever composes to the end to tell.
    if (item.type === 'track-end') return
    const track = this.#videoTracks.get(item.trackId)
    if (track === undefined || item.type !== 'sample') {
      this.#items.push(item)
      return
    }
    this.#frame ??= this.#frameOf(item.pts, track)
    const isFirst = item.pts <= this.#ticksOf(this.#frame, track)
    if (this.#boundary === undefined && item.keyframe && !isFirst) this.#boundary = item.dts
    if (this.#boundary === undefined || item.dts < this.#boundary) {
      this.#items.push(item)
      return
    }
    this.#behind.push(item)
    if (item.dts === this.#boundary && item.keyframe) this.#arrived.add(item.trackId)
    else if (!this.#arrived.has(item.trackId)) this.#forget()
    if (this.#arrived.size === this.#videoTracks.size) this.#close(track, emit)
  }

  /** One size has no keyframe there: it is no place to begin. */
  #forget(): void {
    this.#items.push(...this.#behind)
    this.#behind = []
    this.#arrived.clear()
    this.#boundary = undefined
  }

  #close(track: VideoTrack, emit: (split: SplitItems) => void): void {
    const nextFrame = this.#frameOf(this.#boundary as number, track)
    emit({ frame: this.#frame as number, nextFrame, items: this.#items })
    const behind = this.#behind
    this.#frame = nextFrame
    this.#items = []
    this.#behind = []
    this.#arrived.clear()
    this.#boundary = undefined
    // A size that is ahead may have a further keyframe among them.
    for (const item of behind) this.push(item, emit)
  }

  #frameOf(ticks: number, { clockRate }: VideoTrack): number {
    return rescale(ticks, clockRate, this.#fps)
  }

  #ticksOf(frame: number, { clockRate }: VideoTrack): number {
    return rescale(frame, this.#fps, clockRate)
  }
}
