import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { survey, type TrackSurvey } from '@rushes/render'
import type { ClockState } from '@rushes/rtp-depacketizer'
import { openTake, type Session, type SessionTrack, type TakeDamage, type TakeEvent } from '@rushes/take'

/** What a take holds, as `rushes inspect --json` writes it. Times are microseconds of recording time. */
export interface TakeInspection {
  readonly kind: 'take'
  readonly path: string
  readonly name?: string
  readonly recordingId?: string
  readonly roomId?: string
  /** ISO 8601; recording time zero. */
  readonly startedAt: string
  /** As session.json says, else the end of the last track. */
  readonly durationUs: number
  /** `false`: it is being recorded, or a crash cut it short. */
  readonly finished: boolean
  readonly participants: readonly ParticipantInspection[]
  readonly events: readonly TakeEvent[]
  readonly damage: readonly TakeDamage[]
}

/** One participant of a take. */
export interface ParticipantInspection {
  readonly id: string
  readonly name?: string
  readonly tracks: readonly TrackInspection[]
}

/** One track: what session.json says of it and what its packets say. */
export interface TrackInspection {
  readonly id: string
  readonly kind: 'audio' | 'video'
  readonly mimeType: string
  readonly clockRate: number
  readonly ssrc?: number
  readonly payloadType?: number
  readonly file: string
  /** Bytes of the file; absent when it cannot be read. */
  readonly fileBytes?: number
  /** When the first packet came, and when the track was closed, by session.json. */
  readonly joinedAtUs: number
  readonly leftAtUs?: number
  /** Access units or audio frames that can be written. */
  readonly units: number
  readonly keyframes: number
  /** Of the first unit and the end of the last, by the sender's clock. */
  readonly startUs?: number
  readonly endUs?: number
  readonly sizes: TrackSurvey['sizes']
  readonly gaps: TrackSurvey['gaps']
  /** The depacketizer's counters. */
  readonly stats: Readonly<Record<string, unknown>>
  /** One per source: a restart makes a new one. */
  readonly clocks: readonly ClockState[]
}

/** Reads the whole take once. */
export async function inspectTake(path: string, signal: AbortSignal): Promise<TakeInspection> {
  const take = await openTake(path)
  const found = await survey(take, { afterLoss: 'freeze', signal })
  const { session } = take
  const { name, recordingId, roomId, startedAt, events } = session
  const tracks = new Map(found.tracks.map((track) => [track.track.id, track]))
  const participants: ParticipantInspection[] = []
  for (const participant of session.participants) {
    participants.push({
      id: participant.id,
      ...(participant.name === undefined ? {} : { name: participant.name }),
      tracks: await Promise.all(
        participant.tracks.map(async (track) => {
          const clocks = found.clockStates.filter(({ trackId }) => trackId === track.id)
          return describeTrack(track, tracks.get(track.id), clocks, await sizeOf(join(path, track.file)))
        }),
      ),
    })
  }
  return {
    kind: 'take',
    path,
    ...(name === undefined ? {} : { name }),
    ...(recordingId === undefined ? {} : { recordingId }),
    ...(roomId === undefined ? {} : { roomId }),
    startedAt,
    durationUs: durationOf(session, found.tracks),
    finished: take.session.finished !== false,
    participants,
    events,
    damage: take.damage,
  }
}

function describeTrack(
  entry: SessionTrack,
  found: TrackSurvey | undefined,
  clocks: readonly ClockState[],
  fileBytes: number | undefined,
): TrackInspection {
  const { id, kind, mimeType, clockRate, ssrc, payloadType, file, joinedAtMs, leftAtMs } = entry
  return {
    id,
    kind,
    mimeType,
    clockRate,
    ...(ssrc === undefined ? {} : { ssrc }),
    ...(payloadType === undefined ? {} : { payloadType }),
    file,
    ...(fileBytes === undefined ? {} : { fileBytes }),
    joinedAtUs: Math.round(joinedAtMs * 1000),
    ...(leftAtMs === undefined ? {} : { leftAtUs: Math.round(leftAtMs * 1000) }),
    units: found?.units ?? 0,
    keyframes: found?.keyframes ?? 0,
    ...(found?.startUs === undefined ? {} : { startUs: found.startUs }),
    ...(found?.endUs === undefined ? {} : { endUs: found.endUs }),
    sizes: found?.sizes ?? [],
    gaps: found?.gaps ?? [],
    stats: { ...found?.stats },
    clocks,
  }
}

function durationOf(session: Session, tracks: readonly TrackSurvey[]): number {
  if (session.durationMs !== undefined) return Math.round(session.durationMs * 1000)
  return Math.max(0, ...tracks.map(({ endUs }) => endUs ?? 0))
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch {
    return undefined
  }
}
