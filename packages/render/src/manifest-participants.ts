import type { Session } from '@rushes/take'
import type { ManifestParticipant } from './manifest.js'

/** Tracks that follow each other by less are one stay: audio and video never start at the same instant. */
const SAME_STAY_US = 1_000_000

/** Who was there and when, from the spans of their tracks. */
export function manifestParticipants(
  session: Session,
  durationUs: number,
  chosen: ReadonlySet<string> | undefined,
): ManifestParticipant[] {
  // A host that tells who left need not close every track by itself.
  const leaves = session.events
    .filter(({ type }) => type === 'leave')
    .map(({ participant: by, atMs }) => ({ by, atMs }))
    .sort((a, b) => a.atMs - b.atMs)
  return session.participants
    .filter((participant) => chosen === undefined || chosen.has(participant.id))
    .map((participant) => {
      const spans = participant.tracks
        .map(
          ({
            joinedAtMs,
            leftAtMs = leaves.find((leave) => leave.by === participant.id && leave.atMs >= joinedAtMs)?.atMs,
          }) => ({
            startUs: Math.round(joinedAtMs * 1000),
            endUs: leftAtMs === undefined ? durationUs : Math.round(leftAtMs * 1000),
          }),
        )
        .sort((a, b) => a.startUs - b.startUs)
      const intervals: { startUs: number; endUs: number }[] = []
      for (const span of spans) {
        const last = intervals.at(-1)
        if (last !== undefined && span.startUs <= last.endUs + SAME_STAY_US)
          last.endUs = Math.max(last.endUs, span.endUs)
        else intervals.push({ ...span })
      }
      return {
        id: participant.id,
        ...(participant.name === undefined ? undefined : { name: participant.name }),
        intervals,
      }
    })
}
