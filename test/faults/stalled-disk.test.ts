import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { monotonicClock, type TrackSink } from '@rushes/media'
import { createRecorder, type Recorder, type Recording, type RecordingSignal } from '@rushes/recorder'
import { type Manifest, type ManifestOutput, render } from '@rushes/render'
import { serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { openTake, trackOf } from '@rushes/take'
import { checkHls, checkMp4 } from '@rushes/testkit'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { fixtureFolder, temporaryFolder } from './fault-sites.js'

const disk = await vi.hoisted(async () => {
  const { StallingDisk } = await import('./stalling-disk.js')
  return new StallingDisk()
})
// The threads that write journals are real ones, and really stand still.
vi.mock('node:worker_threads', async (original) => {
  const real = await original<{ readonly Worker: typeof Worker }>()
  return { ...real, Worker: disk.threadsOf(real.Worker) }
})

const isPossible = process.platform === 'linux' && spawnSync('ffprobe', ['-version']).status === 0
const STALL_FROM_MS = 4500
const STALL_MS = 5000
const UNTIL_MS = 15_000

/** A recorder with one recording, and what it told. */
interface Recorded {
  readonly recorder: Recorder
  readonly recording: Recording
  readonly store: MemoryStore
  readonly journalDir: string
  readonly warnings: string[]
}

async function started(journalDir: string): Promise<Recorded> {
  const store = createMemoryStore()
  const recorder = await createRecorder({
    store,
    journalDir,
    journal: 'keep',
    audio: { codec: 'opus' },
    hls: { segmentDuration: 1 },
    statsIntervalMs: 1000,
  })
  const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
  const warnings: string[] = []
  recording.on((signal) => {
    if (signal.type === 'WARNING') warnings.push(codeOf(signal))
  })
  return { recorder, recording, store, journalDir, warnings }
}

function codeOf(signal: RecordingSignal): string {
  return String('data' in signal ? (signal.data as { readonly code?: unknown }).code : undefined)
}

/** Plays a call in real time. Returns how many packets of each track were written. */
async function play(recording: Recording, name: string): Promise<Map<string, number>> {
  const take = await openTake(fixtureFolder(name))
  const startUs = monotonicClock.nowUs()
  const sinks = new Map<string, TrackSink>()
  const written = new Map<string, number>()
  const entries = take.session.participants.flatMap(({ id, tracks }) => tracks.map((entry) => ({ id, entry })))
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      if (item.arrivalUs > UNTIL_MS * 1000) return written
      while (item.arrivalUs > monotonicClock.nowUs() - startUs) await wait(5)
      const found = entries.find(({ entry }) => entry.id === item.trackId)
      if (found === undefined) continue
      let sink = sinks.get(item.trackId)
      if (sink === undefined) {
        const { participantId: _, timescale: __, ...track } = trackOf(found.entry, found.id)
        sink = recording.addTrack({ ...track, participantId: found.id })
        sinks.set(item.trackId, sink)
      }
      sink.write(item.data, startUs + item.arrivalUs)
      written.set(item.trackId, (written.get(item.trackId) ?? 0) + 1)
    }
  }
  return written
}

async function journalled(dir: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const batch of (await openTake(dir, { strict: true })).items()) {
    for (const item of batch) if (item.type === 'packet') counts.set(item.trackId, (counts.get(item.trackId) ?? 0) + 1)
  }
  return counts
}

function bytesBelow(dir: string, extension: string): number {
  let bytes = 0
  for (const name of readdirSync(dir)) if (name.endsWith(extension)) bytes += statSync(join(dir, name)).size
  return bytes
}

const segmentsOf = ({ store }: Recorded): number =>
  [...store.objects.keys()].filter((key) => key.endsWith('.ts')).length

/** Recording times of all packets of an MP4, milliseconds. */
function placesMs(store: MemoryStore, { key, startUs }: ManifestOutput): Record<'video' | 'audio', number[]> {
  const file = join(temporaryFolder(), 'probed.mp4')
  writeFileSync(file, store.objects.get(key)?.data as Uint8Array)
  const args = ['-v', 'quiet', '-show_entries', 'packet=codec_type,pts_time', '-of', 'csv=p=0', file]
  const lines = execFileSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n')
  const of = (kind: string): number[] =>
    lines.flatMap((line) => (line.startsWith(kind) ? [startUs / 1000 + Number(line.split(',')[1]) * 1000] : []))
  return { video: of('video'), audio: of('audio') }
}

function mp4Of(manifest: Manifest, participantId: string): ManifestOutput {
  const found = manifest.outputs.find((one) => one.container === 'mp4' && one.participantId === participantId)
  if (found === undefined) throw new Error(`no MP4 of ${participantId}`)
  return found
}

/** Every output is whole, and each sample stands where the journal, rendered afterwards, places it. */
async function checkOutputs({ store, journalDir }: Recorded, manifest: Manifest): Promise<void> {
  for (const { key, container } of manifest.outputs) {
    if (container === 'mp4') {
      const findings = await checkMp4(store.objects.get(key)?.data as Uint8Array)
      // Sound that is copied is moved to its place by the times of its packets, while its clock is being learnt.
      expect(
        findings.filter(({ rule }) => rule !== 'audio-timing'),
        key,
      ).toEqual([])
      continue
    }
    const folder = key.slice(0, key.lastIndexOf('/'))
    const read = (uri: string): Uint8Array => store.objects.get(`${folder}/${uri}`)?.data as Uint8Array
    const findings = await checkHls({ entry: key.slice(folder.length + 1), read })
    // CODECS and FRAME-RATE of a live output are written with its first segment.
    expect(
      findings.filter(({ rule }) => !rule.startsWith('variant-')),
      key,
    ).toEqual([])
  }
  const again = createMemoryStore()
  const whole = await render(
    await openTake(join(journalDir, 'r')),
    { formats: ['mp4'], audio: { codec: 'opus' } },
    { store: again },
  )
  expect(whole.outputs.length * 2).toBe(manifest.outputs.length)
  for (const { participantId = '' } of whole.outputs) {
    const live = placesMs(store, mp4Of(manifest, participantId))
    const known = placesMs(again, mp4Of(whole, participantId))
    const off = (['video', 'audio'] as const).map((kind) => {
      expect(live[kind].length, `${kind} of ${participantId}`).toBe(known[kind].length)
      return live[kind].map((ms, index) => ms - (known[kind][index] as number))
    }) as [number[], number[]]
    const [video, audio] = off.map((errors) => [Math.min(...errors), Math.max(...errors)]) as [number[], number[]]
    const sync = Math.max(
      Math.abs((video[1] as number) - (audio[0] as number)),
      Math.abs((audio[1] as number) - (video[0] as number)),
    )
    expect(sync, `sync of ${participantId}`).toBeLessThanOrEqual(40)
  }
}

describe.skipIf(!isPossible && !process.env['CI'])('a disk that stalls for five seconds', () => {
  afterAll(() => disk.close())

  it('under a live recording of three: nothing is lost, outputs are whole and in sync, and others go on', async () => {
    await disk.watch()
    const stalled = await started(join(disk.dir, 'takes'))
    const other = await started(temporaryFolder())
    const loop = monitorEventLoopDelay({ resolution: 20 })
    const watched = async (): Promise<void> => {
      await wait(STALL_FROM_MS)
      const look = () => ({
        stalled: bytesBelow(join(stalled.journalDir, 'r'), '.rtpdump'),
        other: bytesBelow(join(other.journalDir, 'r'), '.rtpdump'),
        segments: segmentsOf(other),
      })
      loop.enable()
      disk.stall()
      // What was on its way to the disk arrives.
      await wait(500)
      const before = look()
      await wait(STALL_MS - 500)
      const after = look()
      expect(after.stalled, 'the disk stood still').toBe(before.stalled)
      expect(disk.stalledWrites, 'also under what grows on it').toBeGreaterThan(0)
      expect(stalled.recording.stats.bufferedBytes).toBeGreaterThan(200_000)
      expect(after.other, 'the other journal grows').toBeGreaterThan(before.other)
      expect(after.segments, 'the other playlist grows').toBeGreaterThan(before.segments)
      disk.release()
      loop.disable()
    }
    const [written, otherWritten] = await Promise.all([
      play(stalled.recording, 'meeting3'),
      play(other.recording, 'solo'),
      watched(),
    ])
    // A loop that waited for the disk would have stood still for all of the five seconds.
    expect(loop.max / 1e6).toBeLessThan(STALL_MS - 1000)
    const manifests = await Promise.all([stalled.recording.stop(), other.recording.stop()])
    for (const [recorded, packets, manifest] of [
      [stalled, written, manifests[0]],
      [other, otherWritten, manifests[1]],
    ] as const) {
      expect(recorded.recording.stats).toMatchObject({ refused: 0, liveRefused: 0 })
      // On a machine that is busy with other things, packets may be played late.
      expect(recorded.warnings.filter((code) => code !== 'NO_MEDIA')).toEqual([])
      expect(await journalled(join(recorded.journalDir, 'r'))).toEqual(packets)
      await checkOutputs(recorded, manifest)
      await recorded.recorder.close()
    }
    expect([...written.keys()].length, 'one of the three came while the disk stood still').toBe(6)
  })

  it('under more than memory may hold: the rest is counted, and told', async () => {
    const store = createMemoryStore()
    const journalDir = join(disk.dir, 'full')
    const recorder = await createRecorder({ store, journalDir, journal: 'keep', live: false, formats: ['mp4'] })
    const recording = await recorder.start({ roomId: 'room', recordingId: 'r' })
    const warnings: string[] = []
    recording.on((signal) => {
      if (signal.type === 'WARNING') warnings.push(codeOf(signal))
    })
    const sink = recording.addTrack({ participantId: 'alice', kind: 'video', codec: 'h264', payloadType: 96 })
    // SPS, PPS, an IDR slice and filler data in a STAP-A (RFC 6184 §5.7.1): a picture of 1,300 bytes.
    const nalUnits = ['6742c01fda11e4', '68ce3880', '65888601020304', `0c${'ff'.repeat(1260)}80`]
    const payload = Buffer.concat([
      Buffer.of(0x78),
      ...nalUnits.flatMap((hex) => [Buffer.of(0, 0), Buffer.from(hex, 'hex')]),
    ])
    let at = 1
    for (const hex of nalUnits) {
      payload.writeUInt16BE(hex.length / 2, at)
      at += 2 + hex.length / 2
    }
    const startUs = monotonicClock.nowUs()
    let sent = 0
    let asked = 0
    const send = (): void => {
      const fields = { payloadType: 96, sequenceNumber: sent & 0xffff, rtpTimestamp: sent * 90, ssrc: 7, marker: true }
      if (!sink.write(serializeRtpPacket({ ...fields, payload }), startUs + sent * 1000)) asked++
      sent++
    }
    for (let index = 0; index < 1000; index++) send()
    while (recording.stats.bufferedBytes > 0) await wait(10)
    disk.stall()
    // 40 MB in a burst: 32 MiB may be held.
    for (let index = 0; index < 30_000; index++) send()
    const { bufferedBytes, refused } = recording.stats
    expect(bufferedBytes).toBeGreaterThan(30_000_000)
    expect(bufferedBytes).toBeLessThanOrEqual(33_554_432)
    expect(refused).toBeGreaterThan(1000)
    expect(asked, 'from half of it on the host is asked to wait').toBeGreaterThan(refused)
    disk.release()
    while (recording.stats.bufferedBytes > 0) await wait(10)
    for (let index = 0; index < 1000; index++) send()
    while (warnings.length === 0) await wait(10)
    const manifest = await recording.stop()
    expect(recording.stats.refused, 'nothing more after it').toBe(refused)
    expect(warnings).toEqual(['JOURNAL_REFUSED'])
    const counts = await journalled(join(journalDir, 'r'))
    expect(counts.get('alice-video')).toBe(sent - refused)
    const take = await openTake(join(journalDir, 'r'))
    const notes = take.session.events.filter(({ type }) => type === 'not-journalled')
    expect(notes.reduce((sum, note) => sum + Number(note['packets']), 0)).toBe(refused)
    expect(manifest.warnings.map(({ code }) => code)).toContain('NOT_JOURNALLED')
    expect(await checkMp4(store.objects.get('r/alice.mp4')?.data as Uint8Array)).toEqual([])
    await recorder.close()
  })
})
