import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake } from '@rushes/take'
import { expect } from 'vitest'
import type { CardFile } from './card-file.js'
import { type JudgedOutput, judgeOutputs } from './judge-recording.js'
import type { SenderRecording } from './record-sender.js'
import { type SenderSync, senderSync } from './sender-clock.js'

/** Off the sender's own, at worst, live too. */
const SYNC_MS = 40

/** What must have come of a sender. */
export interface ExpectedRecording {
  /** Streams of the outputs that grew while it was recorded: `video:h264,audio:aac`. */
  readonly live: string
  /** Rendered from the journal afterwards, with the sound as it came. */
  readonly later: { readonly format: 'mp4' | 'webm'; readonly streams: string }
  /** So many pictures at the end: the sender has gone before it could be asked for what was lost of them. */
  readonly mayLackLast?: number
}

/** Figures of a recording that is as it must be. */
export interface SenderFigures {
  readonly sync: SenderSync
  /** Sync less the sender's own, second by second: HLS and MP4 that grew, and the later render. */
  readonly offMs: readonly (readonly number[])[]
}

/** Holds the outputs of a recording, and a later render of its journal, against the film that was sent. */
export async function checkSender(
  { manifest, root, takeDir, stats }: SenderRecording,
  card: CardFile,
  expected: ExpectedRecording,
): Promise<SenderFigures> {
  expect(manifest.warnings).toEqual([])
  for (const { malformed, unknownSsrc, foreignAddress, rtcpSent } of stats) {
    expect({ malformed, unknownSsrc, foreignAddress }).toEqual({ malformed: 0, unknownSsrc: 0, foreignAddress: 0 })
    expect(rtcpSent).toBeGreaterThan(0)
  }
  const sync = await senderSync(takeDir)
  expect(sync.reports.audio).toBeGreaterThan(0)
  expect(sync.reports.video).toBeGreaterThan(0)
  const live = await judgeOutputs(manifest, root)
  expect(live.map(({ container, streams }) => `${container} ${streams}`)).toEqual([
    `hls ${expected.live}`,
    `mp4 ${expected.live}`,
  ])
  const { format, streams } = expected.later
  const laterRoot = join(root, '..', 'later')
  await mkdir(laterRoot)
  const rendered = await render(
    await openTake(takeDir),
    { formats: [format], audio: { codec: 'opus' } },
    { store: createLocalStore({ root: laterRoot }) },
  )
  const later = await judgeOutputs(rendered, laterRoot)
  expect(later.map((output) => `${output.container} ${output.streams}`)).toEqual([`${format} ${streams}`])
  const lateMs = sync.lateUs / 1000
  const offMs = [...live, ...later].map((output) => checkOutput(output, card, lateMs, expected.mayLackLast ?? 0))
  for (const off of offMs) for (const ms of off) expect(Math.abs(ms)).toBeLessThan(SYNC_MS)
  return { sync, offMs }
}

/** Every picture and no word from any tool; returns how far each second's sync is off, in milliseconds. */
function checkOutput(output: JudgedOutput, card: CardFile, lateMs: number, mayLackLast: number): number[] {
  const { findings, complaints, counters, beepLateMs, container } = output
  expect({ container, findings, complaints }).toEqual({ container, findings: [], complaints: [] })
  const least = card.counters.length - mayLackLast
  expect(counters).toEqual(card.counters.slice(0, Math.max(least, counters.length)))
  expect(beepLateMs).toHaveLength(card.flashesUs.length)
  return beepLateMs.map((ms, i) => ms - lateMs - ((card.beepsUs[i] ?? 0) - (card.flashesUs[i] ?? 0)) / 1000)
}
