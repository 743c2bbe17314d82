import type { EncodedSample } from './encoded-sample.js'
import type { Emit } from './stage.js'
import type { Track } from './track.js'

/**
 * A container as the segmenter drives it: MPEG-TS, CMAF. It knows how samples become bytes and nothing of boundaries.
 * Calls come as `begin (push)* end`, again and again; samples come in decoding order across tracks.
 */
export interface SegmentFormat {
  readonly container: 'mpeg-ts' | 'cmaf'
  /** Media type of a segment, e.g. `video/mp2t`. */
  readonly contentType: string
  /** Without the dot. */
  readonly extension: string
  /** The tracks of the segments to come. */
  readonly tracks: readonly Track[]
  /** Adds a track that starts late. Only between `end` and `begin`. */
  addTrack(track: Track): void
  /**
   * Opens a segment. With `discontinuity` the first sample of every track starts anew and clocks may be re-based;
   * a format of which every segment stands alone (TS) writes its tables here.
   */
  begin(start: SegmentStart, emit: Emit<Uint8Array>): void
  push(sample: EncodedSample, emit: Emit<Uint8Array>): void
  /** Closes the segment: all of its bytes have been emitted when this returns. */
  end(emit: Emit<Uint8Array>): void
  /** What EXT-X-MAP names, for the configuration that the last `begin` opened; absent where segments stand alone. */
  initialization?(): Uint8Array
}

/** How a segment begins. */
export interface SegmentStart {
  readonly discontinuity: boolean
}
