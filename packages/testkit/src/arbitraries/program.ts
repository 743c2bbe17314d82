import { type EncodedSample, type Track, timescaleOf } from '@rushes/media'
import fc from 'fast-check'
import { type AudioFramesOptions, audioFrames } from './audio-frames.js'
import { type H264StreamOptions, h264Stream } from './h264-stream.js'

/** What tracks to generate. */
export interface ProgramOptions {
  /** false: no video. */
  readonly video?: H264StreamOptions | false
  /** false: no audio. @defaultValue AAC */
  readonly audio?: AudioFramesOptions | false
}

/** Tracks with their samples in the order of decoding, as an interleaver gives them to a container. */
export interface Program {
  readonly tracks: readonly Track[]
  readonly samples: readonly EncodedSample[]
}

/** A video and an audio track together. */
export function program(options: ProgramOptions = {}): fc.Arbitrary<Program> {
  const parts: fc.Arbitrary<{ readonly track: Track; readonly samples: readonly EncodedSample[] }>[] = []
  if (options.video !== false) parts.push(h264Stream(options.video))
  if (options.audio !== false) parts.push(audioFrames({ codec: 'aac', ...options.audio }))
  return fc.tuple(...parts).map((streams) => ({
    tracks: streams.map(({ track }) => track),
    samples: streams
      .flatMap(({ track, samples }) => samples.map((sample) => ({ sample, at: sample.dts / timescaleOf(track) })))
      .sort((a, b) => a.at - b.at)
      .map(({ sample }) => sample),
  }))
}
