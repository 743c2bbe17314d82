import { createLiveSource, type LiveSource, type Take } from '@rushes/take'

/**
 * Plays a finished take into a growing source, in the order of arrival and as fast as its reader goes: to the reader it
 * is a call that goes on.
 */
export function replay(take: Take): LiveSource {
  const { session } = take
  const live = createLiveSource(
    { startedAt: session.startedAt, ...(session.name === undefined ? undefined : { name: session.name }) },
    // Time is that of the packets: the source must not add the machine's.
    { idleMs: 3_600_000 },
  )
  void feed(take, live)
  return live
}

async function feed(take: Take, live: LiveSource): Promise<void> {
  const joins = take.session.participants
    .flatMap(({ id, tracks }) => tracks.map((track) => ({ participant: id, track })))
    .sort((a, b) => a.track.joinedAtMs - b.track.joinedAtMs)
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type === 'packet') {
        const nowMs = item.arrivalUs / 1000
        for (let next = joins[0]; next !== undefined && next.track.joinedAtMs <= nowMs; next = joins[0]) {
          joins.shift()
          const { leftAtMs: _unknownYet, ...track } = next.track
          live.addTrack(next.participant, track)
        }
        if (!live.write(item.trackId, item.data, item.arrivalUs)) await live.drain()
      } else if (item.type === 'event') live.event(item.event)
    }
  }
  live.end()
}
