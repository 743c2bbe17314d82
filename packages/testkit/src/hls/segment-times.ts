import type { FindingPlace, Report } from '../finding.js'
import type { MediaPlaylist, Segment } from './media-playlist.js'
import type { HlsRule } from './rules.js'
import type { SegmentFacts, Span } from './segment-facts.js'

/** Holds EXTINF against timestamps, and the timestamps of each segment against the next. */
export function checkSegmentTimes(
  media: MediaPlaylist,
  facts: readonly SegmentFacts[],
  toleranceSeconds: number,
  report: Report<HlsRule>,
): void {
  for (const [index, segment] of media.segments.entries()) {
    const fact = facts[index]
    const nextFact = facts[index + 1]
    const next = media.segments[index + 1]
    if (fact === undefined || fact.spans.length === 0) continue
    const place = { uri: media.uri, line: segment.line, segment: index }
    if (next !== undefined && nextFact !== undefined && !next.discontinuity && nextFact.spans.length > 0) {
      checkBoundary(segment, fact, nextFact, toleranceSeconds, place, report)
    } else checkLast(segment, fact, toleranceSeconds, place, report)
  }
}

/** A segment lasts until the next one starts. */
function checkBoundary(
  segment: Segment,
  fact: SegmentFacts,
  next: SegmentFacts,
  tolerance: number,
  place: FindingPlace,
  report: Report<HlsRule>,
): void {
  const starts = (['video', 'audio'] as const).flatMap((kind) => {
    const [a, b] = [fact, next].map(({ spans }) => spans.find((span) => span.kind === kind))
    return a === undefined || b === undefined ? [] : [b.start - a.start]
  })
  const earliest = (spans: readonly Span[]): number => Math.min(...spans.map(({ start }) => start))
  const durations = [...starts, earliest(next.spans) - earliest(fact.spans)]
  if (durations.some((duration) => Math.abs(duration - segment.duration) <= tolerance)) return
  const [duration] = durations as [number]
  // Where its own pictures and sound fill what EXTINF says, it is the next segment that is elsewhere.
  if (isWithin(segment, fact, tolerance)) {
    const jump = (duration - segment.duration).toFixed(3)
    report('segment-times', `the next segment starts ${jump} s after this one ends, without discontinuity`, place)
  } else {
    const message = `EXTINF is ${segment.duration}, but the next segment starts ${duration.toFixed(3)} s after this one`
    report('segment-duration', message, place)
  }
}

/** There is nothing to measure the last picture by: its end is taken within bounds. */
function checkLast(
  segment: Segment,
  fact: SegmentFacts,
  tolerance: number,
  place: FindingPlace,
  report: Report<HlsRule>,
): void {
  if (isWithin(segment, fact, tolerance)) return
  const spans = fact.spans.map(({ kind, start, end }) => `${kind} ${(end - start).toFixed(3)} s`)
  report('segment-duration', `EXTINF is ${segment.duration}, but it holds ${spans.join(' and ')}`, place)
}

function isWithin(segment: Segment, fact: SegmentFacts, tolerance: number): boolean {
  const start = Math.min(...fact.spans.map((span) => span.start))
  const shortest = Math.min(...fact.spans.map((span) => span.earliestEnd)) - Math.max(...fact.spans.map((s) => s.start))
  const longest = Math.max(...fact.spans.map((span) => span.end)) - start
  return segment.duration >= shortest - tolerance && segment.duration <= longest + tolerance
}

/** EXT-X-DISCONTINUITY where it has to be (RFC 8216 §4.3.2.3). */
export function checkDiscontinuities(
  media: MediaPlaylist,
  facts: readonly SegmentFacts[],
  report: Report<HlsRule>,
): void {
  let lastPicture: SegmentFacts['pictures'][number] | undefined
  for (const [index, fact] of facts.entries()) {
    const segment = media.segments[index] as Segment
    const place = { uri: media.uri, line: segment.line, segment: index }
    const before = facts[index - 1]
    if (before !== undefined && !segment.discontinuity && before.tracks !== fact.tracks) {
      report('discontinuity-tracks', `the tracks change from ${before.tracks} to ${fact.tracks}`, place)
    }
    for (const [i, picture] of fact.pictures.entries()) {
      const changes =
        lastPicture !== undefined && (lastPicture.size !== picture.size || lastPicture.profile !== picture.profile)
      if (changes && !(i === 0 && segment.discontinuity)) {
        const where = i === 0 ? 'without discontinuity' : 'inside the segment'
        const from = `${lastPicture?.size}, profile ${lastPicture?.profile}`
        const message = `pictures change ${where} from ${from} to ${picture.size}, profile ${picture.profile}`
        report('discontinuity-parameters', message, place)
      }
      lastPicture = picture
    }
  }
}
