import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type MonotonicClock, monotonicClock, type TrackSink } from '@rushes/media'
import { createRecorder, type Recording, type RecordingSignal } from '@rushes/recorder'
import { createMemoryStore } from '@rushes/storage-adapters'
import { openTake, trackOf } from '@rushes/take'
import { checkMp4 } from '@rushes/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fixtureFolder, mountMemory, mountRefusal, temporaryFolder, unmount } from './fault-sites.js'

const refusal = process.platform === 'linux' ? mountRefusal() : 'tmpfs is Linux'
const withoutMount = refusal !== undefined && !process.env['CI']
const why = refusal === undefined ? '' : ` (skipped outside CI: ${refusal})`

function mounted(options: string): string {
  const dir = join(temporaryFolder(), 'disk')
  const failure = mountMemory(dir, options)
  if (failure !== undefined) throw new Error(`cannot mount: ${failure}`)
  onTestFinished(() => unmount(dir))
  return dir
}

const SPEED = 5

/** Time that passes faster. */
const originUs = monotonicClock.nowUs()
const fastClock: MonotonicClock = {
  nowUs: () => Math.round(originUs + (monotonicClock.nowUs() - originUs) * SPEED),
  schedule: (deadlineUs, wake) => monotonicClock.schedule(originUs + (deadlineUs - originUs) / SPEED, wake),
}

/** Plays a call at its times by the fast clock. */
async function play(recording: Recording, name: string, at: (ms: number) => void): Promise<void> {
  const take = await openTake(fixtureFolder(name))
  const startUs = fastClock.nowUs()
  const sinks = new Map<string, TrackSink>()
  const entries = take.session.participants.flatMap(({ id, tracks }) => tracks.map((entry) => ({ id, entry })))
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      while (item.arrivalUs > fastClock.nowUs() - startUs) await setTimeout(2)
      at(item.arrivalUs / 1000)
      const found = entries.find(({ entry }) => entry.id === item.trackId)
      if (found === undefined) continue
      let sink = sinks.get(item.trackId)
      if (sink === undefined) {
        const { participantId: _, timescale: __, ...track } = trackOf(found.entry, found.id)
        sink = recording.addTrack({ ...track, participantId: found.id })
        sinks.set(item.trackId, sink)
      }
      sink.write(item.data, startUs + item.arrivalUs)
    }
  }
}

describe.skipIf(withoutMount)(`a journal's disk that fills up${why}`, () => {
  it('and has room again: what was not journalled is told, the live recording is whole, and nothing falls over', async () => {
    const disk = mounted('size=4m')
    const store = createMemoryStore()
    const recorder = await createRecorder({
      store,
      journalDir: join(disk, 'takes'),
      formats: ['mp4'],
      journal: 'keep',
      clock: fastClock,
      scratchDir: temporaryFolder(),
      disk: {
        minFreeBytes: 0,
        steps: [
          { step: 'refuse-recordings', belowBytes: 600_000 },
          { step: 'stop-video', belowBytes: 500_000 },
          { step: 'stop-media', belowBytes: 300_000 },
        ],
      },
    })
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
    const signals: RecordingSignal[] = []
    recording.on((signal) => signals.push(signal))
    const filler = join(disk, 'filler')
    let step = 0
    await play(recording, 'solo', (ms) => {
      if (step === 0 && ms > 5000) {
        step = 1
        writeFileSync(filler, Buffer.alloc(3_500_000))
      } else if (step === 1 && ms > 12_000) {
        step = 2
        rmSync(filler)
      }
    })
    const manifest = await recording.stop()
    const warnings = signals.flatMap((signal) => {
      if (signal.type !== 'WARNING') return []
      const { code, pressure } = signal.data as { readonly code: string; readonly pressure?: string }
      return `${code} ${pressure ?? ''}`.trim()
    })
    expect(warnings).toContain('JOURNAL_PRESSURE begun')
    expect(warnings).toContain('JOURNAL_PRESSURE ended')
    expect(warnings.some((warning) => warning.startsWith('JOURNAL_REFUSED'))).toBe(true)
    // The live outputs never needed the disk of the journal for their media.
    expect(manifest.outputs[0]?.durationUs).toBeGreaterThan(19_000_000)
    expect(await checkMp4(store.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    const take = await openTake(join(disk, 'takes', 'r'))
    expect(take.session.finished).toBe(true)
    expect(take.session.events.filter(({ type }) => type === 'not-journalled').length).toBeGreaterThan(0)
    let last = 0
    for await (const batch of take.items()) {
      for (const item of batch) if (item.type === 'packet') last = Math.max(last, item.arrivalUs)
    }
    expect(last, 'it goes on when there is room').toBeGreaterThan(18_000_000)
    await recorder.close()
  })

  it('before the start: another recording is refused, and says why', async () => {
    const disk = mounted('size=1m')
    const recorder = await createRecorder({
      store: createMemoryStore(),
      journalDir: join(disk, 'takes'),
      disk: { minFreeBytes: 500_000 },
    })
    await expect(recorder.start({ roomId: 'room' })).rejects.toMatchObject({ code: 'RECORDER_REFUSED' })
    await recorder.close()
  })
})
