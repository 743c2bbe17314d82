import type { Report } from '../finding.js'
import { readAttributes } from './attributes.js'
import type { MediaPlaylist } from './media-playlist.js'
import type { Entry, Playlist } from './playlist.js'
import type { HlsRule } from './rules.js'
import type { SegmentFacts } from './segment-facts.js'

/** A variant stream of a multivariant playlist (RFC 8216 §4.3.4.2). */
export interface Variant {
  readonly entry: Entry
  readonly attributes: ReadonlyMap<string, string>
}

/** The variants of a multivariant playlist; reports what they lack. */
export function readVariants(playlist: Playlist, report: Report<HlsRule>): Variant[] {
  const groups = new Set(
    (playlist.tags.get('EXT-X-MEDIA') ?? []).map(({ value }) => {
      const attributes = readAttributes(value)
      return `${attributes?.get('TYPE')}/${attributes?.get('GROUP-ID')}`
    }),
  )
  return playlist.entries.flatMap((entry) => {
    const tag = entry.tags.find(({ name }) => name === 'EXT-X-STREAM-INF')
    const attributes = tag === undefined ? undefined : readAttributes(tag.value)
    if (tag === undefined || attributes === undefined) return []
    const bad = (message: string): void => report('variant-syntax', message, { uri: playlist.uri, line: tag.line })
    if (!/^\d+$/.test(attributes.get('BANDWIDTH') ?? '')) bad('EXT-X-STREAM-INF has no BANDWIDTH')
    const resolution = attributes.get('RESOLUTION')
    if (resolution !== undefined && !/^\d+x\d+$/.test(resolution)) bad(`RESOLUTION is ${resolution}`)
    for (const type of ['AUDIO', 'VIDEO', 'SUBTITLES']) {
      const group = attributes.get(type)
      if (group !== undefined && !groups.has(`${type}/${group}`)) bad(`${type} names ${group}, which does not exist`)
    }
    return [{ entry, attributes }]
  })
}

/** Holds what a variant promises against the segments of its media playlist. */
export function checkVariant(
  playlist: Playlist,
  variant: Variant,
  media: MediaPlaylist,
  facts: readonly SegmentFacts[],
  segmentBytes: readonly number[],
  report: Report<HlsRule>,
): void {
  const { attributes } = variant
  const place = { uri: playlist.uri, line: variant.entry.line }
  checkCodecs(attributes.get('CODECS'), facts, (message) => report('variant-codecs', message, place))
  const sizes = new Set(facts.flatMap(({ pictures }) => pictures.map(({ size }) => size)))
  const resolution = attributes.get('RESOLUTION')
  if (resolution !== undefined && sizes.size > 0 && !sizes.has(resolution)) {
    report('variant-resolution', `RESOLUTION is ${resolution}, the pictures are ${[...sizes].join(', ')}`, place)
  }
  const frameRate = attributes.get('FRAME-RATE')
  const fastest = Math.max(0, ...facts.map((fact) => fact.frameRate))
  if (frameRate !== undefined && fastest > 0) {
    const rate = Number(frameRate)
    // Pictures of a camera come unevenly: a segment may have a few more than its clock says.
    if (!(rate >= fastest * 0.9 - 0.5) || rate > fastest * 2 + 1) {
      report('variant-frame-rate', `FRAME-RATE is ${frameRate}, the fastest segment has ${fastest.toFixed(3)}`, place)
    }
  }
  if (media.endList) {
    checkBandwidth(attributes, media, segmentBytes, (message) => report('variant-bandwidth', message, place))
  }
}

function checkCodecs(codecs: string | undefined, facts: readonly SegmentFacts[], bad: (message: string) => void): void {
  const found = new Set(facts.flatMap((fact) => [...fact.pictures.map(({ codec }) => codec), ...fact.audioCodecs]))
  if (codecs === undefined) {
    bad('there is no CODECS')
    return
  }
  const named = new Set(codecs.split(',').map((codec) => codec.trim().toLowerCase()))
  for (const codec of found) {
    if (![...named].some((declared) => covers(declared, codec))) {
      bad(`CODECS is ${codecs}, but the segments have ${codec}`)
    }
  }
  for (const declared of named) {
    if (found.size > 0 && ![...found].some((codec) => covers(declared, codec))) {
      bad(`CODECS has ${declared}, but no segment does`)
    }
  }
}

/** Whether who can decode what is declared can decode what is there: the H264 level is a ceiling (ITU-T H.264 §A.3). */
function covers(declared: string, found: string): boolean {
  if (declared === found) return true
  const level = /^(avc[13]\.[0-9a-f]{4})([0-9a-f]{2})$/
  const ceiling = level.exec(declared)
  const actual = level.exec(found)
  if (ceiling === null || actual === null || ceiling[1] !== actual[1]) return false
  return Number.parseInt(ceiling[2] as string, 16) >= Number.parseInt(actual[2] as string, 16)
}

/** The largest bit rate of contiguous segments that last 0.5 to 1.5 target durations (RFC 8216 §4.1). */
function checkBandwidth(
  attributes: ReadonlyMap<string, string>,
  media: MediaPlaylist,
  segmentBytes: readonly number[],
  bad: (message: string) => void,
): void {
  const { segments, targetDuration } = media
  let peak = 0
  for (let from = 0; from < segments.length; from++) {
    let seconds = 0
    let bits = 0
    for (let to = from; to < segments.length; to++) {
      seconds += (segments[to] as { duration: number }).duration
      bits += (segmentBytes[to] ?? 0) * 8
      if (seconds > targetDuration * 1.5) break
      if (seconds >= targetDuration * 0.5) peak = Math.max(peak, bits / seconds)
    }
  }
  const bandwidth = Number(attributes.get('BANDWIDTH'))
  if (peak > bandwidth + 1) bad(`BANDWIDTH is ${bandwidth}, the peak is ${Math.ceil(peak)}`)
  const average = attributes.get('AVERAGE-BANDWIDTH')
  const seconds = segments.reduce((sum, { duration }) => sum + duration, 0)
  const measured = seconds === 0 ? 0 : (segmentBytes.reduce((sum, bytes) => sum + bytes, 0) * 8) / seconds
  if (average !== undefined && Number(average) + 1 < measured) {
    bad(`AVERAGE-BANDWIDTH is ${average}, the average is ${Math.ceil(measured)}`)
  }
}
