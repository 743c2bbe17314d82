import type { Thumbnail } from './thumbnail-track.js'

/** A thumbnail that has been put on its sheet, for a compositor that may have to go on with that sheet. */
export interface TakenThumbnail {
  readonly type: 'thumbnail'
  readonly thumbnail: Thumbnail
  /** Its samples: 4:2:0, luma and then both chroma planes, without padding. */
  readonly samples: Uint8Array
}

/** The stills of an earlier compositor of the same composite, before the frame that the next one goes on at. */
export interface KeptStills {
  /** A poster has been given out. */
  readonly hasPoster: boolean
  /** All that were taken, in order. */
  readonly thumbnails: readonly Thumbnail[]
  /** Samples of those on the sheet that was not full: the last ones, in order. */
  readonly openSheet: readonly Uint8Array[]
}
