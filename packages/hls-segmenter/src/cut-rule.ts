/** Where a segment ends: a pure function of where the open one stands and of the sample that comes next. */

/** Times in microseconds since the start of the open segment. */
export interface CutPoint {
  /** Where the boundary would lie, were the segment cut before this sample. */
  readonly boundaryUs: number
  /** Where this sample ends, less the holes that take no memory. */
  readonly endUs: number
  /** Decoding can start here: a video keyframe, or audio while there is no video to cut on. */
  readonly clean: boolean
  readonly video: boolean
  /** Something new begins: a configuration, a track. */
  readonly forced: boolean
  /** Between the last two keyframes, once there were two. */
  readonly keyframeIntervalUs: number | undefined
}

/** The part of the settings that cuts. */
export interface CutLimits {
  readonly aimUs: number
  readonly requestUs: number
  readonly limitUs: number
}

/** `overdue`: the sample does not fit into the segment any more, and no clean cut can be made before it. */
export type CutVerdict = 'stay' | 'cut' | 'overdue'

// The next picture may come later than this one's length foretells (real senders: up to 83 ms apart). With this slack
// an overdue cut falls on a picture that still begins before the ceiling, rather than on audio or into a gap.
const VIDEO_SLACK_US = 100_000

/** Whether to cut before a sample. */
export function judgeCut(point: CutPoint, limits: CutLimits): CutVerdict {
  const { boundaryUs, clean, video, keyframeIntervalUs } = point
  if (clean && point.forced) return 'cut'
  // Nothing lies before: samples of several tracks that begin together.
  if (boundaryUs <= 0) return 'stay'
  if (clean) {
    if (boundaryUs >= (video ? limits.requestUs : limits.aimUs)) return 'cut'
    // If keyframes go on as they came, the next one is past the ceiling: this one is the nearest.
    if (video && keyframeIntervalUs !== undefined && boundaryUs * 2 >= limits.aimUs) {
      if (boundaryUs + keyframeIntervalUs > limits.limitUs) return 'cut'
    }
  }
  if (point.endUs + (video ? VIDEO_SLACK_US : 0) <= limits.limitUs) return 'stay'
  return clean ? 'cut' : 'overdue'
}
