/** The lines of a playlist that grows: all of them, or those of a sliding window. */

import {
  END_LIST,
  type MediaPlaylistHeader,
  type MediaSegment,
  serializeMediaHeader,
  serializeMediaSegment,
} from './media-playlist.js'

/** How far back a sliding window reaches. */
export interface PlaylistWindow {
  readonly segments: number
  /** It never gets shorter than this by taking a segment away. */
  readonly minDurationUs: number
}

/** What the lines do not say of themselves. */
export type PlaylistHead = Omit<MediaPlaylistHeader, 'mediaSequence' | 'discontinuitySequence'>

/**
 * Once written, a segment's lines are kept as text and never change. Without a window nothing is kept but that text;
 * with one, the segments within it.
 */
export class PlaylistLog {
  readonly #window: PlaylistWindow | undefined
  #mediaSequence: number
  #discontinuitySequence: number
  #text = ''
  #segments: MediaSegment[] = []
  #last: MediaSegment | undefined
  #count = 0
  #windowUs = 0

  constructor(window: PlaylistWindow | undefined, mediaSequence = 0, discontinuitySequence = 0) {
    this.#window = window
    this.#mediaSequence = mediaSequence
    this.#discontinuitySequence = discontinuitySequence
  }

  /** The media sequence number that the next segment gets. */
  get nextSequence(): number {
    return this.#mediaSequence + this.#count
  }

  /** Segments in the playlist. */
  get length(): number {
    return this.#count
  }

  /** Adds a segment; returns those that left the window. */
  append(segment: MediaSegment): readonly MediaSegment[] {
    this.#count++
    if (this.#window === undefined) {
      this.#text += serializeMediaSegment(segment, this.#last)
      this.#last = segment
      return []
    }
    this.#segments.push(segment)
    this.#windowUs += segment.durationUs
    return this.#slide(this.#window)
  }

  /** The playlist as it stands. */
  serialize(head: PlaylistHead, endList: boolean): string {
    const header = serializeMediaHeader({
      ...head,
      mediaSequence: this.#mediaSequence,
      discontinuitySequence: this.#discontinuitySequence,
    })
    let lines = this.#text
    this.#segments.forEach((segment, index) => {
      lines += serializeMediaSegment(segment, this.#segments[index - 1])
    })
    return header + lines + (endList ? END_LIST : '')
  }

  #slide(window: PlaylistWindow): readonly MediaSegment[] {
    const removed: MediaSegment[] = []
    for (;;) {
      const first = this.#segments[0]
      if (first === undefined || this.#count <= window.segments) return removed
      if (this.#windowUs - first.durationUs < window.minDurationUs) return removed
      this.#segments.shift()
      this.#count--
      this.#windowUs -= first.durationUs
      this.#mediaSequence++
      if (first.discontinuity) this.#discontinuitySequence++
      removed.push(first)
    }
  }
}
