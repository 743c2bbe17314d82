import {
  H265NalUnitType,
  type H265ParameterSetLookup,
  type H265Pps,
  type H265Sps,
  type H265Vps,
  parseH265Pps,
  parseH265Sps,
  parseH265Vps,
} from '@rushes/bitstream'
import { ParameterSetStore, type StoredParameterSet } from '../nal/parameter-set-store.js'

/** The parameter sets of a stream by id, the latest of each. Ids bound it: 16 VPS, 16 SPS, 64 PPS. */
export class H265ParameterSetMemory implements H265ParameterSetLookup {
  readonly #vps = new ParameterSetStore<H265Vps>(parseH265Vps)
  readonly #sps = new ParameterSetStore<H265Sps>(parseH265Sps)
  readonly #pps = new ParameterSetStore<H265Pps>(parseH265Pps)

  /** Grows whenever the bytes of a parameter set change. */
  get version(): number {
    return this.#vps.version + this.#sps.version + this.#pps.version
  }

  sps(id: number): H265Sps | undefined {
    return this.#sps.get(id)?.parsed
  }

  pps(id: number): H265Pps | undefined {
    return this.#pps.get(id)?.parsed
  }

  storedVps(id: number): StoredParameterSet<H265Vps> | undefined {
    return this.#vps.get(id)
  }

  storedSps(id: number): StoredParameterSet<H265Sps> | undefined {
    return this.#sps.get(id)
  }

  /** All PPS that refer to SPS `spsId`, by rising id. */
  ppsOf(spsId: number): readonly StoredParameterSet<H265Pps>[] {
    return this.#pps.filter((pps) => pps.spsId === spsId)
  }

  /** Remembers a VPS, SPS or PPS. Returns what is kept of it, or `undefined` for one that cannot be read. */
  remember(nalUnit: Uint8Array, type: number): StoredParameterSet | undefined {
    if (type === H265NalUnitType.vps) return this.#vps.remember(nalUnit)
    return type === H265NalUnitType.sps ? this.#sps.remember(nalUnit) : this.#pps.remember(nalUnit)
  }
}
