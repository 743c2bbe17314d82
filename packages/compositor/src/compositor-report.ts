import type { LoadChange } from './load-governor.js'
import type { Chapter } from './scene/chapters.js'
import type { LoggedLayout } from './scene/layout-log.js'
import type { Thumbnail } from './stills/thumbnail-track.js'

/** What a compositor tells of its work so far. */
export interface CompositorReport {
  /** Pictures that were composed, by this one. */
  readonly frames: number
  /** Recording time up to which it has composed. */
  readonly composedUs: number
  /** Where quality was given up to keep up with the call, and where it came back. */
  readonly loadChanges: readonly LoadChange[]
  /** Every tile's place over time. Empty before the end. */
  readonly layouts: readonly LoggedLayout[]
  readonly chapters: readonly Chapter[]
  /** Where each thumbnail is. Empty before the end, and where none are wanted. */
  readonly thumbnails: readonly Thumbnail[]
}
