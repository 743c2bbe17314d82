import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { removeEmulationPrevention } from '../h264/emulation-prevention.js'
import { h265NalUnitTypeOf, h265TemporalIdOf, isH265Idr, isH265Irap, isH265VclNalUnit } from './nal-unit.js'
import type { H265Pps } from './pps.js'
import { readShortTermRefPicSet, type ShortTermRefPicSet } from './short-term-ref-pic-set.js'
import type { H265Sps } from './sps.js'

/** A picture that is kept for prediction over a long time. */
export interface LongTermRefPic {
  /** Picture order count: its lower bits only, unless `deltaPocMsbCycle` is present. */
  readonly pocLsb: number
  /** DeltaPocMsbCycleLt: how many MaxPicOrderCntLsb it lies behind the current picture, lower bits aside. */
  readonly deltaPocMsbCycle?: number
  readonly usedByCurrent: boolean
}

/** The start of a slice segment header, up to the reference pictures (ITU-T H.265 §7.3.6.1). */
export interface H265SliceSegmentHeader {
  readonly nalUnitType: number
  /** 0 to 6. */
  readonly temporalId: number
  /** first_slice_segment_in_pic_flag. */
  readonly firstInPicture: boolean
  readonly ppsId: number
  /** dependent_slice_segment_flag: all further fields are those of the slice segment before, and 0 or empty here. */
  readonly dependent: boolean
  /** slice_segment_address, in coding tree blocks. */
  readonly address: number
  /** 0 B, 1 P, 2 I. */
  readonly sliceType: number
  /** slice_pic_order_cnt_lsb; 0 for an IDR picture. */
  readonly picOrderCntLsb: number
  /** All short-term pictures that are kept: none for an IDR picture. */
  readonly shortTermRefPics: ShortTermRefPicSet
  /** All long-term pictures that are kept. */
  readonly longTermRefPics: readonly LongTermRefPic[]
}

/** Where a slice segment finds the parameter sets that it refers to. */
export interface H265ParameterSetLookup {
  sps(id: number): H265Sps | undefined
  pps(id: number): H265Pps | undefined
}

/** 16 reference pictures with the longest codes that a 16-bit picture order count leaves end within 110 bytes. */
export const MAX_H265_SLICE_HEAD_BYTES = 128

const NO_REF_PICS: ShortTermRefPicSet = { before: [], after: [] }

/** Parses a slice segment. Throws BitstreamError `H265_BAD_SLICE`, also where a parameter set is unknown. */
export function parseH265SliceSegmentHeader(
  nalUnit: Uint8Array,
  parameterSets: H265ParameterSetLookup,
): H265SliceSegmentHeader {
  try {
    return read(readerOf(nalUnit), nalUnit, parameterSets)
  } catch (cause) {
    throw asSliceError(cause)
  }
}

/** slice_pic_parameter_set_id alone, which needs no parameter set. Throws BitstreamError `H265_BAD_SLICE`. */
export function parseH265SlicePpsId(nalUnit: Uint8Array): number {
  try {
    const bits = readerOf(nalUnit)
    bits.skip(isH265Irap(h265NalUnitTypeOf(nalUnit)) ? 2 : 1)
    return bits.ue()
  } catch (cause) {
    throw asSliceError(cause)
  }
}

function read(bits: BitReader, nalUnit: Uint8Array, parameterSets: H265ParameterSetLookup): H265SliceSegmentHeader {
  const nalUnitType = h265NalUnitTypeOf(nalUnit)
  const firstInPicture = bits.flag()
  if (isH265Irap(nalUnitType)) bits.skip(1) // no_output_of_prior_pics_flag
  const ppsId = bits.ue()
  const pps = parameterSets.pps(ppsId)
  const sps = pps && parameterSets.sps(pps.spsId)
  if (pps === undefined || sps === undefined) {
    throw new BitstreamError(
      'H265_BAD_SLICE',
      `the slice segment refers to PPS ${ppsId}, which is unknown or has no SPS`,
    )
  }
  const dependent = !firstInPicture && pps.dependentSliceSegmentsEnabled && bits.flag()
  const address = firstInPicture ? 0 : bits.u(bitsFor(sps.picSizeInCtbs))
  const header: { -readonly [Key in keyof H265SliceSegmentHeader]: H265SliceSegmentHeader[Key] } = {
    nalUnitType,
    temporalId: h265TemporalIdOf(nalUnit),
    firstInPicture,
    ppsId,
    dependent,
    address,
    sliceType: 0,
    picOrderCntLsb: 0,
    shortTermRefPics: NO_REF_PICS,
    longTermRefPics: [],
  }
  if (dependent) return header
  bits.skip(pps.numExtraSliceHeaderBits)
  header.sliceType = bits.ue()
  if (header.sliceType > 2) {
    throw new BitstreamError('H265_BAD_SLICE', `slice_type must be at most 2, got ${header.sliceType}`)
  }
  if (pps.outputFlagPresent) bits.skip(1) // pic_output_flag
  if (sps.separateColourPlane) bits.skip(2) // colour_plane_id
  if (isH265Idr(nalUnitType)) return header
  header.picOrderCntLsb = bits.u(sps.log2MaxPicOrderCntLsb)
  header.shortTermRefPics = readShortTerm(bits, sps)
  if (sps.longTermRefPicsPresent) header.longTermRefPics = readLongTerm(bits, sps)
  return header
}

function readShortTerm(bits: BitReader, sps: H265Sps): ShortTermRefPicSet {
  const sets = sps.shortTermRefPicSets
  if (!bits.flag()) return readShortTermRefPicSet(bits, sets.length, sets, true)
  const set = sets[bits.u(bitsFor(sets.length))]
  if (set === undefined) throw new BitstreamError('H265_BAD_SLICE', 'short_term_ref_pic_set_idx points past the sets')
  return set
}

function readLongTerm(bits: BitReader, sps: H265Sps): LongTermRefPic[] {
  const known = sps.longTermRefPics
  const numFromSps = known.length > 0 ? bits.ue() : 0
  const count = numFromSps + bits.ue()
  // §7.4.7.1: all reference pictures together fit into the decoded picture buffer.
  if (count > sps.maxDecPicBuffering) {
    throw new BitstreamError('H265_BAD_SLICE', `${count} long-term pictures in a buffer of ${sps.maxDecPicBuffering}`)
  }
  let cycle = 0
  return Array.from({ length: count }, (_, i) => {
    const entry =
      i < numFromSps
        ? known[bits.u(bitsFor(known.length))]
        : { pocLsb: bits.u(sps.log2MaxPicOrderCntLsb), usedByCurrent: bits.flag() }
    if (entry === undefined) throw new BitstreamError('H265_BAD_SLICE', 'lt_idx_sps points past the list')
    const isMsbPresent = bits.flag()
    // Equation 7-52: counted on from the entry before, within each of the two lists.
    if (i === numFromSps) cycle = 0
    if (isMsbPresent) cycle += bits.ue()
    return isMsbPresent ? { ...entry, deltaPocMsbCycle: cycle } : entry
  })
}

/** Ceil( Log2( count ) ). */
function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1)
}

function readerOf(nalUnit: Uint8Array): BitReader {
  const type = h265NalUnitTypeOf(nalUnit)
  if (!isH265VclNalUnit(type)) {
    throw new BitstreamError('H265_BAD_SLICE', `not a slice segment: nal_unit_type ${type}`)
  }
  return new BitReader(removeEmulationPrevention(nalUnit.subarray(0, MAX_H265_SLICE_HEAD_BYTES)), 16)
}

function asSliceError(cause: unknown): unknown {
  if (!(cause instanceof BitstreamError) || cause.code === 'H265_BAD_SLICE') return cause
  return new BitstreamError('H265_BAD_SLICE', `the slice segment header cannot be read: ${cause.message}`, { cause })
}
