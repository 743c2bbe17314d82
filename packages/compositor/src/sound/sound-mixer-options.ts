import { ConfigurationError } from '@rushes/media'
import type { Levelling } from './leveller.js'

/**
 * Told of every participant who has a source, once for every 20 ms, in order of time: the RMS level in dBFS before any
 * gain, -Infinity where they are silent. `atUs` is the recording time at which the 20 ms begin.
 */
export type LevelListener = (participantId: string, atUs: number, dbfs: number) => void

/** How sound is mixed. */
export interface SoundMixerOptions {
  /** Hz. @defaultValue 48000 */
  readonly sampleRate?: 44_100 | 48_000
  /** @defaultValue 2 */
  readonly channels?: 1 | 2
  /** What no sample exceeds, in dBFS, -24 to 0. @defaultValue -1 */
  readonly ceilingDb?: number
  /** Brings all speakers slowly to one loudness. @defaultValue false */
  readonly levelling?: boolean | Levelling
  readonly onLevel?: LevelListener
  /** Where the mix begins, in samples since recording time zero. @defaultValue 0 */
  readonly position?: number
}

/** Throws ConfigurationError. */
export function checkSoundMixerOptions(options: SoundMixerOptions): void {
  const { sampleRate, channels, ceilingDb, levelling, position } = options
  if (sampleRate !== undefined && sampleRate !== 48_000 && sampleRate !== 44_100) {
    throw new ConfigurationError('sampleRate', 'must be 44100 or 48000', sampleRate)
  }
  if (channels !== undefined && channels !== 1 && channels !== 2) {
    throw new ConfigurationError('channels', 'must be 1 or 2', channels)
  }
  if (ceilingDb !== undefined && !(ceilingDb >= -24 && ceilingDb <= 0)) {
    throw new ConfigurationError('ceilingDb', 'must be from -24 to 0', ceilingDb)
  }
  if (typeof levelling === 'object') {
    const { targetDb = -23, maxDb = 12 } = levelling
    if (!(targetDb >= -40 && targetDb <= -10)) {
      throw new ConfigurationError('levelling.targetDb', 'must be from -40 to -10', targetDb)
    }
    if (!(maxDb >= 0 && maxDb <= 24)) throw new ConfigurationError('levelling.maxDb', 'must be from 0 to 24', maxDb)
  }
  if (position !== undefined && !(Number.isSafeInteger(position) && position >= 0)) {
    throw new ConfigurationError('position', 'must be a whole number of samples, from 0', position)
  }
}
