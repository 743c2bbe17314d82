import { addEmulationPrevention } from '../../src/index.js'
import { BitWriter } from '../bit-writer.js'

/** Writers of H265 syntax, for tests: ITU-T H.265 §7.3 read once more, from the other side. */

/** A NAL unit with its two-byte header. */
export function nalUnit(type: number, bits: BitWriter, temporalId = 0): Uint8Array {
  return Uint8Array.of(type << 1, temporalId + 1, ...addEmulationPrevention(bits.finish()))
}

export interface RefPic {
  readonly deltaPoc: number
  readonly used: boolean
}

/** Pictures before (nearest first) and after. */
export interface RefPicSet {
  readonly before: readonly RefPic[]
  readonly after: readonly RefPic[]
}

/** `st_ref_pic_set( index )`, every picture by itself. */
export function writeRefPicSet(w: BitWriter, index: number, set: RefPicSet): void {
  if (index > 0) w.flag(false)
  w.ue(set.before.length).ue(set.after.length)
  for (const list of [set.before, set.after]) {
    let last = 0
    for (const { deltaPoc, used } of list) {
      w.ue(Math.abs(deltaPoc - last) - 1).flag(used)
      last = deltaPoc
    }
  }
}

/** For each picture of the set referred to, and at last for that set's own: used, kept, or left out. */
export type Kept = 'used' | 'kept' | 'out'

/** `st_ref_pic_set( index )` predicted from `known[index - back]`. */
export function writePredictedRefPicSet(
  w: BitWriter,
  deltaRps: number,
  kept: readonly Kept[],
  back: number | undefined,
): void {
  w.flag(true)
  if (back !== undefined) w.ue(back - 1)
  w.flag(deltaRps < 0).ue(Math.abs(deltaRps) - 1)
  for (const each of kept) {
    w.flag(each === 'used')
    if (each !== 'used') w.flag(each === 'kept')
  }
}

/** What such a set comes to, by equations 7-61 and 7-62 to the letter. */
export function predictRefPicSet(reference: RefPicSet, deltaRps: number, kept: readonly Kept[]): RefPicSet {
  const numNegative = reference.before.length
  const numDelta = numNegative + reference.after.length
  const before: RefPic[] = []
  const after: RefPic[] = []
  const take = (list: RefPic[], deltaPoc: number, j: number): void => {
    if (kept[j] !== 'out') list.push({ deltaPoc, used: kept[j] === 'used' })
  }
  for (let j = reference.after.length - 1; j >= 0; j--) {
    const deltaPoc = reference.after[j]!.deltaPoc + deltaRps
    if (deltaPoc < 0) take(before, deltaPoc, numNegative + j)
  }
  if (deltaRps < 0) take(before, deltaRps, numDelta)
  for (let j = 0; j < numNegative; j++) {
    const deltaPoc = reference.before[j]!.deltaPoc + deltaRps
    if (deltaPoc < 0) take(before, deltaPoc, j)
  }
  for (let j = numNegative - 1; j >= 0; j--) {
    const deltaPoc = reference.before[j]!.deltaPoc + deltaRps
    if (deltaPoc > 0) take(after, deltaPoc, j)
  }
  if (deltaRps > 0) take(after, deltaRps, numDelta)
  for (let j = 0; j < reference.after.length; j++) {
    const deltaPoc = reference.after[j]!.deltaPoc + deltaRps
    if (deltaPoc > 0) take(after, deltaPoc, numNegative + j)
  }
  return { before, after }
}

export interface PpsFields {
  readonly id: number
  readonly spsId: number
  readonly dependentSlices: boolean
  readonly outputFlagPresent: boolean
  readonly extraBits: number
  readonly cuQpDelta: boolean
  readonly tiles: boolean
  readonly wavefronts: boolean
}

export function writePps(f: PpsFields): Uint8Array {
  const w = new BitWriter().ue(f.id).ue(f.spsId).flag(f.dependentSlices).flag(f.outputFlagPresent).u(f.extraBits, 3)
  w.flag(true).flag(false).ue(3).ue(0).se(-7).flag(false).flag(true).flag(f.cuQpDelta)
  if (f.cuQpDelta) w.ue(2)
  w.se(-3).se(5).flag(false).flag(true).flag(false).flag(false)
  w.flag(f.tiles).flag(f.wavefronts)
  return nalUnit(34, w)
}

/** An SPS of 64x64 pixels with min_spatial_segmentation_idc. */
export function minimalSps(segmentation: number): Uint8Array {
  const w = new BitWriter().u(0, 4).u(0, 3).flag(true).u(1, 8).u(0x6000_0000, 32).u(0xb000_0000, 32).u(0, 16).u(93, 8)
  w.ue(0).ue(1).ue(64).ue(64).flag(false).ue(0).ue(0).ue(4).flag(true).ue(0).ue(0).ue(0)
  w.ue(0).ue(1).ue(0).ue(3).ue(0).ue(0).flag(false).u(0, 2).flag(false).ue(0).flag(false).u(0, 2)
  // VUI: nothing up to bitstream_restriction_flag.
  w.flag(true).u(0, 4).u(0, 3).flag(false).flag(false).flag(true).u(0, 3).ue(segmentation).ue(0).ue(0).ue(0).ue(0)
  return nalUnit(33, w.flag(false))
}
