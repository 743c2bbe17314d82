/** Real calls, played into recordings. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TrackSink } from '@rushes/media'
import { openTake, type Take, trackOf } from '@rushes/take'
import { onTestFinished } from 'vitest'
import type { Recording } from '../src/index.js'

export function fixture(name: string): Promise<Take> {
  return openTake(fileURLToPath(new URL(`../../../test/fixtures/${name}/`, import.meta.url)))
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-recorder-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** How a call is played. */
export interface PlayOptions {
  /** Monotonic time of the recording's start; arrival times are those of the call, counted from there. */
  readonly startUs: number
  readonly fromUs?: number
  readonly untilUs?: number
  /** Before each packet, with its time. */
  readonly onPacket?: (arrivalUs: number) => Promise<void> | undefined
  readonly onKeyframeNeeded?: (trackId: string) => void
}

/** Plays a call into a recording as fast as it goes. Tracks that had begun before `fromUs` begin there. */
export async function play(take: Take, recording: Recording, options: PlayOptions): Promise<void> {
  const { startUs, fromUs = 0, untilUs = Number.POSITIVE_INFINITY } = options
  const sinks = new Map<string, TrackSink>()
  const entries = take.session.participants.flatMap(({ id, tracks }) => tracks.map((entry) => ({ id, entry })))
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet' || item.arrivalUs < fromUs) continue
      if (item.arrivalUs > untilUs) return
      const waiting = options.onPacket?.(item.arrivalUs)
      if (waiting !== undefined) await waiting
      let sink = sinks.get(item.trackId)
      const found = entries.find(({ entry }) => entry.id === item.trackId)
      if (sink === undefined && found !== undefined) {
        const { id: _, participantId: __, timescale: ___, ...track } = trackOf(found.entry, found.id)
        sink = recording.addTrack({
          ...track,
          participantId: found.id,
          onKeyframeNeeded: () => options.onKeyframeNeeded?.(item.trackId),
        })
        sinks.set(item.trackId, sink)
      }
      if (sink?.write(item.data, startUs + item.arrivalUs) === false) await new Promise(setImmediate)
    }
    // The live outputs get their turn, as they would while time passes.
    await new Promise(setImmediate)
  }
}

/** Waits for something that happens in its own time; a test that waits in vain runs into its limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
