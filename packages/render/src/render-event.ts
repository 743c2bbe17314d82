import type { KeyframeNeeded } from '@rushes/media'
import type { ManifestOutput, ManifestWarning } from './manifest.js'

/** What a render tells while it works. */
export type RenderEvent =
  /** Position in the source, microseconds of recording time; `totalUs` where the end is known. */
  | { readonly type: 'progress'; readonly recordedUs: number; readonly totalUs?: number }
  /** An output has begun: of HLS the multivariant playlist is stored, and it plays. */
  | {
      readonly type: 'output-started'
      readonly kind: 'individual' | 'composite'
      readonly participantId?: string
      readonly name?: string
      readonly container: 'hls' | 'mp4' | 'webm'
      /** Absent while a file only grows: it is named when all is known of it. */
      readonly key?: string
      /** Where the store put it; absent while the file only grows. */
      readonly location?: string
    }
  /** A composite goes on behind what an earlier render has kept of it, `atUs` of recording time. */
  | { readonly type: 'resumed'; readonly kind: 'composite'; readonly name?: string; readonly atUs: number }
  | { readonly type: 'stored'; readonly key: string; readonly bytes: number }
  | { readonly type: 'output-ready'; readonly output: ManifestOutput }
  | { readonly type: 'warning'; readonly warning: ManifestWarning }
  /** A picture came from which decoding can start: what a `keyframe-needed` of the track asked for. `atUs` by what is known then. */
  | { readonly type: 'keyframe'; readonly trackId: string; readonly atUs: number }
  | KeyframeNeeded
