import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { VideoCodec } from '@rushes/media'
import { createRecorder } from '@rushes/recorder'
import { type Manifest, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import type { Browser } from 'playwright-core'
import { type WatchedStore, watchStore } from '../conformance/watched-store.js'
import { CallServer, type PathOptions } from './call-server.js'
import type { RelayCounters, RelayedStream } from './lossy-relay.js'
import { openWayIn, type WayInOptions } from './offer-takers.js'
import { openPublisher, type Publisher, type PublisherFacts } from './publisher.js'

/** The participants: cards and tones like those of the fixtures. */
const PARTICIPANTS = [
  { id: 'alice', cardId: 1, toneHz: 400 },
  { id: 'bob', cardId: 2, toneHz: 500 },
] as const

/** How a call is made. */
export interface CallOptions extends WayInOptions {
  readonly browser: Browser
  readonly codec: Extract<VideoCodec, 'h264' | 'vp8' | 'vp9' | 'av1'>
  /** How long both are in the call. */
  readonly seconds: number
  readonly path: PathOptions
  readonly maxBitrateBps: number
  /** Gets the journal and the outputs. */
  readonly folder: string
}

/** What is known of a participant from outside the recorder. */
export interface CalledParticipant {
  readonly id: string
  readonly cardId: number
  readonly toneHz: number
  readonly facts: PublisherFacts
  readonly toServer: RelayCounters
  readonly toBrowser: RelayCounters
  readonly streams: readonly RelayedStream[]
}

/** A call that was recorded. */
export interface RecordedCall {
  /** What was recorded live. */
  readonly live: Manifest
  /** What was made of the journal afterwards, when all reports of the senders were known. */
  readonly again: Manifest
  /** The store's folder. */
  readonly root: string
  /** The journal's folder. */
  readonly take: string
  readonly store: WatchedStore
  readonly participants: readonly CalledParticipant[]
  /** What the way in counted. */
  readonly wayIn: unknown
  /** Codes of what the recording warned of. */
  readonly warnings: readonly string[]
}

/** Time for what was lost at the very end to be asked for and to come. */
const REPAIR_MS = 1500

/** Lets two pages call through bad networks, and records them while they do. */
export async function recordCall(options: CallOptions): Promise<RecordedCall> {
  const { browser, transport, codec, folder, seconds } = options
  const root = join(folder, 'out')
  const journalDir = join(folder, 'journal')
  const store = watchStore(createLocalStore({ root }))
  const recorder = await createRecorder({ store, journalDir, journal: 'keep' })
  const recording = await recorder.start({ roomId: 'call', recordingId: transport })
  const warnings: string[] = []
  recording.on((signal) => {
    if (signal.type === 'WARNING') warnings.push(JSON.stringify(signal.data))
  })
  const wayIn = await openWayIn(recording, options)
  const server = await CallServer.open(wayIn, options.path)
  try {
    // One second of the wall clock for both, and long enough ago for the counter to be above 0.
    const epoch = Math.floor(Date.now() / 1000) * 1000 - 2000
    const publishers: { who: (typeof PARTICIPANTS)[number]; page: Publisher }[] = []
    for (const who of PARTICIPANTS) publishers.push({ who, page: await openPublisher(browser, server.url) })
    const { maxBitrateBps } = options
    for (const { who, page } of publishers) {
      await page.publish({ ...who, url: `publish/${who.id}`, epoch, codec, maxBitrateBps })
    }
    await wait(seconds * 1000)
    for (const { page } of publishers) await page.quiet()
    await wait(REPAIR_MS)
    const participants: CalledParticipant[] = []
    for (const { who, page } of publishers) {
      const { stats, streams } = server.relayOf(who.id)
      participants.push({ ...who, facts: await page.facts(), ...stats, streams })
    }
    const counted = wayIn.stats()
    for (const { page } of publishers) await page.hangUp()
    const live = await recording.stop()
    const take = join(journalDir, transport)
    const again = await render(await openTake(take), { recordingId: `${transport}-again` }, { store })
    return { live, again, root, take, store, participants, wayIn: counted, warnings }
  } finally {
    await server.close()
    await wayIn.close()
    await recorder.close({ mode: 'abandon' })
  }
}
