import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestOutput, Repair } from '@rushes/render'
import { checkHls, checkMp4, type Finding } from '@rushes/testkit'
import { type ReferenceFrame, readBeeps, readTakeReference, readVideoCards } from '@rushes/testkit/card'
import { measureOutput, type OutputMeasure } from '../conformance/measure-output.js'
import {
  type CardSession,
  offsetsUs,
  type ParticipantReference,
  participantReference,
} from '../conformance/participant-reference.js'
import { type Spread, spreadOf } from '../conformance/statistics.js'
import { arrivedPackets, measureTrack, streamOf, type TrackMeasure, withCards } from './journalled-packets.js'
import { soundDelaysMs } from './page-sync.js'
import type { CalledParticipant, RecordedCall } from './record-call.js'

/** What a picture's place in a live recording may differ by from the one that all sender reports together give. */
const REPAIR_EDGE_US = 150_000

/** An output against what was sent, and against what was journalled. */
export interface CallOutput extends OutputMeasure {
  readonly mode: 'live' | 'again'
  readonly findings: readonly Finding[]
  /** Pictures before the output's first that the journal holds whole, with all that they refer to. */
  readonly framesBeforeStart: number
  /** The same after the output's first: when their last packet came, in milliseconds after they should have. */
  readonly framesMissing: readonly MissingFrame[]
  /** Pictures of the output that the journal has not: none should be. */
  readonly framesForeign: number
  readonly unreadable: number
  /** Times that a picture shows an older counter than the one before. The same one twice is what browsers do send. */
  readonly countersFalling: number
  /** How late the sound is against the picture, beep by beep. */
  readonly beeps: readonly BeepDelay[]
}

/** A picture that could be in an output, and is not. */
export interface MissingFrame {
  readonly counter: number | undefined
  /** When its last packet came: in milliseconds after its own time. */
  readonly lateMs: number
  /** The manifest tells that the picture before was held. */
  readonly listed: boolean
  /** The one before it is missing as well. */
  readonly follows: boolean
}

/** A beep of an output, against the pictures around it, in milliseconds; NaN where it cannot be said. */
export interface BeepDelay {
  /** From the output's start. */
  readonly atMs: number
  /** From the sender's first report of its sound; before it nobody can know how sound and picture belong together. */
  readonly sinceReportMs: number
  /** Later than the page drew and sounded. */
  readonly byPage: number
  /** Later than all of the sender's reports together say. */
  readonly byReports: number
}

/** One participant of a call. */
export interface ParticipantMeasure {
  readonly id: string
  readonly tracks: readonly TrackMeasure[]
  /** Pictures of which a packet left the browser. */
  readonly picturesSent: number
  /** Of those: whole in the journal, and decodable. */
  readonly picturesJournalled: number
  readonly picturesDecodable: number
  /** Beep less flash as the journal's raw packets have it by their sender reports. */
  readonly ownSyncMs: Spread
  readonly reports: readonly number[]
  readonly outputs: readonly CallOutput[]
  /** Of the live outputs. */
  readonly repairs: readonly Repair[]
}

/** Holds a recorded call against what went into it. `scratch`: a folder that is there. */
export async function measureCall(call: RecordedCall, scratch: string): Promise<ParticipantMeasure[]> {
  const arrived = await arrivedPackets(call.take)
  const folder = await withCards(call.take, call.participants, arrived, join(scratch, 'reference'))
  const reference = await readTakeReference(folder)
  const session = JSON.parse(await readFile(join(folder, 'session.json'), 'utf8')) as CardSession
  const measures: ParticipantMeasure[] = []
  for (const participant of call.participants) {
    const { id, streams } = participant
    const sent = participantReference(reference, session, id)
    const own = reference.tracks.filter(({ participantId }) => participantId === id)
    const video = own.find(({ kind }) => kind === 'video')
    const picturesSent = streamOf(arrived.get(video?.trackId ?? ''), streams).timestamps
    const frames = own.flatMap((track) => (track.kind === 'video' ? track.frames : []))
    const reportedUs = arrived.get(own.find(({ kind }) => kind === 'audio')?.trackId ?? '')?.reportedUs ?? Infinity
    const outputs: CallOutput[] = []
    for (const mode of ['live', 'again'] as const) {
      const manifest = call[mode]
      const repairs = manifest.repairs.filter(({ participantId }) => participantId === id)
      for (const output of manifest.outputs.filter(({ participantId }) => participantId === id)) {
        const path = join(call.root, output.key)
        outputs.push({
          mode,
          ...(await measureOutput(path, output, sent, scratch)),
          findings: [...(await findingsOf(path, output)), ...seenBy(call, output)],
          ...(await compareFrames(path, participant, sent, repairs, (reportedUs - output.startUs) / 1000)),
        })
      }
    }
    measures.push({
      id,
      tracks: own.map(({ trackId, kind }) => {
        const track = arrived.get(trackId)
        return measureTrack(kind, track?.sequences ?? new Set(), streamOf(track, streams))
      }),
      picturesSent: picturesSent.size,
      picturesJournalled: frames.filter(({ complete }) => complete).length,
      picturesDecodable: sent.frames.length,
      ownSyncMs: spreadOf([...offsetsUs(sent.flashesUs, sent.beepsUs).values()].map((us) => us / 1000)),
      reports: own.map(({ reportCount }) => reportCount),
      outputs,
      repairs: call.live.repairs.filter(({ participantId }) => participantId === id),
    })
  }
  return measures
}

async function compareFrames(
  path: string,
  { cardId, toneHz, facts }: CalledParticipant,
  journalled: ParticipantReference,
  repairs: readonly Repair[],
  reportedMs: number,
): Promise<Omit<CallOutput, keyof OutputMeasure | 'findings' | 'mode'>> {
  const cards = await readVideoCards(path)
  const left = new Map<number | undefined, number>()
  for (const { counter } of cards) left.set(counter, (left.get(counter) ?? 0) + 1)
  const missing = journalled.frames.filter(({ counter }) => {
    const count = left.get(counter) ?? 0
    left.set(counter, Math.max(0, count - 1))
    return count === 0
  })
  const counters = cards.map(({ counter = Number.NaN }) => counter)
  const isBefore = ({ counter = 0 }: ReferenceFrame): boolean => counter < (counters[0] ?? 0)
  const beeps = await readBeeps(path, { toneHz })
  const byPage = soundDelaysMs(beeps, cards, { pictures: facts.draws, beepsMs: facts.beeps })
  const byReports = soundDelaysMs(beeps, cards, {
    pictures: journalled.frames.map(({ counter = 0, atUs }) => [counter, atUs / 1000]),
    beepsMs: journalled.beepsUs.map((us) => us / 1000),
  })
  const startUs = Math.min(cards[0]?.ptsUs ?? 0, beeps[0]?.atUs ?? 0)
  return {
    framesBeforeStart: missing.filter(isBefore).length,
    framesMissing: missing
      .filter((frame) => !isBefore(frame))
      .map((frame) => ({ frame, before: journalled.frames[journalled.frames.indexOf(frame) - 1] }))
      .map(({ frame: { counter, arrivalMs, atUs }, before }) => ({
        counter,
        follows: before !== undefined && missing.includes(before),
        lateMs: Math.round(arrivalMs - atUs / 1000),
        listed: repairs.some((repair) => repair.action === 'held-picture' && covers(repair, atUs)),
      })),
    framesForeign: [...left.values()].reduce((sum, count) => sum + count, 0),
    unreadable: cards.filter((card) => card.cardId !== cardId).length,
    countersFalling: counters.filter((counter, i) => i > 0 && !(counter >= (counters[i - 1] ?? 0))).length,
    beeps: beeps.map(({ atUs }, i) => ({
      atMs: Math.round((atUs - startUs) / 1000),
      sinceReportMs: Math.round((atUs - startUs) / 1000 - reportedMs),
      byPage: byPage[i] ?? Number.NaN,
      byReports: byReports[i] ?? Number.NaN,
    })),
  }
}

function covers({ startUs, endUs }: Repair, atUs: number): boolean {
  return atUs >= startUs - REPAIR_EDGE_US && atUs <= endUs + REPAIR_EDGE_US
}

async function findingsOf(path: string, output: ManifestOutput): Promise<readonly Finding[]> {
  if (output.container === 'mp4') return await checkMp4(path)
  const folder = join(path, '..')
  // Losses hold the picture, so that a segment may be without one: the stream exists all the same.
  return await checkHls(
    { entry: 'index.m3u8', read: (uri) => readFile(join(folder, uri)) },
    { transportStream: { allowIdle: true } },
  )
}

/** What was wrong with the playlists of an output while it grew. */
function seenBy({ store }: RecordedCall, { container, key }: ManifestOutput): readonly Finding[] {
  if (container !== 'hls') return []
  return [key, key.replace(/index\.m3u8$/, 'media.m3u8')].flatMap((name) => store.violations.get(name) ?? [])
}
