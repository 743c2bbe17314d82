import { type Finding, FindingList, type FindingPlace } from '../finding.js'
import { checkMp4 } from '../mp4/check-mp4.js'
import type { TransportStreamOptions } from '../transport-stream/options.js'
import { TransportStreamReader } from '../transport-stream/transport-stream-reader.js'
import { checkMediaPlaylist, type MediaPlaylist, readMediaPlaylist } from './media-playlist.js'
import { type Playlist, readPlaylist } from './playlist.js'
import type { HlsRule } from './rules.js'
import { type SegmentFacts, segmentFacts } from './segment-facts.js'
import { checkDiscontinuities, checkSegmentTimes } from './segment-times.js'
import { checkVariant, readVariants } from './variant.js'

/** Where playlists and segments are. */
export interface HlsInput {
  /** The playlist to start from, multivariant or media. */
  readonly entry: string
  /** Gives what is at a URI: as the playlists name it, resolved against the playlist that does. Rejects if there is none. */
  readonly read: (uri: string) => Uint8Array | Promise<Uint8Array>
}

/** How strictly. */
export interface HlsOptions {
  /** Between EXTINF, timestamps and dates, in seconds. @defaultValue 0.05 */
  readonly toleranceSeconds?: number
  /** For the segments; discontinuities and independence come from the playlist. */
  readonly transportStream?: Omit<TransportStreamOptions, 'discontinuities' | 'independentSegments' | 'maxFindings'>
  /** Findings kept before the rest is only counted. @defaultValue 1000 */
  readonly maxFindings?: number
}

/**
 * Checks an HLS presentation against RFC 8216: its playlists, by their lines and by m3u8-parser, and all segments,
 * which are read once, in order. TS segments are checked by the rules of `checkTransportStream` too, CMAF segments
 * with their initialization by those of `checkMp4`. Only `read` of nothing at all ends without findings.
 */
export async function checkHls(input: HlsInput, options: HlsOptions = {}): Promise<Finding[]> {
  const checker = new HlsChecker(input, options)
  await checker.check()
  return checker.finish()
}

class HlsChecker {
  readonly #input: HlsInput
  readonly #options: HlsOptions
  readonly #findings: FindingList<string>

  constructor(input: HlsInput, options: HlsOptions) {
    this.#input = input
    this.#options = options
    this.#findings = new FindingList(options.maxFindings)
  }

  readonly #report = (rule: HlsRule, message: string, place?: FindingPlace): void =>
    this.#findings.report(rule, message, place)

  finish(): Finding[] {
    return this.#findings.finish()
  }

  async check(): Promise<void> {
    const playlist = await this.#playlist(this.#input.entry)
    if (playlist === undefined) return
    if (playlist.kind === 'media') {
      await this.#media(playlist)
      return
    }
    const variants = readVariants(playlist, this.#report)
    if (variants.length === 0) this.#report('playlist-empty', 'it has no variant', { uri: playlist.uri })
    for (const variant of variants) {
      const media = await this.#playlist(resolveUri(playlist.uri, variant.entry.uri))
      if (media === undefined) continue
      const checked = await this.#media(media)
      if (checked === undefined) continue
      checkVariant(playlist, variant, checked.media, checked.facts, checked.segmentBytes, this.#report)
    }
  }

  async #playlist(uri: string): Promise<Playlist | undefined> {
    const bytes = await this.#read(uri)
    if (bytes instanceof Uint8Array) return readPlaylist(bytes, uri, this.#report)
    this.#report('playlist-missing', bytes, { uri })
    return undefined
  }

  async #media(
    playlist: Playlist,
  ): Promise<{ media: MediaPlaylist; facts: SegmentFacts[]; segmentBytes: number[] } | undefined> {
    const tolerance = this.#options.toleranceSeconds ?? 0.05
    const media = readMediaPlaylist(playlist)
    checkMediaPlaylist(playlist, media, tolerance, this.#report)
    if (media.encrypted || media.segments.some(({ byteRange }) => byteRange)) return undefined
    if (media.segments.some(({ map }) => map !== undefined)) {
      await this.#cmaf(media)
      return undefined
    }
    const reader = new TransportStreamReader({
      ...this.#options.transportStream,
      payloads: false,
      independentSegments: media.independentSegments,
      discontinuities: media.segments.flatMap(({ discontinuity }, index) => (discontinuity ? [index] : [])),
    })
    const segmentBytes: number[] = []
    for (const segment of media.segments) {
      const bytes = await this.#segment(media, segment.uri, segment.line)
      segmentBytes.push(bytes?.byteLength ?? 0)
      // What is missing leaves a hole; a segment without packets would only repeat that.
      if (bytes !== undefined) reader.addSegment(bytes)
    }
    reader.finish()
    for (const { rule, message, ...place } of reader.findings.finish()) {
      const uri = place.segment === undefined ? media.uri : (media.segments[place.segment]?.uri ?? media.uri)
      this.#findings.report(rule, message, { ...place, uri })
    }
    const facts = segmentFacts(reader.listing)
    if (facts.length !== media.segments.length) return undefined
    checkSegmentTimes(media, facts, tolerance, this.#report)
    checkDiscontinuities(media, facts, this.#report)
    return { media, facts, segmentBytes }
  }

  /** CMAF: each run of segments with its initialization is a fragmented file. */
  async #cmaf(media: MediaPlaylist): Promise<void> {
    let pieces: Uint8Array[] = []
    let map: string | undefined
    const close = async (): Promise<void> => {
      if (pieces.length > 0) {
        const findings = await checkMp4(Buffer.concat(pieces))
        for (const { rule, message, ...place } of findings) {
          this.#findings.report(rule, message, { ...place, uri: map ?? media.uri })
        }
      }
      pieces = []
    }
    for (const segment of media.segments) {
      if (segment.map !== map || segment.discontinuity) {
        await close()
        map = segment.map
        const bytes = map === undefined ? undefined : await this.#segment(media, map, segment.line)
        if (bytes !== undefined) pieces.push(bytes)
      }
      const bytes = await this.#segment(media, segment.uri, segment.line)
      if (bytes !== undefined) pieces.push(bytes)
    }
    await close()
  }

  async #segment(media: MediaPlaylist, uri: string, line: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(resolveUri(media.uri, uri))
    if (bytes instanceof Uint8Array) return bytes
    this.#report('segment-missing', `${uri}: ${bytes}`, { uri: media.uri, line })
    return undefined
  }

  /** The bytes, or why there are none. */
  async #read(uri: string): Promise<Uint8Array | string> {
    try {
      return await this.#input.read(uri)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/** RFC 3986 §5, for absolute URIs and for relative ones without a base. */
function resolveUri(base: string, uri: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) return uri
  if (/^[a-z][a-z0-9+.-]*:/i.test(base)) return new URL(uri, base).href
  const root = 'rushes-base://host/'
  const resolved = new URL(uri, new URL(base, root)).pathname.slice(1)
  return decodeURIComponent(resolved)
}
