import type { Report } from '../finding.js'
import type { Mp4Rule } from './rules.js'
import type { SampleList } from './samples.js'
import type { Mp4Track } from './track.js'

/** Sound that a decoder makes before the first that counts: no codec here needs more than 120 ms. */
const MAX_PRIMING_S = 0.12

/** Checks decoding and presentation times and the edit list of a track. `movieTimescale`: ticks a second. */
export function checkTimes(
  track: Mp4Track,
  samples: SampleList,
  movieTimescale: number,
  fragmented: boolean,
  report: Report<Mp4Rule>,
): void {
  const place = { trackId: track.id, offset: track.offset }
  for (let i = 0; i + 1 < samples.length; i++) {
    if (samples.durations[i] === 0)
      report('dts-order', `samples ${i + 1} and ${i + 2} have the same decoding time`, place)
  }
  checkEdits(track, samples, report)
  checkStart(track, samples, report)
  if (fragmented) return
  const sum = samples.endDts
  if (track.mediaDuration !== sum) report('duration', `mdhd says ${track.mediaDuration}, stts adds up to ${sum}`, place)
  const edited = track.edits.reduce((total, edit) => total + edit.duration, 0)
  const expected = track.edits.length > 0 ? edited : (sum * movieTimescale) / track.timescale
  if (Math.abs(track.trackDuration - expected) > 1) {
    const what = track.edits.length > 0 ? 'the edits add up to' : 'the media lasts'
    report('duration', `tkhd says ${track.trackDuration}, ${what} ${expected.toFixed(1)}`, place)
  }
}

/** mvhd against the tracks. */
export function checkMovieDuration(duration: number, tracks: readonly Mp4Track[], report: Report<Mp4Rule>): void {
  const longest = tracks.reduce((max, track) => Math.max(max, track.trackDuration), 0)
  if (Math.abs(duration - longest) > 1) report('duration', `mvhd says ${duration}, the longest track ${longest}`)
}

function checkEdits(track: Mp4Track, samples: SampleList, report: Report<Mp4Rule>): void {
  const place = { trackId: track.id, offset: track.offset }
  let end = 0
  for (let i = 0; i < samples.length; i++) end = Math.max(end, samples.pts(i) + (samples.durations[i] as number))
  for (const [index, edit] of track.edits.entries()) {
    if (edit.rate !== 1) report('edit-list', `edit ${index} has rate ${edit.rate}`, place)
    if (edit.mediaTime === -1) {
      if (index > 0) report('edit-list', `edit ${index} is empty, but not the first`, place)
    } else if (edit.mediaTime < 0) report('edit-list', `edit ${index} has media time ${edit.mediaTime}`, place)
    else if (samples.length > 0 && edit.mediaTime >= end) {
      report('edit-list', `edit ${index} starts at ${edit.mediaTime}, the media ends at ${end}`, place)
    }
  }
  if (track.edits.length > 0 && track.edits.every((edit) => edit.mediaTime === -1)) {
    report('edit-list', 'all edits are empty', place)
  }
}

function checkStart(track: Mp4Track, samples: SampleList, report: Report<Mp4Rule>): void {
  if (samples.length === 0) return
  let first = samples.pts(0)
  for (let i = 1; i < samples.length; i++) first = Math.min(first, samples.pts(i))
  const mediaTime = track.edits.find((edit) => edit.mediaTime >= 0)?.mediaTime ?? 0
  const cut = (mediaTime - first) / track.timescale
  if (cut > (track.handler === 'soun' ? MAX_PRIMING_S : 0)) {
    const message = `the first sample is presented ${(cut * 1000).toFixed(1)} ms before time 0`
    report('composition-time', message, { trackId: track.id, offset: track.offset })
  }
}
