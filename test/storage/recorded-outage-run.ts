import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { monotonicClock, type TrackSink } from '@rushes/media'
import { createRecorder, type Recording } from '@rushes/recorder'
import type { Manifest } from '@rushes/render'
import { createSpool } from '@rushes/storage-adapters/spool'
import { openTake, trackOf } from '@rushes/take'
import { checkHls, checkMp4, checkPlaylistUpdate } from '@rushes/testkit'
import { LoopedSource } from '../long/looped-source.js'
import { startFaultProxy } from '../servers/fault-proxy.js'
import type { OutagePhase, OutageSite } from './outage-run.js'

const MIB = 1024 * 1024
/** Between two looks of the reader at all playlists. */
const LOOK_MS = 500
/** Between two looks at memory. */
const SAMPLE_MS = 250

/** What was seen. */
export interface RecordedOutageReport {
  readonly recordings: number
  readonly outputs: number
  /** Objects that the store confirmed. */
  readonly stored: number
  /** Keys of what was stored more than once though it is no playlist. */
  readonly repeated: readonly string[]
  /** What readers of the bucket saw that they must not. */
  readonly violations: readonly string[]
  readonly looks: number
  /** What is wrong with the finished outputs. */
  readonly findings: readonly string[]
  /** `READY` told although something was missing. */
  readonly ready: number
  readonly mostWaiting: number
  readonly mostWaitingMiB: number
  /** Connections during the outage. */
  readonly attempts: number
  readonly events: Readonly<Record<string, number>>
  /** From the end of the outage until nothing waited that had been put before. */
  readonly catchUpMs: number
  /** In each stretch: the worst delay of the event loop and its 99th percentile, and the heap after collections (its lowest). */
  readonly stretches: readonly Stretch[]
}

interface Stretch {
  readonly name: string
  readonly seconds: number
  readonly worstEventLoopMs: number
  readonly p99EventLoopMs: number
  readonly heapMiB: number
  readonly externalMiB: number
  readonly peakRssMiB: number
}

/**
 * Records calls in real time, each of three people, through a spool into a store that is down in one way after the
 * other, with `aroundMs` before and after. A reader looks at all playlists all the time, past the faults.
 */
export async function runRecordedOutage(
  site: OutageSite,
  phases: readonly OutagePhase[],
  { recordings: count, aroundMs }: { readonly recordings: number; readonly aroundMs: number },
): Promise<RecordedOutageReport> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-recorded-outage-'))
  const proxy = await startFaultProxy({ upstreamPort: site.port })
  const spool = await createSpool({
    store: site.createStore(proxy.port),
    dir: join(dir, 'spool'),
    backOff: { firstMs: 100, maxMs: 1000 },
  })
  const recorder = await createRecorder({
    store: spool,
    journalDir: join(dir, 'takes'),
    hls: { segmentDuration: 2 },
  })
  const events: Record<string, number> = {}
  const times = new Map<string, number>()
  let mostWaiting = 0
  let mostWaitingBytes = 0
  spool.on((event) => {
    events[event.type] = (events[event.type] ?? 0) + 1
    if (event.type === 'stored') times.set(event.key, (times.get(event.key) ?? 0) + 1)
    const { waiting, waitingBytes } = spool.stats
    mostWaiting = Math.max(mostWaiting, waiting)
    mostWaitingBytes = Math.max(mostWaitingBytes, waitingBytes)
  })
  const reader = new PlaylistReader(site)
  const progress = { isOver: false, isRead: false }
  const totalMs = phases.reduce((sum, { ms }) => sum + ms, 2 * aroundMs)
  const meter = new StretchMeter()
  try {
    const take = await openTake(fileURLToPath(new URL('../fixtures/meeting3/', import.meta.url)))
    const recordings = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        recorder.start({ roomId: `room-${index}`, recordingId: `r${index}` }),
      ),
    )
    let ready = 0
    for (const recording of recordings) {
      recording.on(({ type }) => {
        if (type === 'READY') ready += 1
      })
    }
    const playing = Promise.all(
      recordings.map((recording) => playInTime(new LoopedSource(take, totalMs / 60_000 + 1), recording, progress)),
    )
    const reading = (async () => {
      for (;;) {
        // Once more after the end.
        const isLast = progress.isRead
        await reader.look([...times.keys()].filter((key) => key.endsWith('.m3u8')))
        if (isLast) return
        await wait(LOOK_MS)
      }
    })()
    await wait(aroundMs)
    meter.end('before')
    const acceptedBefore = proxy.accepted
    for (const { ms, fault } of phases) {
      proxy.set(fault)
      await wait(ms)
      meter.end(fault.mode)
    }
    const attempts = proxy.accepted - acceptedBefore
    proxy.set({ mode: 'pass' })
    const back = performance.now()
    await spool.settled()
    const catchUpMs = performance.now() - back
    meter.end('catching up')
    await wait(aroundMs)
    meter.end('after')
    progress.isOver = true
    await playing
    const manifests = await Promise.all(recordings.map((recording) => recording.stop()))
    await spool.drain()
    meter.end('finishing')
    progress.isRead = true
    await reading
    const findings = (await Promise.all(manifests.map((manifest) => judge(manifest, site)))).flat()
    return {
      recordings: count,
      outputs: manifests.reduce((sum, { outputs }) => sum + outputs.length, 0),
      stored: times.size,
      repeated: [...times].filter(([key, stored]) => stored > 1 && /\.(ts|m4s|mp4)$/.test(key)).map(([key]) => key),
      violations: reader.violations,
      looks: reader.looks,
      findings,
      ready,
      mostWaiting,
      mostWaitingMiB: round(mostWaitingBytes / MIB),
      attempts,
      events,
      catchUpMs: round(catchUpMs),
      stretches: meter.stretches,
    }
  } finally {
    progress.isOver = true
    progress.isRead = true
    meter.close()
    await recorder.close({ mode: 'abandon' })
    await spool.close()
    await proxy.close()
    await site.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The call as it was, packet by packet at its time, until it is over. */
async function playInTime(call: LoopedSource, recording: Recording, progress: { isOver: boolean }): Promise<void> {
  const startUs = monotonicClock.nowUs()
  const entries = call.session.participants.flatMap(({ id, tracks }) => tracks.map((entry) => ({ id, entry })))
  const sinks = new Map<string, TrackSink>()
  for await (const batch of call.items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      while (item.arrivalUs > monotonicClock.nowUs() - startUs) {
        if (progress.isOver) return
        await wait(5)
      }
      let sink = sinks.get(item.trackId)
      const found = entries.find(({ entry }) => entry.id === item.trackId)
      if (sink === undefined && found !== undefined) {
        const { participantId: _, timescale: __, ...track } = trackOf(found.entry, found.id)
        sink = recording.addTrack({ ...track, participantId: found.id })
        sinks.set(item.trackId, sink)
      }
      sink?.write(item.data, startUs + item.arrivalUs)
    }
  }
}

/** A player that asks for every playlist again and again. */
class PlaylistReader {
  readonly violations: string[] = []
  looks = 0
  readonly #site: OutageSite
  readonly #last = new Map<string, string>()
  readonly #there = new Set<string>()

  constructor(site: OutageSite) {
    this.#site = site
  }

  async look(playlists: readonly string[]): Promise<void> {
    for (const key of playlists) {
      const body = await this.#site.read(key)
      const before = this.#last.get(key)
      if (body === undefined) {
        this.violations.push(`${key} is gone`)
        continue
      }
      const text = Buffer.from(body).toString()
      this.looks += 1
      if (text === before) continue
      this.#last.set(key, text)
      if (before !== undefined && text.includes('#EXTINF')) {
        this.violations.push(...checkPlaylistUpdate(before, text).map(({ message }) => `${key}: ${message}`))
      }
      for (const named of namedIn(key, text)) {
        if (this.#there.has(named)) continue
        if ((await this.#site.read(named)) === undefined) this.violations.push(`${key} names ${named}`)
        else this.#there.add(named)
      }
    }
  }
}

/** Keys of all that a playlist names, initialisation segments and other playlists too. */
function namedIn(key: string, text: string): string[] {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const attributes = [...text.matchAll(/^#EXT-X-\w.*?URI="([^"]+)"/gm)].map(([, uri]) => uri ?? '')
  return [...lines, ...attributes].map((name) => folder + decodeURIComponent(name))
}

async function judge(manifest: Manifest, site: OutageSite): Promise<string[]> {
  const findings: string[] = []
  for (const { container, key } of manifest.outputs) {
    const folder = key.slice(0, key.lastIndexOf('/') + 1)
    const read = async (uri: string): Promise<Uint8Array> => {
      const body = await site.read(folder + decodeURIComponent(uri))
      if (body === undefined) throw new Error(`${folder}${uri} is not there`)
      return body
    }
    const name = key.slice(folder.length)
    const found =
      container === 'mp4'
        ? await checkMp4(await read(name))
        : // CODECS of a growing output says what is known at its first segment.
          (await checkHls({ entry: name, read }, { transportStream: { allowIdle: true } })).filter(
            ({ rule }) => rule !== 'variant-codecs',
          )
    findings.push(...found.map(({ rule, message }) => `${key}: ${rule}: ${message}`))
  }
  return findings
}

/** How the process fares, stretch by stretch. */
class StretchMeter {
  readonly stretches: Stretch[] = []
  readonly #delay = monitorEventLoopDelay({ resolution: 5 })
  readonly #timer: NodeJS.Timeout
  #startedMs = performance.now()
  #heap = Infinity
  #external = Infinity
  #rss = 0

  constructor() {
    this.#delay.enable()
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  end(name: string): void {
    this.#sample()
    this.stretches.push({
      name,
      seconds: round((performance.now() - this.#startedMs) / 1000),
      worstEventLoopMs: round(this.#delay.max / 1e6),
      p99EventLoopMs: round(this.#delay.percentile(99) / 1e6),
      heapMiB: round(this.#heap / MIB),
      externalMiB: round(this.#external / MIB),
      peakRssMiB: round(this.#rss / MIB),
    })
    this.#delay.reset()
    this.#startedMs = performance.now()
    this.#heap = Infinity
    this.#external = Infinity
    this.#rss = 0
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  #sample(): void {
    const { heapUsed, external, rss } = process.memoryUsage()
    // The lowest is what is kept: the others also have what the collector has not seen yet.
    this.#heap = Math.min(this.#heap, heapUsed)
    this.#external = Math.min(this.#external, external)
    this.#rss = Math.max(this.#rss, rss)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
