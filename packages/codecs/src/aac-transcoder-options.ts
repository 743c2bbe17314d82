import { type AacEncoding, checkAacEncoding } from './aac-encoder-options.js'
import { checkPcmDecoderOptions, type PcmDecoderOptions } from './pcm-decoder-options.js'

/** How a track of sound becomes AAC. */
export interface AacTranscoderOptions extends PcmDecoderOptions, AacEncoding {}

/** Throws ConfigurationError. */
export function checkAacTranscoderOptions(options: AacTranscoderOptions): void {
  checkPcmDecoderOptions(options)
  checkAacEncoding(options)
}
