/** A parameter set with its bytes. */
export interface StoredParameterSet<Parsed = unknown> {
  readonly parsed: Parsed
  /** A copy of its own: it outlives the packet by far. */
  readonly nalUnit: Uint8Array
}

/** The parameter sets of one kind by id, the latest of each. The range of ids bounds it. */
export class ParameterSetStore<Parsed extends { readonly id: number }> {
  readonly #parse: (nalUnit: Uint8Array) => Parsed
  readonly #byId = new Map<number, StoredParameterSet<Parsed>>()
  #version = 0

  /** `parse` throws for what it cannot read. */
  constructor(parse: (nalUnit: Uint8Array) => Parsed) {
    this.#parse = parse
  }

  /** Grows whenever the bytes of one change. */
  get version(): number {
    return this.#version
  }

  get(id: number): StoredParameterSet<Parsed> | undefined {
    return this.#byId.get(id)
  }

  /** Those that `predicate` holds for, by rising id. */
  filter(predicate: (parsed: Parsed) => boolean): readonly StoredParameterSet<Parsed>[] {
    return [...this.#byId.values()].filter(({ parsed }) => predicate(parsed)).sort((a, b) => a.parsed.id - b.parsed.id)
  }

  /** Remembers one. Returns what is kept of it, or `undefined` for one that cannot be read. */
  remember(nalUnit: Uint8Array): StoredParameterSet<Parsed> | undefined {
    // Sent with every keyframe, and nearly always the same bytes: these are not parsed again.
    for (const known of this.#byId.values()) if (isSame(known.nalUnit, nalUnit)) return known
    try {
      const stored = { parsed: this.#parse(nalUnit), nalUnit: new Uint8Array(nalUnit) }
      this.#byId.set(stored.parsed.id, stored)
      this.#version++
      return stored
    } catch {
      return undefined
    }
  }
}

/** The NAL units in base64 of an SDP parameter, with commas between them; what is no base64 is left out. */
export function spropNalUnits(fmtp: string | undefined, parameter: string): readonly Uint8Array[] {
  const nalUnits: Uint8Array[] = []
  for (const text of fmtpValue(fmtp, parameter)?.split(',') ?? []) {
    try {
      const binary = atob(text)
      if (binary.length > 0) nalUnits.push(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
    } catch {
      // Signalling comes from the network too: the stream itself may still bring what this one would have.
    }
  }
  return nalUnits
}

/** The value of a parameter of `a=fmtp`; `undefined` where it is not given. */
export function fmtpValue(fmtp: string | undefined, parameter: string): string | undefined {
  return new RegExp(`(?:^|[;\\s])${parameter}=([^;\\s]*)`).exec(fmtp ?? '')?.[1]
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false
  return true
}
