import { NalUnitType, type ParameterSetLookup, type Pps, parsePps, parseSps, type Sps } from '@rushes/bitstream'
import { ParameterSetStore, type StoredParameterSet } from '../nal/parameter-set-store.js'

/**
 * The parameter sets of a stream by id, the latest of each (ITU-T H.264 §7.4.1.2.1). Ids bound it: 32 SPS, 256 PPS.
 */
export class ParameterSetMemory implements ParameterSetLookup {
  readonly #sps = new ParameterSetStore<Sps>(parseSps)
  readonly #pps = new ParameterSetStore<Pps>(parsePps)

  /** Grows whenever the bytes of a parameter set change. */
  get version(): number {
    return this.#sps.version + this.#pps.version
  }

  sps(id: number): Sps | undefined {
    return this.#sps.get(id)?.parsed
  }

  pps(id: number): Pps | undefined {
    return this.#pps.get(id)?.parsed
  }

  storedSps(id: number): StoredParameterSet<Sps> | undefined {
    return this.#sps.get(id)
  }

  /** All PPS that refer to SPS `spsId`, by rising id. */
  ppsOf(spsId: number): readonly StoredParameterSet<Pps>[] {
    return this.#pps.filter((pps) => pps.spsId === spsId)
  }

  /** Remembers an SPS or PPS. Returns what is kept of it, or `undefined` for one that cannot be read. */
  remember(nalUnit: Uint8Array): StoredParameterSet<Sps> | StoredParameterSet<Pps> | undefined {
    const isSps = (nalUnit[0]! & 0x1f) === NalUnitType.sps
    return isSps ? this.#sps.remember(nalUnit) : this.#pps.remember(nalUnit)
  }
}
