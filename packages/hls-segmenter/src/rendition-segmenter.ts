/** Sound as renditions of its own beside the video (RFC 8216 §4.3.4.1): several segmenters in step. */

import {
  ConfigurationError,
  type Emit,
  type OutputObject,
  type SegmentFormat,
  type Stage,
  type TimedItem,
  type Track,
  ticksToUs,
  timescaleOf,
  usToTicks,
} from '@rushes/media'
import { BoundaryQueue } from './boundary-queue.js'
import { declaredBandwidth, GROWING, type HlsSummary, IMMUTABLE, PLAYLIST_TYPE } from './hls-publisher.js'
import { HlsSegmenter, type HlsSegmenterStats } from './hls-segmenter.js'
import { type AudioRendition, serializeMultivariantPlaylist } from './multivariant-playlist.js'
import { relativeUri } from './object-uri.js'
import type { HlsNames, HlsSegmenterOptions } from './segmenter-options.js'

/** One audio rendition. */
export interface AudioRenditionOptions {
  /** Its tracks are sound only. The segmenter owns it from here on. */
  readonly format: SegmentFormat
  /** NAME, for people, unlike all others. */
  readonly name: string
  /** LANGUAGE (RFC 5646). */
  readonly language?: string
  /** @defaultValue a folder of its own: `audio-1/media.m3u8`, `audio-1/segment-00001.m4s` and so on */
  readonly names?: Omit<HlsNames, 'multivariantPlaylist'>
}

/** As of one segmenter, and the renditions beside it. Not to be resumed after a crash. */
export interface RenditionSegmenterOptions extends Omit<HlsSegmenterOptions, 'names' | 'resume'> {
  /** The variant stream: its video decides where all renditions are cut. */
  readonly format: SegmentFormat
  /** Of the variant stream. @defaultValue in a folder `video`, the multivariant playlist `index.m3u8` outside */
  readonly names?: HlsNames
  /** At least one; the first is the default. */
  readonly audio: readonly AudioRenditionOptions[]
}

/** The counters of each segmenter. */
export interface RenditionSegmenterStats {
  readonly variant: HlsSegmenterStats
  readonly audio: readonly HlsSegmenterStats[]
  readonly unknownTrack: number
}

interface Rendition {
  readonly segmenter: HlsSegmenter
  readonly mediaPlaylist: string
  readonly tracks: Track[]
  readonly audio?: AudioRenditionOptions
}

const GROUP_ID = 'audio'
/** A rendition that has sent nothing after so many segments of the variant is left out of a growing presentation. */
const PATIENCE_SEGMENTS = 3

/**
 * Drives one {@link HlsSegmenter} for each rendition and writes one multivariant playlist. Takes interleaved items. Sound
 * is cut where the video is, at its first frame from there on, and every EXT-X-DISCONTINUITY of the video stands in all
 * playlists; all have one target duration.
 */
export class RenditionSegmenter implements Stage<TimedItem, OutputObject> {
  readonly #options: RenditionSegmenterOptions
  readonly #multivariantName: string | undefined
  readonly #renditions: readonly Rendition[]
  readonly #byTrack = new Map<string, { readonly rendition: Rendition; readonly timescale: number }>()
  #isMultivariantStored = false
  #unknownTrack = 0

  /** Throws `ConfigurationError`. */
  constructor(options: RenditionSegmenterOptions) {
    const { audio, names = {}, ...shared } = options
    if (audio.length === 0) throw new ConfigurationError('audio', 'must hold at least one rendition')
    if (new Set(audio.map(({ name }) => name)).size !== audio.length) {
      throw new ConfigurationError('audio', 'names must differ')
    }
    this.#options = options
    this.#multivariantName =
      names.multivariantPlaylist === false ? undefined : (names.multivariantPlaylist ?? 'index.m3u8')
    const followers = audio.map((rendition, index) => {
      if (rendition.format.tracks.some(({ kind }) => kind !== 'audio')) {
        throw new ConfigurationError(`audio[${index}].format`, 'must have sound only', rendition.name)
      }
      const boundaries = new BoundaryQueue()
      const full = inFolder(`audio-${index + 1}`, rendition.format, rendition.names ?? {})
      const { format } = rendition
      const segmenter = new HlsSegmenter({ ...shared, format, names: full }, { boundaries })
      return {
        boundaries,
        names: full,
        rendition: { segmenter, mediaPlaylist: full.mediaPlaylist, tracks: [], audio: rendition },
      }
    })
    let begun = 0
    const full = inFolder('video', options.format, names)
    const leader = new HlsSegmenter(
      { ...shared, names: full },
      {
        onBegin: (boundary) => {
          // Before the first there is nothing to cut off: sound may begin earlier.
          if (begun++ > 0) for (const { boundaries } of followers) boundaries.push(boundary)
        },
      },
    )
    this.#renditions = [
      { segmenter: leader, mediaPlaylist: full.mediaPlaylist, tracks: [] },
      ...followers.map(({ rendition }) => rendition),
    ]
    this.#checkNames([full, ...followers.map(({ names }) => names)])
    for (const rendition of this.#renditions) {
      for (const track of (rendition.audio?.format ?? options.format).tracks) this.#own(rendition, track)
    }
  }

  /** Announces a track of the variant (video) or of the audio rendition with that index that starts late. */
  addTrack(track: Track, audioIndex = 0): void {
    const rendition = this.#renditions[track.kind === 'video' ? 0 : audioIndex + 1]
    if (rendition === undefined) throw new ConfigurationError('audioIndex', 'must be of an audio rendition', audioIndex)
    if (this.#byTrack.has(track.id)) throw new ConfigurationError('track.id', 'must be unique', track.id)
    rendition.segmenter.addTrack(track)
    this.#own(rendition, track)
  }

  get stats(): RenditionSegmenterStats {
    const [variant, ...audio] = this.#renditions.map(({ segmenter }) => segmenter.stats)
    return { variant: variant as HlsSegmenterStats, audio, unknownTrack: this.#unknownTrack }
  }

  /** What has been written so far, the variant first; complete after `flush`. */
  summaries(): readonly HlsSummary[] {
    return this.#renditions.map(({ segmenter }) => segmenter.summary())
  }

  push(item: TimedItem, emit: Emit<OutputObject>): void {
    const owner = this.#byTrack.get(item.trackId)
    if (owner === undefined) {
      this.#unknownTrack++
      return
    }
    if (item.type === 'watermark') {
      // Combined: it speaks for the tracks of all renditions.
      const us = ticksToUs(item.dts, owner.timescale)
      for (const { segmenter, tracks } of this.#renditions) {
        const [track] = tracks
        if (track === undefined) continue
        segmenter.push({ type: 'watermark', trackId: track.id, dts: usToTicks(us, timescaleOf(track)) }, emit)
      }
    } else owner.rendition.segmenter.push(item, emit)
    if (!this.#isMultivariantStored && !this.#isVod) this.#emitWhenAllBegan(emit)
  }

  flush(emit: Emit<OutputObject>): void {
    for (const { segmenter } of this.#renditions) segmenter.endSegment(emit)
    const targetDuration = Math.max(...this.summaries().map((summary) => summary.targetDuration))
    for (const { segmenter } of this.#renditions) segmenter.flush(emit, targetDuration)
    if (!this.#isMultivariantStored) this.#emitMultivariant(emit)
  }

  get #isVod(): boolean {
    return (this.#options.playlistType ?? 'vod') === 'vod'
  }

  /** One object must not overwrite another. */
  #checkNames(all: readonly FullNames[]): void {
    const names = all.flatMap((each) => [each.mediaPlaylist, each.segment(1), each.initialization(1)])
    if (this.#multivariantName !== undefined) names.push(this.#multivariantName)
    const twice = names.find((name, index) => names.indexOf(name) < index)
    if (twice !== undefined) throw new ConfigurationError('names', 'must differ between renditions', twice)
  }

  #own(rendition: Rendition, track: Track): void {
    if (this.#byTrack.has(track.id)) throw new ConfigurationError('audio', 'track ids must differ', track.id)
    rendition.tracks.push(track)
    this.#byTrack.set(track.id, { rendition, timescale: timescaleOf(track) })
  }

  #emitWhenAllBegan(emit: Emit<OutputObject>): void {
    const [variant, ...audio] = this.#renditions.map(({ segmenter }) => segmenter.stats.segments) as [
      number,
      ...number[],
    ]
    if (variant === 0) return
    if (audio.every((segments) => segments > 0) || variant >= PATIENCE_SEGMENTS) this.#emitMultivariant(emit)
  }

  #emitMultivariant(emit: Emit<OutputObject>): void {
    const name = this.#multivariantName
    const written = this.#renditions
      .map((rendition) => ({ rendition, summary: rendition.segmenter.summary() }))
      .filter(({ summary }) => summary.segments > 0)
    const [variant] = written
    if (name === undefined || variant === undefined) return
    this.#isMultivariantStored = true
    const { codecs: declaredCodecs, frameRate } = this.#options
    const summaries = written.map(({ summary }) => summary)
    const sum = (of: (summary: HlsSummary) => number): number => summaries.reduce((total, each) => total + of(each), 0)
    const average = sum(({ averageBandwidth }) => averageBandwidth)
    const codecs = [...new Set((!this.#isVod && declaredCodecs) || summaries.flatMap((summary) => summary.codecs))]
    const [resolution] = [...variant.summary.resolutions].sort((a, b) => b.width * b.height - a.width * a.height)
    const audio = written.flatMap(({ rendition }) => (rendition.audio === undefined ? [] : [rendition]))
    const text = serializeMultivariantPlaylist({
      // 4 has EXT-X-MEDIA, 6 has EXT-X-MAP (RFC 8216 §7).
      version: this.#options.format.container === 'cmaf' ? 6 : 4,
      independentSegments: summaries.every(({ independentSegments }) => independentSegments),
      ...(audio.length === 0 ? {} : { audio: audio.map((each, index) => audioRendition(name, each, index === 0)) }),
      variants: [
        {
          uri: relativeUri(name, variant.rendition.mediaPlaylist),
          ...(this.#isVod
            ? { bandwidth: sum(({ peakBandwidth }) => peakBandwidth), averageBandwidth: average }
            : { bandwidth: Math.ceil(this.#options.bandwidth ?? declaredBandwidth(average)) }),
          ...(codecs.length === 0 ? {} : { codecs }),
          ...(resolution === undefined ? {} : { resolution }),
          ...(frameRate === undefined || resolution === undefined ? {} : { frameRate }),
          ...(audio.length === 0 || variant.rendition.audio !== undefined ? {} : { audioGroup: GROUP_ID }),
        },
      ],
    })
    const body = [new TextEncoder().encode(text)]
    const cacheControl = this.#isVod ? IMMUTABLE : GROWING
    emit({ type: 'object', name, contentType: PLAYLIST_TYPE, cacheControl, body })
  }
}

function audioRendition(from: string, { audio, mediaPlaylist }: Rendition, isDefault: boolean): AudioRendition {
  return {
    groupId: GROUP_ID,
    name: audio?.name ?? '',
    ...(audio?.language === undefined ? {} : { language: audio.language }),
    uri: relativeUri(from, mediaPlaylist),
    isDefault,
    autoselect: true,
  }
}

type FullNames = Required<Omit<HlsNames, 'multivariantPlaylist'>> & { readonly multivariantPlaylist: false }

function inFolder(folder: string, { extension }: SegmentFormat, names: HlsNames): FullNames {
  const padded = (number: number): string => String(number).padStart(5, '0')
  return {
    mediaPlaylist: `${folder}/media.m3u8`,
    segment: (number) => `${folder}/segment-${padded(number)}.${extension}`,
    initialization: (number) => `${folder}/init-${padded(number)}.mp4`,
    ...names,
    multivariantPlaylist: false,
  }
}
