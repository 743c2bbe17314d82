/** Why an access unit was not emitted. */
export type DropCause =
  /** A packet of it never came. */
  | 'packet-lost'
  /** Its first packet never came. */
  | 'beginning-lost'
  /** It ended within a fragmented NAL unit, or the input ended within it. */
  | 'unfinished'
  /** A packet of it could not be read. */
  | 'damaged'
  /** Over the bound on bytes or NAL units. */
  | 'too-large'
  /** Nothing but parameter sets, SEI and the like; these are remembered, and no picture is missing. */
  | 'no-picture'
  /** Slices that came after a marker that said that the unit was complete. */
  | 'after-marker'
  /** Whole, before the first keyframe. */
  | 'before-keyframe'
  /** Whole, between a loss and the next keyframe. */
  | 'frozen'
  /** A picture to start with whose parameter sets are not known. */
  | 'missing-parameter-sets'
  /** H265: a picture shown before the one at which decoding starts, and predicted from what came before that. */
  | 'leading'

/** All of them. */
export const DROP_CAUSES: readonly DropCause[] = [
  'packet-lost',
  'beginning-lost',
  'unfinished',
  'damaged',
  'too-large',
  'no-picture',
  'after-marker',
  'before-keyframe',
  'frozen',
  'missing-parameter-sets',
  'leading',
]
