import { BitReader, NalUnitType, removeEmulationPrevention, type Sps } from '@rushes/bitstream'
import type { AccessUnitBuilder } from '../nal/access-unit-builder.js'
import type { StoredParameterSet } from '../nal/parameter-set-store.js'
import { sliceHead } from '../nal/slice-head.js'
import type { ParameterSetMemory } from './parameter-set-memory.js'

/**
 * Sees to it that a keyframe has the parameter sets that it needs, and those of the pictures behind it: its SPS, and all
 * PPS that refer to it. What did not come with the unit is put in before the first slice.
 * Returns the SPS, or `undefined` where the unit refers to something that never came.
 */
export function completeParameterSets(
  unit: AccessUnitBuilder,
  memory: ParameterSetMemory,
): StoredParameterSet<Sps> | undefined {
  let sps: StoredParameterSet<Sps> | undefined
  for (const pieces of unit.pieces) {
    const type = pieces[0]![0]! & 0x1f
    if (type !== NalUnitType.nonIdrSlice && type !== NalUnitType.dataPartitionA && type !== NalUnitType.idrSlice) {
      continue
    }
    const ppsId = ppsIdOf(pieces)
    const pps = ppsId === undefined ? undefined : memory.pps(ppsId)
    if (pps === undefined) return undefined
    sps = memory.storedSps(pps.spsId)
    if (sps === undefined) return undefined
  }
  if (sps === undefined) return undefined
  for (const pps of memory.ppsOf(sps.parsed.id)) {
    if (!unit.sets.includes(pps)) unit.insertParameterSet(unit.firstSlice, pps.nalUnit)
  }
  if (!unit.sets.includes(sps)) unit.insertParameterSet(afterDelimiter(unit), sps.nalUnit)
  return sps
}

/** An SPS goes before the PPS that came, and an access unit delimiter before everything (ITU-T H.264 §7.4.1.2.3). */
function afterDelimiter(unit: AccessUnitBuilder): number {
  const first = unit.pieces[0]?.[0]?.[0] ?? 0
  return (first & 0x1f) === NalUnitType.accessUnitDelimiter ? 1 : 0
}

/** pic_parameter_set_id of a slice (ITU-T H.264 §7.3.3), which needs no parameter set; `undefined` if cut short. */
function ppsIdOf(pieces: readonly Uint8Array[]): number | undefined {
  try {
    const bits = new BitReader(removeEmulationPrevention(sliceHead(pieces)), 8)
    bits.ue() // first_mb_in_slice
    bits.ue() // slice_type
    return bits.ue()
  } catch {
    return undefined
  }
}
