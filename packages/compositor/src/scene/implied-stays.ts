import type { TakeSceneEvent, TakeSceneTrack } from './take-scene-facts.js'

/** Tracks that follow each other by less are one stay. */
const SAME_STAY_MS = 1000

/**
 * Joins and leaves of somebody of whom nothing but tracks is known: takes that were imported. A stay that lasts to
 * `lastMs` has no leave.
 */
export function impliedStays(
  participant: string,
  name: string | undefined,
  tracks: readonly TakeSceneTrack[],
  lastMs: number,
): TakeSceneEvent[] {
  const stays: { startMs: number; endMs: number }[] = []
  for (const track of tracks.toSorted((one, other) => one.joinedAtMs - other.joinedAtMs)) {
    const { joinedAtMs: startMs, leftAtMs: endMs = Number.POSITIVE_INFINITY } = track
    const last = stays.at(-1)
    if (last !== undefined && startMs <= last.endMs + SAME_STAY_MS) last.endMs = Math.max(last.endMs, endMs)
    else stays.push({ startMs, endMs })
  }
  return stays.flatMap(({ startMs, endMs }) => [
    { type: 'join', atMs: startMs, participant, ...(name === undefined ? undefined : { name }) },
    ...(endMs >= lastMs ? [] : [{ type: 'leave', atMs: endMs, participant }]),
  ])
}
