import type { AacEncoding, ConcealedGap, Concealment } from '@rushes/codecs'
import { ConfigurationError } from '@rushes/media'
import { checkSoundMixerOptions, type SoundMixerOptions } from './sound-mixer-options.js'

/** How the sound of a composite is made. */
export interface CompositeSoundOptions extends Omit<SoundMixerOptions, 'position'>, AacEncoding {
  /** Id of the AAC track that comes out. @defaultValue 'composite-audio' */
  readonly trackId?: string
  /** What stands in for lost packets. @defaultValue 'plc' */
  readonly concealment?: Concealment
  /** Called for each loss, once the packet after it is here. */
  readonly onConcealed?: (gap: ConcealedGap) => void
  /**
   * Recording time where the sound begins: for a piece, its border. Frames keep the grid of the whole, so the first one
   * is that which holds this time. What is pushed from a second before it on is mixed too and not given out, so that
   * limiter and encoder are where they would be in the whole. @defaultValue 0
   */
  readonly startUs?: number
}

/** Throws ConfigurationError. */
export function checkCompositeSoundOptions(options: CompositeSoundOptions): void {
  const { startUs, concealment } = options
  checkSoundMixerOptions(options)
  if (startUs !== undefined && !(Number.isSafeInteger(startUs) && startUs >= 0)) {
    throw new ConfigurationError('startUs', 'must be a whole number of microseconds, from 0', startUs)
  }
  if (concealment !== undefined && concealment !== 'plc' && concealment !== 'silence') {
    throw new ConfigurationError('concealment', "must be 'plc' or 'silence'", concealment)
  }
}
