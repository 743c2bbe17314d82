import type { ListedAccessUnit, TransportStreamListing } from '../transport-stream/listing.js'

/** When one stream of a segment starts and ends, in seconds. */
export interface Span {
  readonly kind: 'video' | 'audio'
  readonly start: number
  /** Of the last picture by the largest interval between two, or 0.1 s if that is more; of audio exact. */
  readonly end: number
  /** Of the last picture by the smallest interval. */
  readonly earliestEnd: number
}

/** A browser's pictures come up to half an interval early or late: two that are near say nothing of the rate. */
const SHORTEST_RATE_SECONDS = 0.25

/** What a TS segment holds. */
export interface SegmentFacts {
  readonly tracks: string
  readonly spans: readonly Span[]
  /** Pictures a second between the first and the last; 0 where these are too near to each other to tell. */
  readonly frameRate: number
  /** `1280x720` and the profile, in order of appearance without repeats in a row. */
  readonly pictures: readonly { readonly size: string; readonly profile: number; readonly codec: string }[]
  readonly audioCodecs: readonly string[]
}

/** Facts of each segment from the listing of all. */
export function segmentFacts(listing: TransportStreamListing): SegmentFacts[] {
  return listing.segments.map((tracks, segment) => {
    const spans: Span[] = []
    const pictures: { size: string; profile: number; codec: string }[] = []
    const audioCodecs = new Set<string>()
    let frameRate = 0
    for (const stream of listing.streams) {
      const units = stream.accessUnits.filter((unit) => unit.segment === segment && !Number.isNaN(unit.pts90k))
      const frames = stream.audioFrames.filter((frame) => frame.segment === segment && !Number.isNaN(frame.pts90k))
      if (units.length > 0) {
        const span = videoSpan(units)
        spans.push(span)
        const last = Math.max(...times(units))
        if (last - span.start >= SHORTEST_RATE_SECONDS) frameRate = (units.length - 1) / (last - span.start)
        for (const unit of units) addPicture(unit, pictures)
      }
      const [first, last] = [frames[0], frames[frames.length - 1]]
      if (first !== undefined && last !== undefined) {
        const end = last.pts90k / 90_000 + 1024 / last.sampleRate
        spans.push({ kind: 'audio', start: first.pts90k / 90_000, end, earliestEnd: end })
        for (const { objectType } of frames) audioCodecs.add(`mp4a.40.${objectType}`)
      }
    }
    const key = tracks.map(({ pid, streamType }) => `PID 0x${pid.toString(16)} of type 0x${streamType.toString(16)}`)
    return { tracks: key.sort().join(', '), spans, frameRate, pictures, audioCodecs: [...audioCodecs] }
  })
}

function times(units: readonly ListedAccessUnit[]): number[] {
  return units.map(({ pts90k }) => pts90k / 90_000)
}

function videoSpan(units: readonly ListedAccessUnit[]): Span {
  const sorted = times(units).sort((a, b) => a - b)
  const intervals = sorted.slice(1).map((time, index) => time - (sorted[index] as number))
  const last = sorted[sorted.length - 1] as number
  return {
    kind: 'video',
    start: sorted[0] as number,
    end: last + Math.max(0.1, ...intervals),
    earliestEnd: last + Math.min(0.1, ...intervals),
  }
}

function addPicture(unit: ListedAccessUnit, pictures: { size: string; profile: number; codec: string }[]): void {
  if (unit.sps === undefined) return
  const { width, height, profileIdc, constraintFlags, levelIdc } = unit.sps
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
  const codec = `avc1.${hex(profileIdc)}${hex(constraintFlags)}${hex(levelIdc)}`
  const picture = { size: `${width}x${height}`, profile: profileIdc, codec }
  const last = pictures[pictures.length - 1]
  if (last?.size !== picture.size || last.codec !== codec) pictures.push(picture)
}
