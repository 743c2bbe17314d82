import type { TrackMeasure } from './journalled-packets.js'
import type { BeepDelay, CallOutput, ParticipantMeasure } from './measure-call.js'
import type { Transport } from './offer-takers.js'
import type { CalledParticipant } from './record-call.js'

/** What sound may be off against the picture. */
const SYNC_MS = 40
/** A live recording waits so long for the first reports, so that it is in sync from its start where they come in time. */
const WAITED_MS = 4500
/** Else, as long as it has no report of the sender, it can go by arrival only, and may be off by this. */
const GUESSED_SYNC_MS = 150
/** Then it moves the sound to its place from the first report on, so slowly that nobody hears it. */
const MOVING_MS = 4000
/** A picture whose last packet came later than this behind its time may be given up: half a second is waited for it. */
const LATE_MS = 450
/** Pictures before the first that is recorded: those that came before a keyframe was whole. */
const MAX_BEFORE_START = 30
/**
 * A rule that a browser short of time makes hard to keep: its rate changes from second to second, and what is declared
 * is that of the fastest stretch of some seconds, where a segment may be shorter.
 */
const UNSTEADY_RULE = 'variant-frame-rate'
/**
 * Share of lost video packets that come back, at least. werift asks ten times within 50 ms and then no more, so that a
 * retransmission that gets lost as well is often the last.
 */
const MIN_REPAIRED: Readonly<Record<Transport, number>> = { whip: 0.97, werift: 0.75 }

/** What of a participant's recording is not as it must be; empty is well. */
export function complaintsAbout(
  transport: Transport,
  { toServer, toBrowser }: CalledParticipant,
  measure: ParticipantMeasure,
): string[] {
  const complaints: string[] = []
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(what)
  }
  expect(toServer.rtpLost > 0.02 * toServer.rtp, `the path lost only ${toServer.rtpLost} of ${toServer.rtp} packets`)
  expect(toServer.overtaken > 0.05 * toServer.rtp, `only ${toServer.overtaken} packets were overtaken`)
  expect(toBrowser.rtcpLost > 0, 'no request got lost')
  for (const track of measure.tracks) complaints.push(...trackComplaints(transport, track))
  expect(measure.tracks.length === 2, `${measure.tracks.length} tracks instead of two`)
  expect(measure.outputs.length === 4, `${measure.outputs.length} outputs instead of four`)
  expect(measure.picturesSent > 100, `only ${measure.picturesSent} pictures were sent`)
  for (const output of measure.outputs) {
    complaints.push(...outputComplaints(output).map((complaint) => `${output.mode} ${output.container}: ${complaint}`))
  }
  return complaints
}

function trackComplaints(transport: Transport, track: TrackMeasure): string[] {
  const { kind, lost, repaired, refused, early } = track
  const complaints: string[] = []
  // Whoever connects first sends before the other can decrypt.
  if (refused > early) complaints.push(`${kind}: ${refused - early} packets arrived and are not in the journal`)
  if (kind === 'video' && repaired < MIN_REPAIRED[transport] * lost - 1) {
    complaints.push(`video: ${repaired} of ${lost} lost packets came back`)
  }
  return complaints
}

function outputComplaints(output: CallOutput): string[] {
  const complaints: string[] = []
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(what)
  }
  const { framesMissing, framesBeforeStart, decodeComplaints, copyComplaints, findings } = output
  expect(output.copyCode === 0, `ffmpeg's copy ended with ${output.copyCode}`)
  expect(output.streams.join() === 'video:h264,audio:aac', `streams ${output.streams.join()}`)
  expect(decodeComplaints.length === 0, `ffmpeg's decode said: ${decodeComplaints[0]}`)
  expect(copyComplaints.length === 0, `ffmpeg's copy said: ${copyComplaints[0]}`)
  expect(output.dependentSegments.length === 0, `does not decode alone: ${output.dependentSegments[0]}`)
  for (const { rule, message } of findings.filter((finding) => finding.rule !== UNSTEADY_RULE).slice(0, 5)) {
    complaints.push(`${rule}: ${message}`)
  }
  expect(output.unreadable === 0, `${output.unreadable} pictures are damaged`)
  expect(output.framesForeign === 0, `${output.framesForeign} pictures that were never sent`)
  expect(output.countersFalling === 0, `counters do not rise ${output.countersFalling} times`)
  expect(framesBeforeStart <= MAX_BEFORE_START, `${framesBeforeStart} pictures are left out at the start`)
  const unlisted = framesMissing.filter(({ listed }) => !listed)
  expect(unlisted.length === 0, `${unlisted.length} pictures are missing and no repair tells of it`)
  // What hangs on a picture that was given up waits for the next keyframe; the given up one must have been late.
  const causes = framesMissing.filter(({ follows }) => !follows)
  for (const { counter, lateMs } of causes) {
    expect(lateMs > LATE_MS, `picture ${counter} came ${lateMs} ms late, and is missing`)
  }
  expect(output.soundHoles === 0, `${output.soundHoles} holes in the sound`)
  expect(
    output.lossesConcealed === output.lossesOfSound,
    `${output.lossesConcealed} of ${output.lossesOfSound} losses of sound are concealed`,
  )
  const isKnown = ({ atMs, sinceReportMs }: BeepDelay): boolean =>
    output.mode === 'again' || atMs - sinceReportMs < WAITED_MS || sinceReportMs > MOVING_MS
  const errors = syncErrorsMs(output.beeps.filter(isKnown))
  const guessed = syncErrorsMs(output.beeps.filter((beep) => !isKnown(beep)))
  expect(errors.length >= 3, `only ${errors.length} beeps can be held against pictures`)
  const [worst, worstGuessed] = [Math.max(0, ...errors), Math.max(0, ...guessed)]
  expect(worst <= SYNC_MS, `sound and picture are ${worst.toFixed(1)} ms apart`)
  expect(worstGuessed <= GUESSED_SYNC_MS, `before the first report ${worstGuessed.toFixed(1)} ms apart`)
  return complaints
}

/**
 * How far off each beep is. A sender that is short of time reports wrong times of its sound, by tens of milliseconds and
 * differently in each report; then what it says and what it did are two things, and the recording can follow but one.
 */
export function syncErrorsMs(beeps: readonly BeepDelay[]): number[] {
  return beeps
    .map(({ byPage, byReports }) => Math.min(...[byPage, byReports].filter(Number.isFinite).map(Math.abs)))
    .filter(Number.isFinite)
}
