import { LOSSLESS_TAKES, type OutputReport, type PlaybackReport } from './conform.js'

/** Limits in milliseconds. */
const SYNC_MEDIAN_MS = 5
const SYNC_WORST_MS = 25
const PICTURE_MS = 20
/** One AAC frame of 1024 samples at 48 kHz, and the rounding of the 90 kHz clock. */
const SOUND_EDGE_MS = 21.4

/** What of an output is not as it must be; empty is well. */
export function complaintsAbout(report: OutputReport): string[] {
  const complaints: string[] = []
  const expect = (holds: boolean, what: string): void => {
    if (!holds) complaints.push(what)
  }
  expect(report.copyCode === 0, `ffmpeg's copy ended with ${report.copyCode}`)
  expect(report.streams.join() === 'video:h264,audio:aac', `streams ${report.streams.join()}`)
  if (LOSSLESS_TAKES.includes(report.take)) {
    expect(report.copyComplaints.length === 0, `ffmpeg's copy said: ${report.copyComplaints[0]}`)
    expect(report.decodeComplaints.length === 0, `ffmpeg's decode said: ${report.decodeComplaints[0]}`)
  }
  expect(report.dependentSegments.length === 0, `does not decode alone: ${report.dependentSegments[0]}`)
  for (const finding of report.findings.slice(0, 5)) complaints.push(`${finding.rule}: ${finding.message}`)
  // What follows needs every sender report; a live render learns them on the way.
  if (report.mode === 'live') return complaints
  expect(report.framesInOutput === report.framesSent, `${report.framesInOutput} frames of ${report.framesSent}`)
  expect(report.sizes.join() === report.sizesSent.join(), `sizes ${report.sizes.join()} of ${report.sizesSent.join()}`)
  expect(report.counterMismatches === 0, `${report.counterMismatches} frame counters differ`)
  within('picture on the common clock', report.pictureMs.worst, PICTURE_MS)
  expect(report.syncMs.count >= 10, `only ${report.syncMs.count} seconds with flash and beep`)
  for (const [name, spread] of [
    ['sync', report.syncMs],
    ['sync at the start', report.syncStartMs],
    ['sync at the end', report.syncEndMs],
  ] as const) {
    within(`${name}, median`, spread.median, SYNC_MEDIAN_MS)
    within(`${name}, worst`, spread.worst, SYNC_WORST_MS)
  }
  within('first sample of the sound', report.soundStartMs, SOUND_EDGE_MS)
  within('last sample of the sound', report.soundEndMs, SOUND_EDGE_MS)
  expect(report.soundHoles === 0, `${report.soundHoles} holes in the sound`)
  expect(report.gapsSilent === report.gapsSent, `${report.gapsSilent} of ${report.gapsSent} gaps are silent`)
  expect(
    report.lossesConcealed === report.lossesOfSound,
    `${report.lossesConcealed} of ${report.lossesOfSound} losses of sound are concealed`,
  )
  return complaints

  function within(what: string, value: number, limit: number): void {
    if (!(Math.abs(value) <= limit)) complaints.push(`${what}: ${value.toFixed(2)} ms, allowed ${limit}`)
  }
}

/** What of a play-through is not as it must be; empty is well. */
export function playbackComplaints(playback: PlaybackReport): string[] {
  const complaints = playback.fatal.map((error) => `fatal: ${error}`)
  if (!playback.ended)
    complaints.push(`stopped at ${playback.currentTime.toFixed(2)} of ${playback.duration.toFixed(2)} s`)
  if (playback.duration - playback.currentTime > 0.1) complaints.push('did not reach the end')
  if (playback.corrupted > 0) complaints.push(`${playback.corrupted} corrupted frames`)
  return complaints
}
