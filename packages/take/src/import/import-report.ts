import type { Refusal } from '../refusals.js'
import type { Session } from '../session.js'
import type { CaptureFormat } from './capture-file.js'
import type { CaptureStats } from './capture-stats.js'
import type { DatagramFault } from './datagram.js'
import type { DatagramKind } from './rtp-streams.js'

/** What came out of an import. */
export interface ImportReport {
  readonly dir: string
  readonly session: Session
  readonly inputs: readonly ImportedInput[]
  readonly tracks: readonly ImportedTrack[]
  /** Streams that were found and not imported. */
  readonly skipped: readonly SkippedStream[]
  /** Packets that the writer of the take refused: by its budget, or beyond what an offset can hold. */
  readonly refused: readonly Refusal[]
}

/** One file that was read. */
export interface ImportedInput extends CaptureStats {
  readonly name: string
  readonly format: CaptureFormat
  /** Frames that gave no packet of a track, by cause. */
  readonly left: Readonly<Partial<Record<LeftCause, number>>>
}

/** Why a frame gave no packet of a track. */
export type LeftCause = DatagramFault | DatagramKind | SkippedStream['cause']

/** One stream that became a track. */
export interface ImportedTrack {
  readonly trackId: string
  readonly participantId: string
  readonly mimeType: string
  /** Nobody said what the payload type is: it was concluded from the packets. */
  readonly guessed: boolean
  readonly rtpPackets: number
  readonly rtcpPackets: number
  /** `source > destination`, or the name of the file. */
  readonly origin: string
}

/** One stream that did not. */
export interface SkippedStream {
  readonly origin: string
  readonly ssrc?: number
  readonly payloadType?: number
  readonly packets: number
  /**
   * `unknown-codec`: nobody said what the payload type is, and its packets do not show it. `encrypted`: SRTP with keys
   * from DTLS, or encrypted by the participants. `data-channel`: no RTP.
   */
  readonly cause: 'unknown-codec' | 'encrypted' | 'data-channel'
}
