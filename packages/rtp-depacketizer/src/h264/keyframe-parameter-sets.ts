import { NalUnitType, type Sps } from '@rushes/bitstream'
import type { AccessUnitBuilder } from './access-unit-builder.js'
import type { ParameterSetMemory, StoredParameterSet } from './parameter-set-memory.js'
import { ppsIdOf } from './slice-head.js'

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
    if (!unit.sets.includes(pps)) insert(unit, unit.firstSlice, pps.nalUnit)
  }
  if (!unit.sets.includes(sps)) insert(unit, afterDelimiter(unit), sps.nalUnit)
  return sps
}

/** An SPS goes before the PPS that came, and an access unit delimiter before everything (ITU-T H.264 §7.4.1.2.3). */
function afterDelimiter(unit: AccessUnitBuilder): number {
  const first = unit.pieces[0]?.[0]?.[0] ?? 0
  return (first & 0x1f) === NalUnitType.accessUnitDelimiter ? 1 : 0
}

function insert(unit: AccessUnitBuilder, index: number, nalUnit: Uint8Array): void {
  // A copy: what is emitted belongs to the receiver, and the memory keeps its own.
  unit.pieces.splice(index, 0, [new Uint8Array(nalUnit)])
  unit.firstSlice++
}
