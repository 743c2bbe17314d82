import { type Finding, FindingList, type Report } from '../finding.js'
import { type MediaPlaylist, readMediaPlaylist, type Segment } from './media-playlist.js'
import { type Playlist, readPlaylist } from './playlist.js'
import type { HlsRule } from './rules.js'

/**
 * Checks a media playlist against an earlier state of itself (RFC 8216 §6.2): EVENT and VOD playlists only gain lines
 * at the end, a live window only slides.
 */
export function checkPlaylistUpdate(before: Uint8Array | string, after: Uint8Array | string): Finding[] {
  const findings = new FindingList<HlsRule>()
  const [a, b] = [before, after].map((text, index) => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    return readPlaylist(bytes, index === 0 ? 'before' : 'after', findings.report)
  }) as [Playlist, Playlist]
  checkUpdate(a, b, findings.report)
  return findings.finish()
}

function checkUpdate(before: Playlist, after: Playlist, report: Report<HlsRule>): void {
  const [a, b] = [readMediaPlaylist(before), readMediaPlaylist(after)]
  if (a.version !== b.version) report('update-changed', `EXT-X-VERSION from ${a.version} to ${b.version}`)
  if (a.targetDuration !== b.targetDuration) {
    report('update-changed', `EXT-X-TARGETDURATION from ${a.targetDuration} to ${b.targetDuration}`)
  }
  if (a.type !== b.type) report('update-changed', `EXT-X-PLAYLIST-TYPE from ${a.type} to ${b.type}`)
  if (a.endList && before.text !== after.text) report('update-changed', 'it changed after EXT-X-ENDLIST')
  if (a.type !== undefined) checkAppendOnly(before, after, report)
  else checkWindow(a, b, report)
}

function checkAppendOnly(before: Playlist, after: Playlist, report: Report<HlsRule>): void {
  const lines = (playlist: Playlist): string[] => playlist.text.split(/\r?\n/).filter((line) => line !== '')
  const now = lines(after)
  for (const [index, line] of lines(before).entries()) {
    if (line === now[index]) continue
    const message = `line ${JSON.stringify(line)} became ${JSON.stringify(now[index] ?? '')}`
    report('update-append-only', message, { line: index + 1 })
    return
  }
}

function checkWindow(a: MediaPlaylist, b: MediaPlaylist, report: Report<HlsRule>): void {
  const removed = b.mediaSequence - a.mediaSequence
  if (removed < 0) {
    report('update-media-sequence', `EXT-X-MEDIA-SEQUENCE from ${a.mediaSequence} back to ${b.mediaSequence}`)
    return
  }
  const kept = a.segments.slice(removed)
  if (b.segments.length < kept.length) {
    const message = `${kept.length} segments should be left of the state before, there are ${b.segments.length}`
    report('update-media-sequence', message)
  }
  for (const [index, segment] of kept.entries()) {
    const now = b.segments[index]
    // A leading discontinuity may be counted or kept.
    if (now === undefined || keyOf(segment, index === 0) === keyOf(now, index === 0)) continue
    const isMoved = a.segments.some((other) => keyOf(other, true) === keyOf(now, true))
    const rule = isMoved || segment.uri !== now.uri ? 'update-media-sequence' : 'update-append-only'
    report(rule, `media sequence number ${b.mediaSequence + index} was ${segment.uri}, is ${now.uri}`, {
      line: now.line,
    })
    break
  }
  checkDiscontinuitySequence(a, b, removed, report)
  const left = b.segments.reduce((sum, { duration }) => sum + duration, 0)
  if (removed > 0 && !b.endList && left < b.targetDuration * 3) {
    const message = `${removed} segments went, ${left.toFixed(3)} s of ${b.targetDuration * 3} are left`
    report('update-window', message)
  }
}

/** RFC 8216 §6.2.2: it grows when an EXT-X-DISCONTINUITY tag is removed with its segment. */
function checkDiscontinuitySequence(
  a: MediaPlaylist,
  b: MediaPlaylist,
  removed: number,
  report: Report<HlsRule>,
): void {
  const [from, to] = [a.discontinuitySequence ?? 0, b.discontinuitySequence ?? 0]
  const gone = a.segments.slice(0, removed).filter(({ discontinuity }) => discontinuity).length
  const first = a.segments[removed]
  // The tag of the segment that is now first may be gone as well.
  const firstGone = first?.discontinuity === true && b.segments[0]?.discontinuity === false ? 1 : 0
  if (to !== from + gone + firstGone) {
    const message = `EXT-X-DISCONTINUITY-SEQUENCE from ${from} to ${to}, with ${gone + firstGone} discontinuities removed`
    report('update-discontinuity-sequence', message)
  }
}

function keyOf(segment: Segment, isFirst: boolean): string {
  const { uri, duration, discontinuity, programDateTimeMs, map, gap } = segment
  return JSON.stringify([uri, duration, isFirst || discontinuity, programDateTimeMs, map, gap])
}
