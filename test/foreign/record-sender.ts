import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createUdpIngest, type UdpIngest, type UdpIngestOptions, type UdpIngestStats } from '@rushes/ingest/udp'
import { createRecorder, type RecordingSettings } from '@rushes/recorder'
import type { Manifest } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'

/** A sender's recording, as it lies in its folder. */
export interface SenderRecording {
  readonly manifest: Manifest
  /** Of the outputs. */
  readonly root: string
  /** Of the journal. */
  readonly takeDir: string
  /** At the end, of each ingest. */
  readonly stats: readonly UdpIngestStats[]
}

/** Opens ports of the recording; they are closed by whoever records. */
export type OpenPorts = (options: Omit<UdpIngestOptions, 'target' | 'participantId'>) => Promise<UdpIngest>

/**
 * Records one sender in real time. `send` opens ports, and starts a sender or waits until it has ended; the recording
 * ends when nothing has come for a while.
 */
export async function recordSender(
  folder: string,
  settings: RecordingSettings,
  send: (open: OpenPorts) => Promise<unknown>,
): Promise<SenderRecording> {
  const [root, journalDir] = [join(folder, 'out'), join(folder, 'takes')]
  const recorder = await createRecorder({ store: createLocalStore({ root }), journalDir, journal: 'keep' })
  const ingests: UdpIngest[] = []
  try {
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r', ...settings })
    await send(async (options) => {
      const ingest = await createUdpIngest({
        target: recording,
        participantId: 'sender',
        // Encoders start one after the other: outputs wait for what is announced.
        announce: 'at-once',
        ...options,
      })
      ingests.push(ingest)
      return ingest
    })
    await untilQuiet(ingests)
    const stats = ingests.map((ingest) => ingest.stats)
    for (const ingest of ingests) await ingest.close()
    return { manifest: await recording.stop(), root, takeDir: join(journalDir, 'r'), stats }
  } finally {
    for (const ingest of ingests) await ingest.close()
    await recorder.close()
  }
}

/** Longer than an encoder stalls on a machine that has other things to do. */
const QUIET_MS = 2000

async function untilQuiet(ingests: readonly UdpIngest[]): Promise<void> {
  const packets = (): number =>
    ingests.reduce((sum, { stats }) => sum + stats.media.reduce((all, media) => all + media.packets, 0), 0)
  let last = packets()
  for (let quietMs = 0; last === 0 || quietMs < QUIET_MS; quietMs += 100) {
    await setTimeout(100)
    if (packets() !== last) quietMs = 0
    last = packets()
  }
}
