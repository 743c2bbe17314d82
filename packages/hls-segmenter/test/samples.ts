import type { AudioTrack, EncodedSample, OutputObject, TimedItem, VideoConfiguration, VideoTrack } from '@rushes/media'
import { HlsSegmenter, type HlsSegmenterOptions, type MediaPlaylist, parseMediaPlaylist } from '../src/index.js'
import { linesOf, RecordingFormat } from './recording-format.js'

export const camera: VideoTrack = { id: 'camera', kind: 'video', codec: 'h264', clockRate: 90_000 }
export const screen: VideoTrack = { id: 'screen', kind: 'video', codec: 'h264', clockRate: 90_000 }
export const microphone: AudioTrack = { id: 'microphone', kind: 'audio', codec: 'aac', clockRate: 48_000 }

export function videoConfiguration(width = 640, height = 360): VideoConfiguration {
  return {
    kind: 'video',
    codec: 'h264',
    codecString: 'avc1.42c01f',
    width,
    height,
    rotation: 0,
    reorderDepth: 0,
    parameterSets: { sps: [new Uint8Array([0x67, width & 255])], pps: [new Uint8Array([0x68])] },
  }
}

const audioConfiguration = {
  kind: 'audio',
  codec: 'aac',
  codecString: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 1,
} as const

/** A picture at `seconds`; `extra` overrides. */
export function picture(seconds: number, keyframe: boolean, extra: Partial<EncodedSample> = {}): EncodedSample {
  const ticks = Math.round(seconds * 90_000)
  return { type: 'sample', trackId: 'camera', data: [], pts: ticks, dts: ticks, keyframe, ...extra }
}

/** An AAC frame of 1024 samples at `seconds`. */
export function sound(seconds: number, extra: Partial<EncodedSample> = {}): EncodedSample {
  const ticks = Math.round(seconds * 48_000)
  return {
    type: 'sample',
    trackId: 'microphone',
    data: new Uint8Array(0),
    pts: ticks,
    dts: ticks,
    duration: 1024,
    keyframe: true,
    ...extra,
  }
}

/** Pictures at 30 a second in [from, to), a keyframe where `isKeyframe` says so; the first has a configuration. */
export function video(
  from: number,
  to: number,
  isKeyframe: (seconds: number, index: number) => boolean,
): EncodedSample[] {
  const samples: EncodedSample[] = []
  for (let index = 0; from + index / 30 < to - 1e-9; index++) {
    const seconds = from + index / 30
    const first = index === 0 ? { configuration: videoConfiguration() } : {}
    samples.push(picture(seconds, isKeyframe(seconds, index), { duration: 3000, ...first }))
  }
  return samples
}

/** AAC frames in [from, to); the first has a configuration. */
export function audio(from: number, to: number): EncodedSample[] {
  const samples: EncodedSample[] = []
  for (let seconds = from; seconds < to - 1e-9; seconds += 1024 / 48_000) {
    samples.push(sound(seconds, samples.length === 0 ? { configuration: audioConfiguration } : {}))
  }
  return samples
}

/** True every `seconds`, for pictures at 30 a second. */
export function every(seconds: number): (at: number, index: number) => boolean {
  return (_at, index) => index % Math.round(seconds * 30) === 0
}

/** Items of several tracks by DTS. */
export function merge(...tracks: readonly (readonly EncodedSample[])[]): EncodedSample[] {
  const scale = (sample: EncodedSample): number => (sample.trackId === 'microphone' ? 48_000 : 90_000)
  return tracks.flat().sort((a, b) => a.dts / scale(a) - b.dts / scale(b))
}

export interface Run {
  readonly segmenter: HlsSegmenter
  readonly format: RecordingFormat
  readonly objects: OutputObject[]
  readonly segments: { readonly name: string; readonly lines: string[] }[]
  /** Every version of the media playlist, in order. */
  readonly playlists: string[]
  /** The last version. */
  readonly playlist: MediaPlaylist
  readonly signals: string[]
  readonly removed: string[]
}

type Options = Partial<HlsSegmenterOptions>

/** Runs items through a segmenter, to the end. */
export function run(options: Options, items: readonly TimedItem[], prepare?: (segmenter: HlsSegmenter) => void): Run {
  const format = new RecordingFormat([camera, microphone])
  const signals: string[] = []
  const removed: string[] = []
  let nowUs = 0
  const segmenter = new HlsSegmenter({
    format,
    onSignal: ({ trackId, reason }) => signals.push(`${trackId} ${reason} ${(nowUs / 1e6).toFixed(2)}`),
    onRemoved: (names) => removed.push(...names),
    ...options,
  })
  prepare?.(segmenter)
  const objects: OutputObject[] = []
  const emit = (object: OutputObject): void => void objects.push(object)
  for (const item of items) {
    if (item.type === 'sample') nowUs = (item.dts / (item.trackId === 'microphone' ? 48_000 : 90_000)) * 1e6
    segmenter.push(item, emit)
  }
  segmenter.flush(emit)
  const result = view(objects)
  return Object.defineProperties(result, {
    segmenter: { value: segmenter },
    format: { value: options.format ?? format },
    signals: { value: signals },
    removed: { value: removed },
  }) as unknown as Run
}

/** The objects by kind. */
export function view(objects: OutputObject[]): Pick<Run, 'objects' | 'segments' | 'playlists' | 'playlist'> {
  const playlists = objects.filter(({ name }) => name.endsWith('media.m3u8')).map(textOf)
  return {
    objects,
    segments: objects
      .filter(({ name }) => name.endsWith('.ts'))
      .map(({ name, body }) => ({ name, lines: linesOf(body) })),
    playlists,
    get playlist() {
      return parseMediaPlaylist(playlists.at(-1) ?? '')
    },
  }
}

export function textOf({ body }: OutputObject): string {
  return Buffer.concat(body).toString()
}

/** EXTINF of all segments, in seconds. */
export function durations({ playlist }: Run): number[] {
  return playlist.segments.map(({ durationUs }) => durationUs / 1e6)
}
