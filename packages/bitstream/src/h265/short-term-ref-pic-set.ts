import type { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'

/** A picture that is kept for prediction, relative to the current one. */
export interface ShortTermRefPic {
  /** Its picture order count less that of the current picture; never 0. */
  readonly deltaPoc: number
  /** The current picture may be predicted from it; if not, it is kept for later ones. */
  readonly usedByCurrent: boolean
}

/** A short-term reference picture set (ITU-T H.265 §7.4.8): those shown before the current picture, nearest first, and after it. */
export interface ShortTermRefPicSet {
  readonly before: readonly ShortTermRefPic[]
  readonly after: readonly ShortTermRefPic[]
}

/** §7.4.8: neither list has more than sps_max_dec_pic_buffering_minus1 entries, which MaxDpbSize bounds (§A.4.2). */
const MAX_PICTURES = 16

/**
 * `st_ref_pic_set( index )` (§7.3.7). `known` are the sets of the SPS before it; in a slice header, where `index` is
 * their number, it may refer to any of them. Throws BitstreamError where it makes no sense.
 */
export function readShortTermRefPicSet(
  bits: BitReader,
  index: number,
  known: readonly ShortTermRefPicSet[],
  inSliceHeader: boolean,
): ShortTermRefPicSet {
  if (index > 0 && bits.flag()) return readPredicted(bits, index, known, inSliceHeader)
  const numBefore = atMost(bits.ue(), 'num_negative_pics')
  const numAfter = atMost(bits.ue(), 'num_positive_pics')
  return { before: readList(bits, numBefore, -1), after: readList(bits, numAfter, 1) }
}

function readList(bits: BitReader, count: number, sign: 1 | -1): ShortTermRefPic[] {
  let distance = 0
  return Array.from({ length: count }, () => {
    distance += bits.ue() + 1
    return { deltaPoc: sign * distance, usedByCurrent: bits.flag() }
  })
}

/** inter_ref_pic_set_prediction_flag: the pictures of another set, moved, less some (equations 7-61 and 7-62). */
function readPredicted(
  bits: BitReader,
  index: number,
  known: readonly ShortTermRefPicSet[],
  inSliceHeader: boolean,
): ShortTermRefPicSet {
  const back = inSliceHeader ? bits.ue() + 1 : 1
  const reference = known[index - back]
  if (reference === undefined) {
    throw new BitstreamError('H265_BAD_SPS', `delta_idx_minus1 must be below ${index}, got ${back - 1}`)
  }
  const isNegative = bits.flag()
  const distance = bits.ue() + 1
  const deltaRps = isNegative ? -distance : distance
  // In the order of the flags: those before, those after, and at last the picture that the other set belonged to.
  const candidates = [...reference.before, ...reference.after, { deltaPoc: 0 }]
  const kept: ShortTermRefPic[] = []
  for (const { deltaPoc } of candidates) {
    const usedByCurrent = bits.flag()
    const isKept = usedByCurrent || bits.flag()
    const moved = deltaPoc + deltaRps
    if (isKept && moved !== 0) kept.push({ deltaPoc: moved, usedByCurrent })
  }
  // Ordered by distance, which is what the equations come to: distances within a set are all different.
  const before = kept.filter(({ deltaPoc }) => deltaPoc < 0).sort((a, b) => b.deltaPoc - a.deltaPoc)
  const after = kept.filter(({ deltaPoc }) => deltaPoc > 0).sort((a, b) => a.deltaPoc - b.deltaPoc)
  atMost(before.length, 'NumNegativePics')
  atMost(after.length, 'NumPositivePics')
  return { before, after }
}

function atMost(value: number, name: string): number {
  if (value > MAX_PICTURES) {
    throw new BitstreamError('H265_BAD_SPS', `${name} must be at most ${MAX_PICTURES}, got ${value}`)
  }
  return value
}
