import type { ConcealedGap } from '@rushes/codecs'
import type { AudioTrack, Track, VideoTrack } from '@rushes/media'
import type { ComposeLimits, CompositorOptions } from '../compositor.js'
import type { CompositorReport } from '../compositor-report.js'
import type { SceneEvent } from '../scene/scene-event.js'
import type { CompositeObject } from '../stills/composite-object.js'
import type { TakenThumbnail } from '../stills/kept-stills.js'
import type { PackedItems } from './packed-items.js'

/** What a compositor in a thread is told, in order. */
export type Command =
  | {
      readonly type: 'track'
      readonly track: Track
      readonly participantId: string
      readonly expectedUntilUs: number | undefined
    }
  | { readonly type: 'scene'; readonly event: SceneEvent }
  | { readonly type: 'hold' | 'go-on'; readonly atUs: number }
  | { readonly type: 'keyframe' }
  /** The next of the samples that came with the message: so many of them. */
  | { readonly type: 'items'; readonly count: number }

/** To the thread: one message for all that has gathered. */
export type ToThread =
  | {
      readonly type: 'advance'
      readonly commands: readonly Command[]
      readonly packed: PackedItems
      readonly limits: ComposeLimits
    }
  /** Nothing more comes; it ends at `endUs`. */
  | { readonly type: 'finish'; readonly endUs: number }
  | { readonly type: 'close' }

/** From the thread. */
export type FromThread =
  | { readonly type: 'ready'; readonly tracks: readonly (VideoTrack | AudioTrack)[] }
  /** What has been composed. */
  | { readonly type: 'composed'; readonly packed: PackedItems }
  /** Sound was lost, and this became of it. */
  | { readonly type: 'concealed'; readonly gap: ConcealedGap }
  /** A poster or a sheet of thumbnails. */
  | CompositeObject
  | TakenThumbnail
  /** The answer to one `advance`, after all that it gave. */
  | { readonly type: 'done'; readonly report: CompositorReport }
  | { readonly type: 'finished'; readonly report: CompositorReport }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly stack: string | undefined }

/** What a thread must know at once and not in its turn: places in a list of numbers that both sides see. */
export const SIGNALS = {
  /** How far the call has got, microseconds of recording time. */
  liveUs: 0,
  /** 1 once everything is given up. */
  isClosed: 1,
} as const

/** What the thread begins with. */
export interface ThreadData {
  readonly options: Omit<CompositorOptions, 'onConcealed' | 'onObject' | 'onThumbnail'>
  readonly signals: SharedArrayBuffer
  /** Quality is given up rather than fall behind. */
  readonly keepUp: boolean
  /** Thumbnails are told one by one as well. */
  readonly tellThumbnails: boolean
}
