import {
  H265NalUnitType,
  type H265Sps,
  isH265VclNalUnit,
  MAX_H265_SLICE_HEAD_BYTES,
  parseH265SlicePpsId,
} from '@rushes/bitstream'
import type { AccessUnitBuilder } from '../nal/access-unit-builder.js'
import type { StoredParameterSet } from '../nal/parameter-set-store.js'
import { sliceHead } from '../nal/slice-head.js'
import type { H265ParameterSetMemory } from './parameter-set-memory.js'

/**
 * Sees to it that a keyframe has the parameter sets that it needs, and those of the pictures behind it: its VPS, its
 * SPS, and all PPS that refer to it. What did not come with the unit is put in before the first slice.
 * Returns the SPS, or `undefined` where the unit refers to something that never came.
 */
export function completeH265ParameterSets(
  unit: AccessUnitBuilder,
  memory: H265ParameterSetMemory,
): StoredParameterSet<H265Sps> | undefined {
  const sps = spsOfSlices(unit, memory)
  const vps = sps && memory.storedVps(sps.parsed.vpsId)
  if (sps === undefined || vps === undefined) return undefined
  for (const pps of memory.ppsOf(sps.parsed.id)) {
    if (!unit.sets.includes(pps)) unit.insertParameterSet(unit.firstSlice, pps.nalUnit)
  }
  // An access unit delimiter goes before everything (ITU-T H.265 §7.4.2.4.4), and a set before those that refer to it.
  if (!unit.sets.includes(sps)) unit.insertParameterSet(behind(unit, H265NalUnitType.vps), sps.nalUnit)
  if (!unit.sets.includes(vps)) unit.insertParameterSet(behind(unit, H265NalUnitType.accessUnitDelimiter), vps.nalUnit)
  return sps
}

function spsOfSlices(unit: AccessUnitBuilder, memory: H265ParameterSetMemory): StoredParameterSet<H265Sps> | undefined {
  let sps: StoredParameterSet<H265Sps> | undefined
  for (const pieces of unit.pieces) {
    if (!isH265VclNalUnit(typeOf(pieces))) continue
    const ppsId = ppsIdOf(pieces)
    const pps = ppsId === undefined ? undefined : memory.pps(ppsId)
    sps = pps && memory.storedSps(pps.spsId)
    if (sps === undefined) return undefined
  }
  return sps
}

/** Index behind the last NAL unit of type `type`, or behind the delimiter, or 0. */
function behind(unit: AccessUnitBuilder, type: number): number {
  for (let i = unit.firstSlice - 1; i >= 0; i--) {
    const other = typeOf(unit.pieces[i]!)
    if (other === type || other === H265NalUnitType.accessUnitDelimiter) return i + 1
  }
  return 0
}

function typeOf(pieces: readonly Uint8Array[]): number {
  return (pieces[0]![0]! >>> 1) & 0x3f
}

function ppsIdOf(pieces: readonly Uint8Array[]): number | undefined {
  try {
    return parseH265SlicePpsId(sliceHead(pieces, MAX_H265_SLICE_HEAD_BYTES))
  } catch {
    return undefined
  }
}
