import type { Configuration, TimedItem, Track } from '@rushes/media'
import type { Store } from '@rushes/storage-adapters'
import type { ManifestOutput } from './manifest.js'
import type { OutputNaming } from './output-naming.js'
import type { ResolvedPlan } from './plan.js'
import type { RenderEvent } from './render-event.js'

/** A container being written. `push` is synchronous; the graph's driver awaits `drain` between batches, which is the back-pressure. */
export interface Output {
  /** A track begins late. It comes before the first sample of the track. */
  addTrack(track: Track): void
  push(item: TimedItem): void
  /** Waits until what was pushed has gone to its file or store. */
  drain(): Promise<void>
  /** Writes the rest. The output stands under its final name when this resolves. */
  finish(): Promise<ManifestOutput[]>
  /** Takes away what is not whole. */
  abort(): Promise<void>
}

/** An output that may be followed by another part of the same. */
export interface PartOutput extends Output {
  /** @param isLast false: another part follows; left out where there are no parts */
  finish(isLast?: boolean): Promise<ManifestOutput[]>
}

/** Whose recording an output is: that of one participant, or of everyone together. */
export interface OutputSubject {
  readonly kind: 'individual' | 'composite'
  /** Of an individual one. */
  readonly participantId?: string
  /** Of a composite that has one, where there are several. */
  readonly name?: string
}

/** What every output is made from. */
export interface OutputContext {
  readonly plan: ResolvedPlan
  readonly store: Store
  readonly scratchDir: string
  readonly subject: OutputSubject
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  readonly naming: OutputNaming
  /** Pictures a second, where they are known: of the participant's first video track, of the composite. */
  readonly frameRate: number | undefined
  /** Video tracks that are the first one again in smaller sizes: for HLS. */
  readonly renditions?: ReadonlySet<string>
  readonly emit: (event: RenderEvent) => void
  readonly signal: AbortSignal | undefined
  readonly recallPlaylist: RecallPlaylist | undefined
  /**
   * A keyframe so little before the end of a recalled playlist is the one that ended it, microseconds. @defaultValue
   * 100,000: what times of a live render and of the one that goes on with it may differ by
   */
  readonly recallToleranceUs?: number
}

/** What is known of a playlist that an earlier render, which did not end, has published. */
export interface PublishedPlaylist {
  /** As it was last stored. */
  readonly text: string
  /** Of everything that was stored of its output. */
  readonly bytes: number
}

/** Finds the growing playlist that was published under a key, if there was one. */
export type RecallPlaylist = (key: string) => Promise<PublishedPlaylist | undefined>

/** The stretch that an output covers. */
export interface OutputStart {
  /** The tracks that exist, video first. */
  readonly tracks: readonly Track[]
  /** Earliest presentation time, microseconds of recording time. */
  readonly startUs: number
  /** The first configuration of each track that has sent something by now. */
  readonly configurations: ReadonlyMap<string, Configuration>
}
