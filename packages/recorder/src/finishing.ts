/** From a journal to finished outputs: of a recording that has just stopped, and of one that a crash left behind. */

import { join } from 'node:path'
import type { RecordingEventData, RecordingEventType } from '@rushes/media'
import {
  type Manifest,
  RenderError,
  type RenderEvent,
  type RenderMonitor,
  type RenderPlan,
  render,
} from '@rushes/render'
import { putFile } from '@rushes/storage-adapters'
import { openTake, removeTake, type TakeSource } from '@rushes/take'
import { BESIDE_JOURNAL, removeBesideJournal } from './beside-journal.js'
import { RecorderError } from './errors.js'
import { linkData, manifestKeyOf, readyData } from './output-links.js'
import { PlaylistMemory } from './playlist-memory.js'
import type { RecorderSurroundings } from './recorder-surroundings.js'
import type { JournalRetention, RecordingSettings } from './settings.js'

/** A live composite gave up quality. */
const DEGRADED = 'COMPOSITE_DEGRADED'

/** Whoever tells what happens to a recording. */
export interface Teller {
  readonly recordingId: string
  readonly roomId: string
  readonly settings: RecordingSettings
  tell(type: RecordingEventType, data: RecordingEventData): void
  rendering?(event: RenderEvent): void
  monitor?(monitor: RenderMonitor): void
}

/** The plan that a recording's settings make. Live playlists grow, and so do those that go on after a crash. */
export function planOf(
  { recordingId, roomId, settings }: Omit<Teller, 'tell'>,
  naming: RenderPlan['naming'],
): RenderPlan {
  const { outputs, formats, media, audio, afterLoss, parts, startHold } = settings
  return {
    recordingId,
    roomId,
    ...(naming === undefined ? undefined : { naming }),
    ...(outputs === undefined ? undefined : { outputs }),
    ...(formats === undefined ? undefined : { formats }),
    ...(media === undefined ? undefined : { media }),
    ...(audio === undefined ? undefined : { audio }),
    ...(afterLoss === undefined ? undefined : { afterLoss }),
    ...(parts === undefined ? undefined : { parts }),
    ...(startHold === undefined ? undefined : { startHold }),
    hls: { ...(settings.live === false ? undefined : { playlistType: 'event' as const }), ...settings.hls },
  }
}

/** Outputs that are made. Where the store is a spool they may be on their way for long. */
export interface Rendered {
  readonly manifest: Manifest
  /** Resolves when everybody has been told where they are, which is when they are there. Never rejects. */
  readonly linked: Promise<void>
}

/** Renders a source, telling of its outputs. */
export async function renderTelling(
  source: TakeSource,
  dir: string,
  teller: Teller,
  surroundings: RecorderSurroundings,
  signal?: AbortSignal,
): Promise<Rendered> {
  const { naming, linkExpiresIn, logger, closing } = surroundings
  const memory = new PlaylistMemory(join(dir, BESIDE_JOURNAL.playlists))
  const store = memory.watch(surroundings.store)
  /** Links are told in their order, and before the end. */
  let links: Promise<void> = Promise.resolve()
  const link = (output: Parameters<typeof linkData>[1], final: boolean): void => {
    links = links.then(async () => {
      // What cannot be stored is told by whoever waits for all of it.
      if (final) await surroundings.store.settled?.(stemOf(output.key), { signal: closing }).catch(() => {})
      if (!closing.aborted) teller.tell('LINK', await linkData(surroundings.store, output, final, linkExpiresIn))
    })
  }
  const manifest = await render(source, planOf(teller, naming), {
    store,
    scratchDir: surroundings.scratchDir ?? join(dir, BESIDE_JOURNAL.scratch),
    workDir: join(dir, BESIDE_JOURNAL.work),
    recallPlaylist: (key) => memory.recall(key),
    ...(signal === undefined ? undefined : { signal }),
    ...(teller.monitor === undefined ? undefined : { onMonitor: (monitor) => teller.monitor?.(monitor) }),
    onEvent: (event) => {
      teller.rendering?.(event)
      if (event.type === 'output-started') {
        const { type: _, key, location, ...facts } = event
        if (key !== undefined && location !== undefined) link({ ...facts, key, location }, false)
      } else if (event.type === 'output-ready') link(event.output, true)
      else if (event.type === 'resumed') {
        const { atUs, name } = event
        logger.info('a composite goes on where it was', { recordingId: teller.recordingId, name, atUs })
      } else if (event.type === 'warning') {
        const { code, message } = event.warning
        logger.warn(message, { recordingId: teller.recordingId })
        if (code === DEGRADED) teller.tell('WARNING', { code, message })
      }
    },
  })
  return { manifest, linked: links }
}

/**
 * Makes the outputs of a finished take, again and again while something outside is at fault.
 * @throws RecorderError `RECORDING_NO_MEDIA`, `RECORDING_FAILED`
 */
export async function renderJournal(
  dir: string,
  teller: Teller,
  surroundings: RecorderSurroundings,
): Promise<Rendered> {
  const { recordingId } = teller
  const { maxAttempts, logger, closing } = surroundings
  for (let attempt = 1; ; attempt++) {
    try {
      return await surroundings.turn(async () => renderTelling(await openTake(dir), dir, teller, surroundings, closing))
    } catch (cause) {
      if (cause instanceof RenderError && cause.code === 'RENDER_NO_MEDIA') {
        throw new RecorderError('RECORDING_NO_MEDIA', 'no media came', { cause, recordingId })
      }
      const { message } = cause as Error
      if (attempt >= maxAttempts || closing.aborted) {
        throw new RecorderError('RECORDING_FAILED', `the outputs could not be made: ${message}`, { cause, recordingId })
      }
      logger.warn('the outputs could not be made; it is tried again', { recordingId, attempt, error: cause })
      await pause(1000 * 2 ** (attempt - 1), surroundings)
    }
  }
}

/**
 * READY once everything is in the store, and then the journal goes where it is to go. The event is journalled by every
 * notifier before that.
 * @throws RecorderError `RECORDING_FAILED` where the store refuses; the journal stays
 */
export async function conclude(
  dir: string,
  teller: Teller & { settled(): Promise<void> },
  { manifest, linked }: Rendered,
  surroundings: RecorderSurroundings,
): Promise<void> {
  const { store, linkExpiresIn } = surroundings
  await linked
  await allStored(manifest, surroundings)
  teller.tell('READY', await readyData(store, manifest, linkExpiresIn))
  await teller.settled()
  await retire(dir, teller.recordingId, retentionOf(teller.settings, manifest), surroundings)
}

/** What a live composite had to give up can be made again of the journal: it stays, unless somebody wants it gone. */
export function retentionOf(
  { journal }: Pick<RecordingSettings, 'journal'>,
  { warnings }: Pick<Manifest, 'warnings'>,
): JournalRetention {
  return journal ?? (warnings.some(({ code }) => code === DEGRADED) ? 'keep' : 'delete')
}

async function allStored(manifest: Manifest, { store, closing }: RecorderSurroundings): Promise<void> {
  if (store.settled === undefined) return
  const { recordingId, outputs } = manifest
  try {
    for (const key of [...outputs.map((output) => stemOf(output.key)), manifestKeyOf(manifest)]) {
      await store.settled(key, { signal: closing })
    }
  } catch (cause) {
    const message = `the outputs are made and cannot be stored: ${(cause as Error).message}`
    throw new RecorderError('RECORDING_FAILED', message, { cause, recordingId })
  }
}

/** What the keys of all objects of an output begin with. */
function stemOf(key: string): string {
  return key.replace(/(?:\/index)?\.(?:m3u8|mp4|webm)$/, '')
}

/** What becomes of the journal of a recording whose outputs are in the store. Failing here fails nothing: it stays. */
export async function retire(
  dir: string,
  recordingId: string,
  retention: JournalRetention,
  { store, logger }: RecorderSurroundings,
): Promise<void> {
  try {
    await removeBesideJournal(dir, ['scratch', 'playlists', 'work'])
    if (retention === 'keep') return
    if (retention === 'upload') {
      const take = await openTake(dir)
      const files = take.session.participants.flatMap(({ tracks }) => tracks.map(({ file }) => file))
      for (const file of files) await putFile(store, `${recordingId}/take/${file}`, join(dir, file), {})
      // Last: a take is there when its session.json is.
      const session = { contentType: 'application/json' }
      await putFile(store, `${recordingId}/take/session.json`, join(dir, 'session.json'), session)
    }
    await removeTake(dir)
  } catch (error) {
    logger.error('the journal could not be retired; it stays', { recordingId, error })
  }
}

function pause(ms: number, { clock, closing }: RecorderSurroundings): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      closing.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.schedule(clock.nowUs() + ms * 1000, done)
    closing.addEventListener('abort', done)
    if (closing.aborted) done()
  })
}
