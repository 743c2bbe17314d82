/** The facts of an output that its name is made of. */
export interface NamingFacts {
  readonly recordingId: string
  readonly kind: 'individual' | 'composite'
  /** Wall time of the recording's time zero, in microseconds since 1970-01-01T00:00Z. */
  readonly startedAtUs: number
  readonly endedAtUs?: number
  readonly roomId?: string
  readonly sessionId?: string
  readonly participantId?: string
  readonly participantName?: string
  readonly trackId?: string
  /** Number of the part where a recording is split, from 1. */
  readonly part?: number
  /** Further facts, by the names that the template uses for them. */
  readonly extras?: Readonly<Record<string, string>>
}

/** What may be appended to a name, and so needs room. */
export interface NamingRoom {
  /** The suffixes that will be appended: `.mp4`, `/index.m3u8`. @defaultValue those of all containers */
  readonly suffixes?: readonly string[]
}

/** Makes names of facts. A pure function: the same facts give the same name, always and everywhere. */
export interface NamingRule {
  /**
   * The name of an output without its suffix: components between `/`, none above 255 bytes with any of the suffixes.
   * @throws NamingError
   */
  name(facts: NamingFacts, room?: NamingRoom): string
  /** The facts that the rule uses, so that a host can check beforehand what it has. */
  readonly elements: readonly string[]
  /**
   * Facts that differ (in what the rule uses) give names that differ. Without it, names of different outputs may be the
   * same and the host has to look out.
   */
  readonly distinct: boolean
}
