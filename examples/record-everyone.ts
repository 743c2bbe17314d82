/** Everyone in one picture and one sound while the call runs, and years later once more, in another layout and size. */
import type { Layout } from '@rushes/compositor'
import type { NewTrack } from '@rushes/media'
import { createRecorder, type Recording, type RecordingTrackOptions } from '@rushes/recorder'
import { type Manifest, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'

/** A track of the host, with the packets that arrive on it. */
export interface CallTrack extends NewTrack {
  readonly packets: NonNullable<RecordingTrackOptions['source']>
}

/** Who presents is large on the left, the others stand below each other. Numbers are shares of the canvas. */
const lecture: Layout = {
  type: 'custom',
  name: 'lecture',
  regions: [
    { x: 0, y: 0, width: 0.75, height: 1, participants: ['screen', 'active-speaker'], maxParticipants: 1 },
    { x: 0.75, y: 0, width: 0.25, height: 1, maxColumns: 1, order: 'active-speaker' },
  ],
}

/**
 * Records each track of a call, and everyone together. `onStarted` is given the recording: that is where a host calls
 * `showPresentation`, `trackMuted` and `stop`. The recordings are in `<dir>/recordings`, the take stays in `<dir>/takes`.
 */
export async function recordEveryone(
  dir: string,
  tracks: readonly CallTrack[],
  onStarted: (recording: Recording) => void = () => {},
): Promise<Manifest> {
  const store = createLocalStore({ root: `${dir}/recordings` })
  const recorder = await createRecorder({ journalDir: `${dir}/takes`, store, journal: 'keep' })
  const recording = await recorder.start({
    roomId: 'room-1',
    outputs: ['individual', { composite: { layout: 'grid' } }],
    limits: { idleMs: 500 },
  })
  for (const { packets, ...track } of tracks) recording.addTrack({ ...track, source: packets })
  onStarted(recording)
  const manifest = await recording.done
  await recorder.close()
  return manifest
}

/** In mid-call: from now on the shared screen is large. Tiles move to their new places. */
export function showPresentation(recording: Recording): void {
  recording.setLayout('presentation', { transitionMs: 300 })
}

/** The same call, as one file for those who were not there. The layouts of the call give way to this one. */
export async function renderLecture(dir: string, recordingId: string): Promise<Manifest> {
  return await render(
    await openTake(`${dir}/takes/${recordingId}`),
    {
      outputs: [{ composite: { name: 'lecture', layout: lecture, changes: [], size: '640x360', fps: 15 } }],
      formats: ['mp4'],
    },
    { store: createLocalStore({ root: `${dir}/lectures` }) },
  )
}
