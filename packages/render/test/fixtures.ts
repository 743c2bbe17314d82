import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MemoryStore } from '@rushes/storage-adapters'
import {
  createLiveSource,
  createTakeWriter,
  type LiveSource,
  openTake,
  type SessionTrack,
  type Take,
  type TakeItem,
} from '@rushes/take'
import { checkHls, type Finding, type HlsOptions } from '@rushes/testkit'
import { onTestFinished } from 'vitest'

export function fixture(name: string): Promise<Take> {
  return openTake(fileURLToPath(new URL(`../../../test/fixtures/${name}/`, import.meta.url)))
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-render-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Names of the files below `dir`, hidden ones too. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
}

/** How a take is played into a live source. */
export interface ReplayOptions {
  /** Tracks that are fed. @defaultValue all */
  readonly tracks?: readonly string[]
  /** Called before what arrives at each packet; returns a promise to make the call wait. */
  readonly onPacket?: (arrivalUs: number, live: LiveSource) => Promise<void> | undefined
  /** Ends the call here, microseconds of recording time. */
  readonly untilUs?: number
}

/** Plays a finished take into a growing source, in the order of arrival and as fast as its reader goes. */
export function replay(take: Take, options: ReplayOptions = {}): LiveSource {
  const { session } = take
  const { name, startedAt } = session
  // Time is that of the packets: the source must not add the machine's. Little memory makes it wait for its reader.
  const live = createLiveSource(
    { startedAt, ...(name === undefined ? {} : { name }) },
    { idleMs: 3_600_000, maxBufferedBytes: 262_144 },
  )
  void feed(take, live, options)
  return live
}

async function feed(take: Take, live: LiveSource, options: ReplayOptions): Promise<void> {
  const wanted = (id: string | undefined): boolean =>
    id === undefined || options.tracks === undefined || options.tracks.includes(id)
  const joins = take.session.participants
    .flatMap(({ id, tracks }) => tracks.map((track) => ({ participant: id, track })))
    .filter(({ track }) => wanted(track.id))
    .sort((a, b) => a.track.joinedAtMs - b.track.joinedAtMs)
  for await (const batch of take.items()) {
    for (const item of batch) {
      if (item.type === 'packet') {
        if (item.arrivalUs > (options.untilUs ?? Number.POSITIVE_INFINITY)) return live.end()
        const waiting = options.onPacket?.(item.arrivalUs, live)
        if (waiting !== undefined) await waiting
        if (!wanted(item.trackId)) continue
        for (let next = joins[0]; next !== undefined; next = joins[0]) {
          if (next.track.joinedAtMs * 1000 > item.arrivalUs) break
          joins.shift()
          const { leftAtMs: _unknownYet, ...track } = next.track
          live.addTrack(next.participant, track)
        }
        if (!live.write(item.trackId, item.data, item.arrivalUs)) await live.drain()
      } else if (item.type === 'event' && wanted(item.event.track)) live.event(item.event)
    }
  }
  live.end()
}

/** A take on disk made of some of the packets of a fixture. */
export async function derivedTake(
  from: Take,
  keep: (item: TakeItem & { type: 'packet' }) => boolean,
  tracks: (track: SessionTrack) => SessionTrack | undefined = (track) => track,
): Promise<Take> {
  const dir = join(temporaryFolder(), 'take')
  const { startedAt, durationMs } = from.session
  const writer = await createTakeWriter(dir, { startedAt, name: 'derived' })
  const kept = new Set<string>()
  for (const participant of from.session.participants) {
    for (const track of participant.tracks) {
      const changed = tracks(track)
      if (changed === undefined) continue
      kept.add(track.id)
      writer.addTrack(participant.id, changed)
    }
  }
  for await (const batch of from.items()) {
    for (const item of batch) {
      if (item.type !== 'packet' || !kept.has(item.trackId) || !keep(item)) continue
      if (!writer.write(item.trackId, item.data, item.arrivalUs)) await writer.drain()
    }
  }
  await writer.finish(durationMs === undefined ? {} : { durationMs })
  return openTake(dir)
}

/** What the oracle says of an HLS output in memory. */
export function hlsFindings(
  store: MemoryStore,
  key: string,
  transportStream: NonNullable<HlsOptions['transportStream']> = {},
): Promise<Finding[]> {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const read = (uri: string): Uint8Array => {
    const object = store.objects.get(folder + uri)
    if (object === undefined) throw new Error(`there is no ${uri}`)
    return object.data
  }
  return checkHls({ entry: key.slice(folder.length), read }, { transportStream })
}

export function textOf(store: MemoryStore, key: string): string {
  return new TextDecoder().decode(store.objects.get(key)?.data)
}
