/** Records everyone in a room while it happens; what a crash leaves is finished at the next start. */
import type { NewTrack } from '@rushes/media'
import { createRecorder, type RecordingTrackOptions } from '@rushes/recorder'
import type { Manifest } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'

/** A track of the host, with the packets that arrive on it. */
export interface RoomTrack extends NewTrack {
  readonly packets: NonNullable<RecordingTrackOptions['source']>
}

/** Resolves when the recordings are in `<dir>/recordings`. `onEvent` is told what happens meanwhile. */
export async function recordRoom(
  dir: string,
  tracks: readonly RoomTrack[],
  onEvent: (type: string) => void,
): Promise<Manifest> {
  const store = createLocalStore({ root: `${dir}/recordings` })
  const recorder = await createRecorder({ journalDir: `${dir}/takes`, store, hls: { segmentDuration: 2 } })
  const recording = await recorder.start({ roomId: 'room-1', limits: { idleMs: 500 } })
  for (const { packets, ...track } of tracks) {
    recording.addTrack({ ...track, source: packets, onKeyframeNeeded: () => onEvent('PLI') })
  }
  // It stops by itself: nobody has been in the room for half a second.
  for await (const event of recording.events) onEvent(event.type)
  const manifest = await recording.done
  await recorder.close()
  return manifest
}
