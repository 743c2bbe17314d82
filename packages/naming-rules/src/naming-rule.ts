/**
 * The facts of an output that its name is made of. Whoever renders knows the identity of the recording and of the
 * participant, times, codecs and parts. `sessionId`, `streamId`, `streamName`, `mediaSessionId`, `login`, `uid` and
 * `extras` are the host's: `withFacts` adds them.
 */
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
  /** The media stream of a participant, as 100ms has them: the first identifier of `a=msid`. */
  readonly streamId?: string
  /** The name under which the stream was published, as WCS has them. */
  readonly streamName?: string
  /** The publication of one stream, as WCS has them: a UUID. */
  readonly mediaSessionId?: string
  /** The account of the participant. */
  readonly login?: string
  /** The number of the participant, as Jocloud has them. */
  readonly uid?: string
  /** Codec of the sound in the output: `aac`, `opus`. */
  readonly audioCodec?: string
  /** Codec of the picture in the output: `h264`, `vp8`. */
  readonly videoCodec?: string
  /** Number of the part where a recording is split, from 1. */
  readonly part?: number
  /** No part comes after this one. */
  readonly lastPart?: boolean
  /** Wall time of the start of the part, in microseconds since 1970-01-01T00:00Z. */
  readonly partStartedAtUs?: number
  /** Wall time of the end of the part. */
  readonly partEndedAtUs?: number
  /** The names of the recording's composites, which stand in the participant's place and are no participant's. */
  readonly compositeNames?: readonly string[]
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
  /** The facts that the rule uses, and those that stand in for them, so that a host can check beforehand what it has. */
  readonly elements: readonly string[]
  /**
   * Facts that differ (in what the rule uses) give names that differ. Without it, names of different outputs may be the
   * same and the host has to look out.
   */
  readonly distinct: boolean
  /**
   * What stands behind a name for the playlist that players are given. The other objects of an HLS output are in the
   * folder of the name all the same. @defaultValue `/index.m3u8`
   */
  readonly indexSuffix?: '.m3u8'
}
