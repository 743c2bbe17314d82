import type { SessionParticipant, SessionTrack } from '../session.js'
import type { KnownFormat } from './payload-format.js'

/** A stream that becomes a track. */
export interface PlannedTrack {
  readonly participantId: string
  readonly trackId: string
  readonly format: KnownFormat
  readonly guessed: boolean
  readonly origin: string
  readonly ssrc: number
  readonly payloadType: number
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** Wall time of its first packet, in microseconds; `NaN` while nobody knows. */
  firstUs: number
  rtpPackets: number
  rtcpPackets: number
}

type NewStream = Omit<PlannedTrack, 'participantId' | 'trackId' | 'rtpPackets' | 'rtcpPackets'>

/** Gives streams their participants and ids, in the order in which they began. */
export class ImportPlan {
  readonly tracks: PlannedTrack[] = []
  readonly #ids = new Set<string>()

  add(participant: string, stream: NewStream): PlannedTrack {
    const participantId = plainId(participant)
    const base = `${participantId}-${stream.format.kind}`
    let trackId = base
    for (let number = 2; this.#ids.has(trackId); number += 1) trackId = `${base}-${number}`
    this.#ids.add(trackId)
    const track = { ...stream, participantId, trackId, rtpPackets: 0, rtcpPackets: 0 }
    this.tracks.push(track)
    return track
  }

  /**
   * Time zero of the take in microseconds: the first packet of all, on a whole millisecond as `startedAt` has it. What
   * tells no time began with the others.
   */
  settleStart(givenUs: number | undefined): number {
    const known = this.tracks.map(({ firstUs }) => firstUs).filter((firstUs) => !Number.isNaN(firstUs))
    if (givenUs !== undefined) known.push(givenUs)
    const first = known.length === 0 ? 0 : known.reduce((least, firstUs) => Math.min(least, firstUs))
    const startUs = Math.floor(first / 1000) * 1000
    for (const track of this.tracks) if (Number.isNaN(track.firstUs)) track.firstUs = givenUs ?? startUs
    return startUs
  }

  /** The session's participants. `startUs` is wall time in microseconds; offsets count from there. */
  participants(startUs: number): readonly SessionParticipant[] {
    const byId = new Map<string, SessionTrack[]>()
    for (const [index, track] of this.tracks.entries()) {
      const { participantId, trackId, format, ssrc, payloadType, headerExtensions, firstUs } = track
      const { kind, mimeType, clockRate, channels, fmtp } = format
      const tracks = byId.get(participantId) ?? []
      byId.set(participantId, tracks)
      tracks.push({
        id: trackId,
        kind,
        // Names of participants may hold what no file name can.
        file: `${index + 1}-${kind}.rtpdump`,
        mimeType,
        clockRate,
        ssrc,
        payloadType,
        ...(channels === undefined ? {} : { channels }),
        ...(fmtp === undefined ? {} : { fmtp }),
        ...(headerExtensions === undefined ? {} : { headerExtensions }),
        joinedAtMs: Math.max(0, Math.floor((firstUs - startUs) / 1000)),
      })
    }
    return [...byId].map(([id, tracks]) => ({ id, tracks }))
  }
}

/** A CNAME may hold anything. */
function plainId(text: string): string {
  const plain = text
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 200)
  return plain === '' ? 'unknown' : plain
}
