import { BitReader, BitstreamError, NalUnitType, nalUnitTypeOf } from '@rushes/bitstream'
import type { ParameterSets } from '@rushes/media'

interface Remembered {
  readonly id: number
  readonly nalUnit: Uint8Array
  /** The access unit that carried it last. */
  seenIn: number
}

/** SPS ids go to 31, PPS ids to 255 (ITU-T H.264 §7.4.2): no more can be in force, so no more are kept. */
const MAX_ID: Readonly<Record<number, number>> = { [NalUnitType.sps]: 31, [NalUnitType.pps]: 255 }

/**
 * The parameter sets in force, by id: those of the last configuration, replaced by what access units brought since.
 * A player that starts at an IDR picture needs all of them, also those that were sent once at the very start.
 */
export class ParameterSetMemory {
  #sps: readonly Remembered[] = []
  #pps: readonly Remembered[] = []

  /** Forgets what was, and takes the sets of a configuration. */
  reset(parameterSets: ParameterSets | undefined): void {
    this.#sps = []
    this.#pps = []
    for (const nalUnit of parameterSets?.sps ?? []) this.see(nalUnit, -1)
    for (const nalUnit of parameterSets?.pps ?? []) this.see(nalUnit, -1)
  }

  /** Access unit number `unit` carries this SPS or PPS. A damaged one is not remembered. */
  see(nalUnit: Uint8Array, unit: number): void {
    const type = nalUnitTypeOf(nalUnit)
    const id = parameterSetId(nalUnit, type)
    if (id === undefined) return
    const sets = type === NalUnitType.sps ? this.#sps : this.#pps
    const known = sets.find((set) => set.id === id)
    if (known !== undefined && isSame(known.nalUnit, nalUnit)) {
      known.seenIn = unit
      return
    }
    // Copied: the bytes may be a view that would keep a whole slab of packets alive.
    const remembered = { id, nalUnit: nalUnit.slice(), seenIn: unit }
    const others = [...sets.filter((set) => set !== known), remembered]
    if (type === NalUnitType.sps) this.#sps = others
    else this.#pps = others
  }

  /** Whether a picture can be decoded at all. */
  get isComplete(): boolean {
    return this.#sps.length > 0 && this.#pps.length > 0
  }

  /** SPS that access unit number `unit` did not carry. */
  spsMissingIn(unit: number): Uint8Array[] {
    return missingIn(this.#sps, unit)
  }

  /** PPS that access unit number `unit` did not carry. */
  ppsMissingIn(unit: number): Uint8Array[] {
    return missingIn(this.#pps, unit)
  }
}

function missingIn(sets: readonly Remembered[], unit: number): Uint8Array[] {
  return sets.filter((set) => set.seenIn !== unit).map((set) => set.nalUnit)
}

function parameterSetId(nalUnit: Uint8Array, type: number): number | undefined {
  try {
    // The id of an SPS comes after profile, constraint flags and level. Neither id is long enough to be escaped.
    const id = new BitReader(nalUnit, type === NalUnitType.sps ? 32 : 8).ue()
    return id <= (MAX_ID[type] ?? -1) ? id : undefined
  } catch (error) {
    if (error instanceof BitstreamError) return undefined
    throw error
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i])
}
