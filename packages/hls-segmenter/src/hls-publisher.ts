/** From finished segments to objects in the order in which they must be stored. */

import type { Emit, OutputObject } from '@rushes/media'
import { BitRateMeter } from './bit-rate.js'
import { MediaFacts, type Resolution } from './media-facts.js'
import { type MediaSegment, requiredVersion } from './media-playlist.js'
import { serializeMultivariantPlaylist } from './multivariant-playlist.js'
import { referredName, relativeUri } from './object-uri.js'
import { PlaylistLog } from './playlist-log.js'
import type { SegmenterSettings } from './segmenter-options.js'

/** Media type of both kinds of playlist. */
export const PLAYLIST_TYPE: string = 'application/vnd.apple.mpegurl'
/** A stored segment never changes: caches may keep it for a year, which is as long as they can be told. */
export const IMMUTABLE: string = 'max-age=31536000, immutable'
/** A playlist that will be written again. */
export const GROWING: string = 'no-cache'
// Headroom over the first segment, whose picture may have been still, and a floor that a camera at 720p stays under.
const DECLARED_HEADROOM = 3
const DECLARED_FLOOR = 2_500_000

/** The BANDWIDTH to declare where only the first segments are known, by their bit rate. */
export function declaredBandwidth(bitRate: number): number {
  return Math.max(DECLARED_HEADROOM * bitRate, DECLARED_FLOOR)
}

/** A segment whose bytes are complete. */
export interface FinishedSegment {
  /** Microseconds of recording time. */
  readonly startUs: number
  readonly endUs: number
  readonly discontinuity: boolean
  readonly body: readonly Uint8Array[]
  readonly bytes: number
  /** What EXT-X-MAP names, where the format has it. */
  readonly initialization: Uint8Array | undefined
}

/** What an HLS output turned out to be. */
export interface HlsSummary {
  readonly segments: number
  /** Sum of the EXTINF, microseconds. */
  readonly durationUs: number
  /** Recording time of the earliest presentation, microseconds; absent while there is no segment. */
  readonly startUs?: number
  /** Of all segments and initializations. */
  readonly bytes: number
  /** Peak segment bit rate (RFC 8216 §4.1), bit/s. */
  readonly peakBandwidth: number
  /** bit/s. */
  readonly averageBandwidth: number
  /** RFC 6381 strings, video first. */
  readonly codecs: readonly string[]
  readonly resolutions: readonly Resolution[]
  /** EXT-X-DISCONTINUITY tags written. */
  readonly discontinuities: number
  /** EXT-X-TARGETDURATION, seconds. */
  readonly targetDuration: number
  /** EXT-X-INDEPENDENT-SEGMENTS is (or, for `vod`, would now be) claimed. */
  readonly independentSegments: boolean
}

/**
 * Names and describes what the segmenter cuts. A segment goes out before the playlist that names it, a multivariant
 * playlist after the media playlist that it names. Keeps no media.
 */
export class HlsPublisher {
  readonly facts: MediaFacts
  readonly #settings: SegmenterSettings
  readonly #onRemoved: ((names: readonly string[]) => void) | undefined
  readonly #log: PlaylistLog
  readonly #meter: BitRateMeter | undefined
  // vod: the target duration, and with it the peak bit rate, is known only at the end.
  readonly #sizes: { readonly bytes: number; readonly durationUs: number }[] = []
  readonly #encoder = new TextEncoder()
  #version = 3
  #map: { readonly bytes: Uint8Array; readonly uri: string } | undefined
  #multivariantStored: boolean
  // Names that the next playlist does not mention any more.
  #leaving: string[] = []
  #segments = 0
  #removed = 0
  #durationUs = 0
  #longestUs = 0
  #startUs: number | undefined
  #bytes = 0
  #discontinuities = 0
  #leastTargetDuration = 1

  constructor(settings: SegmenterSettings, onRemoved: ((names: readonly string[]) => void) | undefined) {
    const { targetDuration, resume } = settings
    this.#settings = settings
    this.#onRemoved = onRemoved
    this.facts = new MediaFacts(settings.format.container)
    if (targetDuration !== undefined) this.#meter = new BitRateMeter(targetDuration)
    const window =
      settings.playlistType === 'live' && targetDuration !== undefined
        ? { segments: settings.windowSegments, minDurationUs: 3 * targetDuration * 1_000_000 }
        : undefined
    const old = resume?.playlist
    this.#log = new PlaylistLog(window, old?.mediaSequence, old?.discontinuitySequence)
    if (old !== undefined) {
      this.#version = Math.max(old.version, requiredVersion(old.segments))
      for (const segment of old.segments) this.#append(segment)
    }
    this.#multivariantStored = resume !== undefined && resume.multivariantStored !== false
  }

  /** Segments of this run. */
  get segments(): number {
    return this.#segments
  }

  /** Segments that left the window. */
  get removed(): number {
    return this.#removed
  }

  /** Stores a segment, and for `event` and `live` the playlist that names it; the last one brings EXT-X-ENDLIST. */
  publish(segment: FinishedSegment, independentSegments: boolean, last: boolean, emit: Emit<OutputObject>): void {
    const { settings, number } = { settings: this.#settings, number: this.#log.nextSequence + 1 }
    const name = settings.segmentName(number)
    const durationUs = segment.endUs - segment.startUs
    if (segment.initialization !== undefined) this.#publishMap(segment.initialization, number, emit)
    const { contentType } = settings.format
    emit({ type: 'object', name, contentType, cacheControl: IMMUTABLE, body: segment.body })
    this.#segments++
    this.#durationUs += durationUs
    this.#longestUs = Math.max(this.#longestUs, durationUs)
    this.#startUs ??= segment.startUs
    this.#bytes += segment.bytes
    if (segment.discontinuity) this.#discontinuities++
    if (this.#meter === undefined) this.#sizes.push({ bytes: segment.bytes, durationUs })
    else this.#meter.add(segment.bytes, durationUs)
    this.#append({
      uri: relativeUri(settings.mediaPlaylist, name),
      durationUs,
      discontinuity: segment.discontinuity,
      ...(settings.startedAtUs === undefined
        ? {}
        : { programDateTimeMs: Math.round((settings.startedAtUs + segment.startUs) / 1000) }),
      ...(this.#map === undefined ? {} : { map: { uri: this.#map.uri } }),
    })
    if (settings.playlistType === 'vod') return
    this.#emitMedia(independentSegments, last, emit)
    if (!this.#multivariantStored) {
      this.#multivariantStored = true
      const declared = declaredBandwidth(Math.ceil((segment.bytes * 8_000_000) / durationUs))
      this.#emitMultivariant(independentSegments, settings.bandwidth ?? declared, undefined, emit)
    }
  }

  /** `vod`: the target duration is at least this, whole seconds, as that of another rendition is. */
  raiseTargetDuration(seconds: number): void {
    this.#leastTargetDuration = Math.max(this.#leastTargetDuration, seconds)
  }

  /** Writes what is written at the end, where `publish` has not brought the end already. */
  finish(independentSegments: boolean, emit: Emit<OutputObject>): void {
    if (this.#log.length === 0) return
    this.#emitMedia(independentSegments, true, emit)
    if (this.#settings.playlistType !== 'vod') return
    const { peakBandwidth, averageBandwidth } = this.summary(independentSegments)
    this.#emitMultivariant(independentSegments, peakBandwidth, averageBandwidth, emit)
  }

  summary(independentSegments: boolean): HlsSummary {
    const meter = this.#meter ?? this.#measure()
    return {
      segments: this.#segments,
      durationUs: this.#durationUs,
      ...(this.#startUs === undefined ? {} : { startUs: this.#startUs }),
      bytes: this.#bytes,
      peakBandwidth: meter.peak,
      averageBandwidth: meter.average,
      codecs: this.facts.codecs,
      resolutions: this.facts.resolutions,
      discontinuities: this.#discontinuities,
      targetDuration: this.#targetDuration,
      independentSegments,
    }
  }

  get #targetDuration(): number {
    return this.#settings.targetDuration ?? Math.max(this.#leastTargetDuration, Math.round(this.#longestUs / 1_000_000))
  }

  #measure(): BitRateMeter {
    const meter = new BitRateMeter(this.#targetDuration)
    for (const { bytes, durationUs } of this.#sizes) meter.add(bytes, durationUs)
    return meter
  }

  #append(segment: MediaSegment): void {
    const { mediaPlaylist } = this.#settings
    for (const { uri } of this.#log.append(segment)) {
      this.#removed++
      this.#leaving.push(referredName(mediaPlaylist, uri))
    }
  }

  #publishMap(bytes: Uint8Array, number: number, emit: Emit<OutputObject>): void {
    if (this.#map !== undefined && isSameBytes(this.#map.bytes, bytes)) return
    const { initializationName, mediaPlaylist } = this.#settings
    const name = initializationName(number)
    this.#map = { bytes, uri: relativeUri(mediaPlaylist, name) }
    this.#version = 6
    this.#bytes += bytes.byteLength
    emit({ type: 'object', name, contentType: 'video/mp4', cacheControl: IMMUTABLE, body: [bytes.slice()] })
  }

  #emitMedia(independentSegments: boolean, endList: boolean, emit: Emit<OutputObject>): void {
    const { playlistType } = this.#settings
    const text = this.#log.serialize(
      {
        version: this.#version,
        targetDuration: this.#targetDuration,
        ...(playlistType === 'live' ? {} : { playlistType: playlistType === 'vod' ? 'VOD' : 'EVENT' }),
        independentSegments,
      },
      endList,
    )
    this.#emitPlaylist(this.#settings.mediaPlaylist, text, emit)
    if (this.#leaving.length === 0) return
    this.#onRemoved?.(this.#leaving)
    this.#leaving = []
  }

  #emitMultivariant(
    independentSegments: boolean,
    bandwidth: number,
    averageBandwidth: number | undefined,
    emit: Emit<OutputObject>,
  ): void {
    const { multivariantPlaylist: name, mediaPlaylist, frameRate, format } = this.#settings
    if (name === undefined) return
    const measured = averageBandwidth !== undefined
    const codecs = measured ? this.facts.codecsOf([]) : (this.#settings.codecs ?? this.facts.codecsOf(format.tracks))
    const resolution = this.facts.largest
    const text = serializeMultivariantPlaylist({
      version: this.#version,
      independentSegments,
      variants: [
        {
          uri: relativeUri(name, mediaPlaylist),
          bandwidth,
          ...(averageBandwidth === undefined ? {} : { averageBandwidth }),
          ...(codecs === undefined ? {} : { codecs }),
          ...(resolution === undefined ? {} : { resolution }),
          ...(frameRate === undefined || resolution === undefined ? {} : { frameRate }),
        },
      ],
    })
    this.#emitPlaylist(name, text, emit)
  }

  #emitPlaylist(name: string, text: string, emit: Emit<OutputObject>): void {
    const cacheControl = this.#settings.playlistType === 'vod' ? IMMUTABLE : GROWING
    emit({ type: 'object', name, contentType: PLAYLIST_TYPE, cacheControl, body: [this.#encoder.encode(text)] })
  }
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}
