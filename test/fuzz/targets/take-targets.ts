import {
  type CapturedFrame,
  foldEvents,
  MjrParser,
  PcapngParser,
  PcapParser,
  parseRtpdump,
  parseSession,
  RtpdumpParser,
  type RtpdumpRecord,
  type Session,
  TakeError,
  trackOf,
  validateSession,
} from '@rushes/take'
import { datagramOf } from '../../../packages/take/src/import/datagram.js'
import { RtpStreamFinder } from '../../../packages/take/src/import/rtp-streams.js'
import { EventLineParser } from '../../../packages/take/src/session-events.js'
import { check, type FuzzTarget, unlessRefused } from '../fuzz-target.js'
import { mutateBytes } from '../mutators/bytes.js'
import { mutateJson, mutateText } from '../mutators/text.js'
import { captureSeeds, dumpSeeds, eventSeeds, sessionSeeds } from '../take-seeds.js'

/** What is read from disk: takes, and captures of other programs. */
export const takeTargets: readonly FuzzTarget[] = [
  { name: 'rtpdump', weight: 12, mutate: mutateBytes, seeds: dumpSeeds, run: runRtpdump },
  { name: 'session-json', weight: 8, mutate: mutateJson, seeds: sessionSeeds, run: runSession },
  { name: 'event-lines', weight: 8, mutate: mutateText, seeds: eventSeeds, run: runEvents },
  { name: 'pcap', weight: 12, mutate: mutateBytes, seeds: () => captureSeeds('pcap'), run: runPcap },
  { name: 'pcapng', weight: 12, mutate: mutateBytes, seeds: () => captureSeeds('pcapng'), run: runPcapng },
  { name: 'mjr', weight: 12, mutate: mutateBytes, seeds: () => captureSeeds('mjr'), run: runMjr },
]
/** In one piece and in pieces the result is the same; every byte is in a record or counted. */
function runRtpdump(input: Uint8Array): void {
  const { records, stats } = parseRtpdump(input.slice())
  check(stats.records === records.length && stats.bytes === input.byteLength, 'everything is counted')
  check(stats.cutBytes >= 0 && stats.cutBytes <= input.byteLength, 'no more is cut than there is')
  for (const { data, offsetMs } of records) check(data.byteLength >= 4 && offsetMs >= 0, 'records hold packets')
  const parser = new RtpdumpParser()
  const again: RtpdumpRecord[] = []
  inChunks(input, (chunk) => parser.push(chunk, (record) => void again.push(record)))
  parser.flush((record) => void again.push(record))
  check(again.length === records.length, 'chunks make no difference')
  check(parser.stats.cutCause === stats.cutCause && parser.stats.cutBytes === stats.cutBytes, 'nor for the cut')
}

function inChunks(input: Uint8Array, push: (chunk: Uint8Array) => void): void {
  const size = 1 + (input.byteLength % 61) + (input[0] ?? 0)
  for (let at = 0; at < input.byteLength; at += size) push(input.slice(at, at + size))
}

const decoder = new TextDecoder()

function runSession(input: Uint8Array): void {
  const session = unlessRefused(TakeError, () => parseSession(decoder.decode(input)))
  if (session === undefined) return
  const again = validateSession(JSON.parse(JSON.stringify(session)))
  check(again.participants.length === session.participants.length, 'what is valid stays valid')
  checkTracks(session)
  checkTracks(foldEvents(session, session.events))
}

function checkTracks(session: Session): void {
  for (const participant of session.participants) {
    for (const entry of participant.tracks) {
      const track = unlessRefused(TakeError, () => trackOf(entry, participant.id))
      if (track !== undefined) check(track.clockRate >= 1, 'a clock has a rate')
    }
  }
}

const EMPTY_SESSION: Session = { startedAt: '2026-11-21T00:00:00Z', participants: [], events: [] }

function runEvents(input: Uint8Array): void {
  const whole = new EventLineParser()
  const events = whole.push(input)
  const inPieces = new EventLineParser()
  let count = 0
  inChunks(input, (chunk) => {
    count += inPieces.push(chunk).length
  })
  check(count === events.length && inPieces.badLines === whole.badLines, 'chunks make no difference')
  checkTracks(foldEvents(foldEvents(EMPTY_SESSION, events), events))
}

interface CaptureParser<Item> {
  push(chunk: Uint8Array, emit: (item: Item) => void): void
  flush(): void
  readonly stats: {
    readonly bytes: number
    readonly frames: number
    readonly cutBytes: number
    readonly cutCause?: string
  }
}

function parseTwice<Item>(input: Uint8Array, create: () => CaptureParser<Item>): Item[] {
  const items: Item[] = []
  const whole = create()
  whole.push(input.slice(), (item) => void items.push(item))
  whole.flush()
  check(whole.stats.bytes === input.byteLength && whole.stats.cutBytes <= input.byteLength, 'everything is counted')
  check(whole.stats.frames === items.length, 'frames are counted')
  const inPieces = create()
  let count = 0
  inChunks(input, (chunk) => inPieces.push(chunk, () => count++))
  inPieces.flush()
  check(count === items.length && inPieces.stats.cutCause === whole.stats.cutCause, 'chunks make no difference')
  check(inPieces.stats.cutBytes === whole.stats.cutBytes, 'nor for the cut')
  return items
}

function checkFrames(frames: readonly CapturedFrame[]): void {
  const finder = new RtpStreamFinder()
  for (const frame of frames) {
    check(Number.isSafeInteger(frame.timestampUs), 'times are safe integers')
    const datagram = datagramOf(frame)
    if (typeof datagram === 'string') continue
    check(datagram.payload.byteLength <= frame.data.byteLength, 'a datagram is a part of its frame')
    finder.push(datagram, frame.timestampUs)
  }
}

function runPcap(input: Uint8Array): void {
  checkFrames(parseTwice(input, () => new PcapParser()))
}

function runPcapng(input: Uint8Array): void {
  checkFrames(parseTwice(input, () => new PcapngParser()))
}

function runMjr(input: Uint8Array): void {
  for (const { timeMs } of parseTwice(input, () => new MjrParser())) {
    check(timeMs === undefined || timeMs >= 0, 'times do not run backwards from the start')
  }
}
