import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A clock that runs `speed` times as fast as the machine's: what hurries a replay must also hurry whoever looks at the
 * time meanwhile.
 */
export function replayClock(speed) {
  const startedMs = performance.now()
  const nowUs = () => Math.round((performance.now() - startedMs) * 1000 * speed)
  return {
    nowUs,
    schedule(deadlineUs, wake) {
      const timer = setTimeout(() => wake(), Math.max(0, Math.ceil((deadlineUs - nowUs()) / 1000 / speed)))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}

/** A timer for each packet would be one for each millisecond: packets that are due soon wait for each other. */
const SHORTEST_SLEEP_MS = 10

/**
 * Plays a finished take as if the call took place now: every packet goes to all `receivers` (a live source, a journal)
 * when it is due. Participants, tracks and what happened in the room come when they came. Ends early, but in good
 * order, when `stop` is aborted. Resolves with the recording time at the end, in microseconds.
 */
export async function replay(take, { receivers, clock, speed, stop, onEvent }) {
  const tracks = new Map()
  const names = new Map(
    take.session.participants.map(({ id, name }) => [id, name ?? `${id[0].toUpperCase()}${id.slice(1)}`]),
  )
  for (const participant of take.session.participants) {
    for (const track of participant.tracks) tracks.set(track.id, { participantId: participant.id, track, open: false })
  }
  const toAll = (call) => receivers.forEach(call)
  let nowUs = 0

  const end = (entry, atMs) => {
    entry.open = false
    toAll((receiver) => receiver.endTrack(entry.track.id, atMs))
  }
  const endDueTracks = () => {
    for (const entry of tracks.values()) {
      const { leftAtMs } = entry.track
      if (entry.open && leftAtMs !== undefined && leftAtMs * 1000 <= nowUs) end(entry, leftAtMs)
    }
  }

  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet' && item.type !== 'event') continue
      await waitUntil(item.arrivalUs)
      if (stop.aborted) break
      nowUs = item.arrivalUs
      endDueTracks()
      if (item.type === 'event') {
        const { participant, type } = item.event
        const event = type === 'join' ? { ...item.event, name: names.get(participant) } : item.event
        toAll((receiver) => receiver.event(event))
        onEvent(event)
        continue
      }
      const entry = tracks.get(item.trackId)
      if (!entry.open) {
        entry.open = true
        const { leftAtMs: _notKnownYet, ...track } = entry.track
        toAll((receiver) => receiver.addTrack(entry.participantId, track))
      }
      for (const receiver of receivers) {
        if (!receiver.write(item.trackId, item.data, item.arrivalUs)) await receiver.drain()
      }
    }
    if (stop.aborted) break
  }
  for (const entry of tracks.values()) if (entry.open) end(entry, Math.round(nowUs / 1000))
  return nowUs

  async function waitUntil(dueUs) {
    while (!stop.aborted) {
      const aheadMs = (dueUs - clock.nowUs()) / 1000 / speed
      if (aheadMs <= 0) return
      await sleep(Math.max(SHORTEST_SLEEP_MS, aheadMs), undefined, { signal: stop }).catch(() => {})
    }
  }
}
