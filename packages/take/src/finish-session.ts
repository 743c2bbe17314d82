import type { Session } from './session.js'

/**
 * The session of a take to which nothing more comes: it lasts until the last arrival or event, and a track that was not
 * closed ends with its last packet. `lastMs` is the arrival of the last packet of each track.
 */
export function finishSession(session: Session, lastMs: ReadonlyMap<string, number>, durationMs = 0): Session {
  let endMs = durationMs
  for (const event of session.events) endMs = Math.max(endMs, event.atMs)
  for (const atMs of lastMs.values()) endMs = Math.max(endMs, atMs)
  const participants = session.participants.map((participant) => ({
    ...participant,
    tracks: participant.tracks.map((track) => {
      const leftAtMs = track.leftAtMs ?? Math.max(track.joinedAtMs, lastMs.get(track.id) ?? 0)
      return { ...track, leftAtMs }
    }),
  }))
  return { ...session, durationMs: endMs, finished: true, participants }
}
