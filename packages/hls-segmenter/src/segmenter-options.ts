/** The options of the segmenter, checked and with their defaults filled in. */

import { ConfigurationError, type Emit, type SegmentFormat, type Signal } from '@rushes/media'
import type { MediaPlaylist } from './media-playlist.js'

/** What the objects are called: relative to the sink's prefix, `/` between components. */
export interface HlsNames {
  /** @defaultValue `media.m3u8` */
  readonly mediaPlaylist?: string
  /** `false`: none is written. @defaultValue `index.m3u8` */
  readonly multivariantPlaylist?: string | false
  /** By number, from 1; the number is the media sequence number plus 1. @defaultValue `segment-00001.ts` and so on */
  readonly segment?: (number: number) => string
  /** What EXT-X-MAP names, by the number of the first segment that needs it. @defaultValue `init-00001.mp4` and so on */
  readonly initialization?: (number: number) => string
}

/** Goes on with a playlist that a crash left without its end. */
export interface HlsResume {
  /** The playlist as it was last stored: `parseMediaPlaylist` of it. */
  readonly playlist: MediaPlaylist
  /** Whether the multivariant playlist is stored as well; if not, it is written anew. @defaultValue true */
  readonly multivariantStored?: boolean
}

/** How an `HlsSegmenter` cuts, names and describes. */
export interface HlsSegmenterOptions {
  /** The container. The segmenter drives it and owns it from here on. */
  readonly format: SegmentFormat
  /** Seconds: the aim. A segment ends at the first keyframe that is at least so far from its start. @defaultValue 6 */
  readonly segmentDuration?: number
  /**
   * Whole seconds: EXT-X-TARGETDURATION, the declared ceiling of `event` and `live`, which no rounded EXTINF exceeds.
   * Computed for `vod`. @defaultValue ceil(2 x segmentDuration)
   */
  readonly targetDuration?: number
  /** Seconds: the ceiling of `vod`, which bounds memory where keyframes stay away. @defaultValue 5 x segmentDuration */
  readonly maxSegmentDuration?: number
  /**
   * `vod`: playlists at the end; `event`: playlist grows with each segment; `live`: playlist is a sliding window.
   * @defaultValue 'vod'
   */
  readonly playlistType?: 'vod' | 'event' | 'live'
  /**
   * Segments in the window of `live`. More stay while the window would be shorter than three target durations
   * (RFC 8216 §6.2.2). @defaultValue 6
   */
  readonly windowSegments?: number
  /** Microseconds since 1970-01-01T00:00Z of recording time 0 (tick 0 of every track), for EXT-X-PROGRAM-DATE-TIME. Without it there is none. */
  readonly startedAtUs?: number
  readonly names?: HlsNames
  /**
   * BANDWIDTH to declare in the multivariant playlist of `event` and `live`, bit/s.
   * @defaultValue three times the bit rate of the first segment, at least 2,500,000
   */
  readonly bandwidth?: number
  /**
   * CODECS to declare in the multivariant playlist of `event` and `live`, for a host that knows what senders may turn
   * to: browsers raise the H.264 level in mid-call. RFC 6381 strings.
   * @defaultValue what the first segment has; no CODECS while a video track has not shown its profile
   */
  readonly codecs?: readonly string[]
  /** FRAME-RATE to declare, frames per second. Without it there is none. */
  readonly frameRate?: number
  /**
   * What happens where no keyframe comes before the ceiling. `cut`: cut there all the same, and never have claimed
   * EXT-X-INDEPENDENT-SEGMENTS (`vod`, which is written at the end, claims it where it came true). `discontinuity`:
   * leave video out until the next keyframe, with EXT-X-DISCONTINUITY, and claim it from the start.
   * @defaultValue 'cut'
   */
  readonly overdue?: 'cut' | 'discontinuity'
  readonly resume?: HlsResume
  /** Asked for keyframes: at the start, for a late track, and once per segment where the aim passed without one. */
  readonly onSignal?: Emit<Signal>
  /** Told the names of objects that left the window of `live`. They should stay for some time: RFC 8216 §6.2.2. */
  readonly onRemoved?: (names: readonly string[]) => void
}

/** As the segmenter uses them: times in microseconds. */
export interface SegmenterSettings {
  readonly format: SegmentFormat
  readonly playlistType: 'vod' | 'event' | 'live'
  readonly overdue: 'cut' | 'discontinuity'
  readonly aimUs: number
  /** Media time that a segment may hold before it is cut wherever it is. */
  readonly limitUs: number
  /** From here on after a segment's start a keyframe is asked for, and taken. */
  readonly requestUs: number
  /** EXT-X-TARGETDURATION where it is declared. */
  readonly targetDuration: number | undefined
  /** EXT-X-INDEPENDENT-SEGMENTS where it is declared beforehand. */
  readonly independentSegments: boolean
  readonly windowSegments: number
  readonly startedAtUs: number | undefined
  readonly mediaPlaylist: string
  readonly multivariantPlaylist: string | undefined
  readonly segmentName: (number: number) => string
  readonly initializationName: (number: number) => string
  readonly bandwidth: number | undefined
  readonly codecs: readonly string[] | undefined
  readonly frameRate: number | undefined
  readonly resume: HlsResume | undefined
}

// A keyframe that is asked for takes a round trip and an encoder's next picture; a second is ample for both.
const KEYFRAME_LEAD_US = 1_000_000

/** Throws `ConfigurationError`. */
export function resolveOptions(options: HlsSegmenterOptions): SegmenterSettings {
  const { format, resume, names = {} } = options
  const playlistType = oneOf('playlistType', options.playlistType ?? 'vod', ['vod', 'event', 'live'])
  const overdue = oneOf('overdue', options.overdue ?? 'cut', ['cut', 'discontinuity'])
  const segmentDuration = above0('segmentDuration', options.segmentDuration ?? 6)
  const aimUs = Math.round(segmentDuration * 1_000_000)
  const targetDuration = resolveTargetDuration(options, playlistType, segmentDuration)
  const maxSegmentDuration = above0('maxSegmentDuration', options.maxSegmentDuration ?? 5 * segmentDuration)
  if (maxSegmentDuration < segmentDuration) {
    throw new ConfigurationError(
      'maxSegmentDuration',
      `must be at least segmentDuration (${segmentDuration})`,
      maxSegmentDuration,
    )
  }
  const limitUs = targetDuration === undefined ? Math.round(maxSegmentDuration * 1_000_000) : longestUs(targetDuration)
  const windowSegments = options.windowSegments ?? 6
  if (!Number.isSafeInteger(windowSegments) || windowSegments < 1) {
    throw new ConfigurationError('windowSegments', 'must be an integer from 1 on', windowSegments)
  }
  const videoTracks = format.tracks.filter(({ kind }) => kind === 'video').length
  let independentSegments = playlistType !== 'vod' && overdue === 'discontinuity' && videoTracks <= 1
  if (resume !== undefined) {
    checkResume(resume.playlist, playlistType, overdue)
    // What was not claimed of the segments that are there cannot be claimed of all of them now.
    independentSegments = resume.playlist.independentSegments
  }
  return {
    format,
    playlistType,
    overdue,
    aimUs,
    limitUs,
    requestUs:
      targetDuration === undefined
        ? aimUs
        : Math.min(aimUs, Math.max(aimUs / 2, targetDuration * 1_000_000 - KEYFRAME_LEAD_US)),
    targetDuration,
    independentSegments,
    windowSegments,
    startedAtUs: integer('startedAtUs', options.startedAtUs),
    ...resolveNames(names, format),
    bandwidth: options.bandwidth === undefined ? undefined : Math.ceil(above0('bandwidth', options.bandwidth)),
    codecs: checkCodecs(options.codecs),
    frameRate: options.frameRate === undefined ? undefined : above0('frameRate', options.frameRate),
    resume,
  }
}

/** The longest EXTINF, in microseconds, that rounds to no more than `targetDuration` seconds. */
export function longestUs(targetDuration: number): number {
  return targetDuration * 1_000_000 + 499_999
}

function resolveTargetDuration(
  options: HlsSegmenterOptions,
  playlistType: 'vod' | 'event' | 'live',
  segmentDuration: number,
): number | undefined {
  const { targetDuration: given, resume } = options
  if (playlistType === 'vod') {
    if (given === undefined) return undefined
    throw new ConfigurationError('targetDuration', 'is computed for vod; maxSegmentDuration is its ceiling', given)
  }
  const targetDuration = given ?? resume?.playlist.targetDuration ?? Math.ceil(2 * segmentDuration)
  if (!Number.isSafeInteger(targetDuration) || targetDuration < 1 || targetDuration < Math.round(segmentDuration)) {
    throw new ConfigurationError('targetDuration', 'must be whole seconds, at least segmentDuration', targetDuration)
  }
  if (resume !== undefined && targetDuration !== resume.playlist.targetDuration) {
    const rule = `must stay what the resumed playlist says (${resume.playlist.targetDuration})`
    throw new ConfigurationError('targetDuration', rule, targetDuration)
  }
  return targetDuration
}

function checkResume(playlist: MediaPlaylist, playlistType: 'vod' | 'event' | 'live', overdue: string): void {
  const field = 'resume.playlist'
  if (playlistType === 'vod')
    throw new ConfigurationError('resume', 'a vod playlist is written at once and never resumed')
  if (playlist.endList) throw new ConfigurationError(field, 'has ended; a finished playlist never grows again')
  const expected = playlistType === 'event' ? 'EVENT' : undefined
  if (playlist.playlistType !== expected) {
    throw new ConfigurationError(
      `${field}.playlistType`,
      `must be ${expected} for '${playlistType}'`,
      playlist.playlistType,
    )
  }
  if (playlist.independentSegments && overdue !== 'discontinuity') {
    throw new ConfigurationError(
      'overdue',
      "must be 'discontinuity': the resumed playlist claims independent segments",
      overdue,
    )
  }
}

type Names = Pick<SegmenterSettings, 'mediaPlaylist' | 'multivariantPlaylist' | 'segmentName' | 'initializationName'>

function resolveNames(names: HlsNames, { extension }: SegmentFormat): Names {
  const mediaPlaylist = name('names.mediaPlaylist', names.mediaPlaylist ?? 'media.m3u8')
  const multivariant = names.multivariantPlaylist ?? 'index.m3u8'
  const segmentName = names.segment ?? ((number: number) => `segment-${String(number).padStart(5, '0')}.${extension}`)
  if (name('names.segment', segmentName(1)) === name('names.segment', segmentName(2))) {
    throw new ConfigurationError('names.segment', 'must give each segment its own name', segmentName(1))
  }
  if (multivariant === mediaPlaylist) {
    throw new ConfigurationError('names.multivariantPlaylist', 'must differ from names.mediaPlaylist', multivariant)
  }
  return {
    mediaPlaylist,
    multivariantPlaylist: multivariant === false ? undefined : name('names.multivariantPlaylist', multivariant),
    segmentName,
    initializationName: names.initialization ?? ((number: number) => `init-${String(number).padStart(5, '0')}.mp4`),
  }
}

function name(field: string, value: string): string {
  const components = value.split('/')
  if (components.some((component) => component === '' || component === '.' || component === '..')) {
    throw new ConfigurationError(field, 'must be a relative name without empty, . or .. components', value)
  }
  return value
}

function checkCodecs(codecs: readonly string[] | undefined): readonly string[] | undefined {
  if (codecs === undefined) return undefined
  if (codecs.length === 0 || codecs.some((codec) => !/^[\w.-]+$/.test(codec))) {
    throw new ConfigurationError('codecs', 'must be RFC 6381 strings, one for each format', codecs)
  }
  return codecs
}

function above0(field: string, value: number): number {
  if (!(value > 0 && Number.isFinite(value))) throw new ConfigurationError(field, 'must be above 0', value)
  return value
}

function integer(field: string, value: number | undefined): number | undefined {
  if (value !== undefined && !Number.isSafeInteger(value)) {
    throw new ConfigurationError(field, 'must be whole microseconds', value)
  }
  return value
}

function oneOf<T extends string>(field: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new ConfigurationError(field, `must be one of ${allowed.join(', ')}`, value)
  return value
}
