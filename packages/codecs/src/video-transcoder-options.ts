import { ConfigurationError, type VideoTrack } from '@rushes/media'
import type { H264Preset } from './node-av-h264-encoder.js'
import type { PictureSize } from './picture-fit.js'

/** How a track of pictures becomes H264. */
export interface VideoTranscoderOptions {
  /** Any video codec. */
  readonly track: VideoTrack
  /** Bits per second on average, 10,000 to 100,000,000. @defaultValue none: `crf` rules */
  readonly bitRate?: number
  /** x264's constant rate factor, 0 (best) to 51. Not together with `bitRate`. @defaultValue 23 */
  readonly crf?: number
  /** @defaultValue 'veryfast' */
  readonly preset?: H264Preset
  /** Most seconds from one keyframe to the next, 0.1 to 3600. @defaultValue 2 */
  readonly keyframeInterval?: number
  /** Pictures per second that the rate control starts from, 1 to 240; times may be irregular. @defaultValue 30 */
  readonly frameRate?: number
  /** Pixels, at least 16: larger pictures are made smaller in proportion. @defaultValue none */
  readonly maxWidth?: number
  /** As `maxWidth`. */
  readonly maxHeight?: number
  /**
   * One size for all pictures, even, at least 16, not together with the two above: each is put into it as large as it
   * fits, with black around. @defaultValue that of the input, and a new configuration where it changes
   */
  readonly size?: PictureSize
}

const CODECS: readonly string[] = ['vp8', 'vp9', 'av1', 'h265', 'h264']
const PRESETS: readonly string[] = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium']
/** The most that level 6.2 of H264 allows for a side of a 16:9 picture. */
const MAX_SIDE = 8192

/** Throws ConfigurationError. */
export function checkVideoTranscoderOptions(options: VideoTranscoderOptions): void {
  const { track, bitRate, crf, preset, size } = options
  if (!CODECS.includes(track.codec)) {
    throw new ConfigurationError('track.codec', `must be one of ${CODECS.join(', ')}`, track.codec)
  }
  if (bitRate !== undefined && crf !== undefined) {
    throw new ConfigurationError('crf', 'cannot be given together with bitRate', crf)
  }
  if (preset !== undefined && !PRESETS.includes(preset)) {
    throw new ConfigurationError('preset', `must be one of ${PRESETS.join(', ')}`, preset)
  }
  checkNumber('bitRate', bitRate, 10_000, 100_000_000, true)
  checkNumber('crf', crf, 0, 51, false)
  checkNumber('keyframeInterval', options.keyframeInterval, 0.1, 3600, false)
  checkNumber('frameRate', options.frameRate, 1, 240, false)
  checkNumber('maxWidth', options.maxWidth, 16, MAX_SIDE, true)
  checkNumber('maxHeight', options.maxHeight, 16, MAX_SIDE, true)
  if (size === undefined) return
  if (options.maxWidth !== undefined || options.maxHeight !== undefined) {
    throw new ConfigurationError('size', 'cannot be given together with maxWidth or maxHeight')
  }
  for (const side of ['width', 'height'] as const) {
    checkNumber(`size.${side}`, size[side], 16, MAX_SIDE, true)
    if (size[side] % 2 !== 0) throw new ConfigurationError(`size.${side}`, 'must be even', size[side])
  }
}

function checkNumber(field: string, value: number | undefined, from: number, to: number, whole: boolean): void {
  if (value === undefined || (value >= from && value <= to && (!whole || Number.isInteger(value)))) return
  throw new ConfigurationError(field, `must be ${whole ? 'an integer' : 'a number'} from ${from} to ${to}`, value)
}
