import type { Track } from '@rushes/media'
import type { Session, TakeEvent } from './session.js'

/** One packet of a take. */
export interface TakeRecord {
  readonly type: 'packet'
  readonly trackId: string
  /** One RTP packet or one RTCP compound packet. It belongs to the receiver. */
  readonly data: Uint8Array
  /** Microseconds after the start of the recording; never decreases within a track. */
  readonly arrivalUs: number
  readonly rtcp: boolean
}

/** A track begins; it comes before the first packet of the track. */
export interface TakeTrackItem {
  readonly type: 'track'
  readonly track: Track
  readonly participantId: string
}

/** Something happened in the room. */
export interface TakeEventItem {
  readonly type: 'event'
  readonly event: TakeEvent
  /** Microseconds after the start of the recording. */
  readonly arrivalUs: number
}

/** Time has passed and nothing came: what lets timed stages go on. Only growing sources say so. */
export interface TakeIdle {
  readonly type: 'idle'
  /** Microseconds after the start of the recording. */
  readonly arrivalUs: number
}

/** The source has ended in good order; nothing follows. */
export interface TakeEnd {
  readonly type: 'end'
}

/** What comes out of any source. */
export type TakeItem = TakeRecord | TakeTrackItem | TakeEventItem | TakeIdle | TakeEnd

/** What to read of a source. */
export interface TakeItemsOptions {
  /** Ids of the participants whose tracks are wanted. @defaultValue all */
  readonly participants?: readonly string[]
  /** Ids of the tracks that are wanted. @defaultValue all */
  readonly tracks?: readonly string[]
  /** Ends reading by throwing its reason. */
  readonly signal?: AbortSignal
}

/** Packets of a call in the order of their arrival: a finished take, one that grows on disk, or one in memory. */
export interface TakeSource {
  /** As it is known by now: it grows with a source that grows. */
  readonly session: Session
  /** Nothing more will come than what is there, and it can be read more than once. */
  readonly finished: boolean
  /** Batches of items; at the end one `end`. Leaving the loop releases everything. */
  items(options?: TakeItemsOptions): AsyncIterable<readonly TakeItem[]>
}

/** Whether the options ask for this track. */
export function isWanted(options: TakeItemsOptions, participantId: string, trackId: string): boolean {
  return (
    (options.participants === undefined || options.participants.includes(participantId)) &&
    (options.tracks === undefined || options.tracks.includes(trackId))
  )
}

/** Items in a batch, so that one turn of the event loop carries many packets and memory stays small. */
export const BATCH_ITEMS = 256
