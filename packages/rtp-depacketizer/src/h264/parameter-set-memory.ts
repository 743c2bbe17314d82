import { NalUnitType, type ParameterSetLookup, type Pps, parsePps, parseSps, type Sps } from '@rushes/bitstream'

/** A parameter set with its bytes. */
export interface StoredParameterSet<Parsed extends Sps | Pps> {
  readonly parsed: Parsed
  /** A copy of its own: it outlives the packet by far. */
  readonly nalUnit: Uint8Array
}

/**
 * The parameter sets of a stream by id, the latest of each (ITU-T H.264 §7.4.1.2.1). Ids bound it: 32 SPS, 256 PPS.
 */
export class ParameterSetMemory implements ParameterSetLookup {
  readonly #sps = new Map<number, StoredParameterSet<Sps>>()
  readonly #pps = new Map<number, StoredParameterSet<Pps>>()
  #version = 0

  /** Grows whenever the bytes of a parameter set change. */
  get version(): number {
    return this.#version
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

  storedPps(id: number): StoredParameterSet<Pps> | undefined {
    return this.#pps.get(id)
  }

  /** All PPS that refer to SPS `spsId`, by rising id. */
  ppsOf(spsId: number): readonly StoredParameterSet<Pps>[] {
    return [...this.#pps.values()]
      .filter(({ parsed }) => parsed.spsId === spsId)
      .sort((a, b) => a.parsed.id - b.parsed.id)
  }

  /** Remembers an SPS or PPS. Returns what is kept of it, or `undefined` for one that cannot be read. */
  remember(nalUnit: Uint8Array): StoredParameterSet<Sps> | StoredParameterSet<Pps> | undefined {
    const isSps = (nalUnit[0]! & 0x1f) === NalUnitType.sps
    // Sent with every keyframe, and nearly always the same bytes: these are not parsed again.
    for (const known of isSps ? this.#sps.values() : this.#pps.values()) {
      if (isSame(known.nalUnit, nalUnit)) return known
    }
    try {
      const stored = isSps ? store(this.#sps, parseSps(nalUnit), nalUnit) : store(this.#pps, parsePps(nalUnit), nalUnit)
      this.#version++
      return stored
    } catch {
      return undefined
    }
  }
}

function store<Parsed extends Sps | Pps>(
  map: Map<number, StoredParameterSet<Parsed>>,
  parsed: Parsed,
  nalUnit: Uint8Array,
): StoredParameterSet<Parsed> {
  const stored = { parsed, nalUnit: new Uint8Array(nalUnit) }
  map.set(parsed.id, stored)
  return stored
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false
  return true
}

/** The NAL units of `sprop-parameter-sets` (RFC 6184 §8.1); what is no base64 is left out. */
export function spropParameterSets(fmtp: string | undefined): readonly Uint8Array[] {
  const value = /(?:^|[;\s])sprop-parameter-sets=([^;\s]*)/.exec(fmtp ?? '')?.[1]
  const nalUnits: Uint8Array[] = []
  for (const text of value?.split(',') ?? []) {
    try {
      const binary = atob(text)
      if (binary.length > 0) nalUnits.push(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
    } catch {
      // Signalling comes from the network too: the stream itself may still bring what this one would have.
    }
  }
  return nalUnits
}
