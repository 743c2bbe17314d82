import {
  NalUnitType,
  nalUnitTypeOf,
  type ParameterSetLookup,
  type Pps,
  parsePps,
  parseSps,
  type Sps,
} from '../../src/index.js'

/** The parameter sets among NAL units, by id. */
export function parameterSetTable(nalUnits: readonly Uint8Array[]): ParameterSetLookup {
  const spsById = new Map<number, Sps>()
  const ppsById = new Map<number, Pps>()
  for (const nalUnit of nalUnits) {
    if (nalUnitTypeOf(nalUnit) === NalUnitType.sps) spsById.set(parseSps(nalUnit).id, parseSps(nalUnit))
    if (nalUnitTypeOf(nalUnit) === NalUnitType.pps) ppsById.set(parsePps(nalUnit).id, parsePps(nalUnit))
  }
  return { sps: (id) => spsById.get(id), pps: (id) => ppsById.get(id) }
}
