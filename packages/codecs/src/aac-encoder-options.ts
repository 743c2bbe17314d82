import { ConfigurationError } from '@rushes/media'
import type { AacEncoderName } from './node-av-aac-encoder.js'
import { checkPcmShape } from './pcm-decoder-options.js'

/** What AAC may cost, and who makes it. */
export interface AacEncoding {
  /** Bits per second, 8,000 to 320,000. @defaultValue 64,000 for mono, 128,000 for stereo */
  readonly bitRate?: number
  /** @defaultValue 'aac' */
  readonly encoder?: AacEncoderName
}

/** How sound becomes AAC. */
export interface AacEncoderOptions extends AacEncoding {
  readonly trackId: string
  /** Hz. */
  readonly sampleRate: 44_100 | 48_000
  readonly channels: 1 | 2
  /** Samples from recording time zero to the first one that comes in. @defaultValue 0 */
  readonly position?: number
}

/** Throws ConfigurationError. */
export function checkAacEncoderOptions(options: AacEncoderOptions): void {
  checkPcmShape(options)
  checkAacEncoding(options)
  if (options.position !== undefined && !Number.isSafeInteger(options.position)) {
    throw new ConfigurationError('position', 'must be an integer number of samples', options.position)
  }
}

/** Throws ConfigurationError. */
export function checkAacEncoding({ bitRate, encoder }: AacEncoding): void {
  if (bitRate !== undefined && !(Number.isInteger(bitRate) && bitRate >= 8_000 && bitRate <= 320_000)) {
    throw new ConfigurationError('bitRate', 'must be an integer from 8000 to 320000', bitRate)
  }
  if (encoder !== undefined && encoder !== 'aac' && encoder !== 'libfdk_aac') {
    throw new ConfigurationError('encoder', "must be 'aac' or 'libfdk_aac'", encoder)
  }
}
