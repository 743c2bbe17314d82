import { ConfigurationError } from '@rushes/media'
import { type AudioReadOptions, decodeAudio, SAMPLE_RATE_HZ } from './decode-audio.js'
import { ToneEnvelope } from './tone-envelope.js'

/** A beep as heard in a file. */
export interface Beep {
  /** When it starts, by the file's own timestamps, in microseconds; accurate to half a millisecond. */
  readonly atUs: number
  /** Amplitude of the tone in the beep and before it, full scale 1. */
  readonly level: number
  readonly levelBefore: number
}

/** Which beeps to look for. */
export interface BeepOptions extends AudioReadOptions {
  /** The card's tone: a whole number of Hz; tones that differ by a multiple of 100 Hz do not disturb each other. */
  readonly toneHz: number
  /** Amplitude below which nothing is a beep. @defaultValue 0.05 */
  readonly minLevel?: number
}

/** Decodes the sound of a file or playlist and finds the beeps of one test card. */
export async function readBeeps(input: string, options: BeepOptions): Promise<Beep[]> {
  const { toneHz } = options
  if (!Number.isInteger(toneHz) || toneHz < 100 || toneHz > 20_000) {
    throw new ConfigurationError('toneHz', 'must be a whole number from 100 to 20000', toneHz)
  }
  const envelope = new ToneEnvelope(toneHz)
  await decodeAudio(input, options, (start, samples) => envelope.push(start, samples))
  return envelope.onsets(options.minLevel ?? 0.05).map(({ atSample, level, levelBefore }) => ({
    atUs: Math.round((atSample * 1_000_000) / SAMPLE_RATE_HZ),
    level,
    levelBefore,
  }))
}
