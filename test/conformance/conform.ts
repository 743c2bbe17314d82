import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ManifestOutput, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { checkHls, checkMp4, type Finding } from '@rushes/testkit'
import { readTakeReference } from '@rushes/testkit/card'
import { hasChromium, openChromiumPlayer, type Playback } from '../browser/chromium-player.js'
import { measureOutput, type OutputMeasure } from './measure-output.js'
import { type CardSession, type ParticipantReference, participantReference } from './participant-reference.js'
import { replay } from './replay.js'
import { type WatchedStore, watchStore } from './watched-store.js'

/** The seven takes. */
export const TAKES = ['solo', 'meeting3', 'lossy', 'burst-loss', 'mutes', 'rejoin', 'ramp'] as const
/** Of these everything must come through without a word from any tool. */
export const LOSSLESS_TAKES: readonly string[] = ['solo', 'meeting3', 'mutes', 'rejoin', 'ramp']
/** With changes of size, gaps or sources: what a player could stumble over. */
export const CHANGING_TAKES: readonly string[] = ['solo', 'ramp', 'mutes', 'rejoin']

/** One output of one take, measured. */
export interface OutputReport extends OutputMeasure {
  readonly take: string
  readonly mode: 'offline' | 'live'
  readonly findings: readonly Finding[]
}

/** One play-through of one output in Chromium. */
export interface PlaybackReport extends Playback {
  readonly take: string
  readonly participantId: string
  readonly container: string
  readonly screenshots: readonly string[]
}

/** Renders a take offline, or live, and measures all its outputs. */
export async function conform(take: string, mode: 'offline' | 'live', outDir: string): Promise<OutputReport[]> {
  const folder = new URL(`../fixtures/${take}`, import.meta.url).pathname
  const root = join(outDir, mode)
  await rm(join(root, take), { recursive: true, force: true })
  await mkdir(root, { recursive: true })
  const source = await openTake(folder)
  const store = watchStore(createLocalStore({ root }))
  const manifest = await render(mode === 'live' ? replay(source) : source, { recordingId: take }, { store })
  const reference = await readTakeReference(folder)
  const session = JSON.parse(await readFile(join(folder, 'session.json'), 'utf8')) as CardSession
  const sent = new Map<string, ParticipantReference>()
  const reports: OutputReport[] = []
  for (const output of manifest.outputs) {
    const id = output.participantId as string
    if (!sent.has(id)) sent.set(id, participantReference(reference, session, id))
    const path = join(root, output.key)
    const measure = await measureOutput(path, output, sent.get(id) as ParticipantReference, root)
    reports.push({ take, mode, ...measure, findings: [...(await findingsOf(path, output)), ...seenBy(store, output)] })
  }
  return reports
}

/** What was wrong with the playlists of an output on the way. */
function seenBy(store: WatchedStore, output: ManifestOutput): readonly Finding[] {
  if (output.container !== 'hls') return []
  const media = store.violations.get(output.key.replace(/index\.m3u8$/, 'media.m3u8'))
  const multivariant = store.violations.get(output.key)
  if (media === undefined || multivariant === undefined) throw new Error(`${output.key} was never stored`)
  return [...media, ...multivariant]
}

async function findingsOf(path: string, output: ManifestOutput): Promise<readonly Finding[]> {
  if (output.container === 'mp4') return await checkMp4(path)
  const folder = join(path, '..')
  // Sound that goes on without a picture makes segments without one: the stream exists all the same.
  return await checkHls(
    { entry: 'index.m3u8', read: (uri) => readFile(join(folder, uri)) },
    { transportStream: { allowIdle: true } },
  )
}

/** Plays the outputs of a take that was rendered offline, with a picture after each change of size. */
export async function playInChromium(take: string, outDir: string, rate: number): Promise<PlaybackReport[]> {
  if (!hasChromium) return []
  const root = join(outDir, 'offline')
  const manifest = JSON.parse(await readFile(join(root, take, 'manifest.json'), 'utf8')) as {
    outputs: ManifestOutput[]
  }
  const { events } = JSON.parse(
    await readFile(new URL(`../fixtures/${take}/session.json`, import.meta.url), 'utf8'),
  ) as {
    events: { atMs: number; type: string; participant?: string }[]
  }
  const pictures = join(outDir, 'screenshots')
  await mkdir(pictures, { recursive: true })
  const player = await openChromiumPlayer(root)
  try {
    const reports: PlaybackReport[] = []
    for (const output of manifest.outputs) {
      const changes = events
        .filter((event) => event.participant === output.participantId && event.atMs * 1000 > output.startUs)
        .map((event) => (event.atMs * 1000 - output.startUs) / 1e6 + 0.7)
        .filter((at) => at < output.durationUs / 1e6 - 0.2)
      const screenshots: string[] = []
      const playback = await player.play(output.key, {
        rate,
        timeoutSeconds: output.durationUs / 1e6 / rate + 30,
        screenshots: {
          at: changes,
          path: (at) => {
            const path = join(pictures, `${take}-${output.participantId}-${output.container}-${at.toFixed(1)}.png`)
            screenshots.push(path)
            return path
          },
        },
      })
      const { participantId = '', container } = output
      reports.push({ take, participantId, container, ...playback, screenshots })
    }
    return reports
  } finally {
    await player.close()
  }
}
