import { type AudioReadOptions, decodeAudio, SAMPLE_RATE_HZ } from './decode-audio.js'

/** A stretch without sound. */
export interface SilentSpan {
  /** Microseconds, by the file's own timestamps. */
  readonly startUs: number
  readonly endUs: number
}

/** How loud a file is, and where it is not. */
export interface SoundMeasure {
  /** First and last sample, in microseconds. */
  readonly startUs: number
  readonly endUs: number
  /** Largest and root mean square amplitude of the samples that are there, full scale 1. */
  readonly peak: number
  readonly rms: number
  /** Stretches in which no sample is above the threshold, whether samples are there or not. */
  readonly silences: readonly SilentSpan[]
  /** Stretches of more than a millisecond, between first and last sample, for which the file holds no samples. */
  readonly gaps: readonly SilentSpan[]
}

/** What counts as silence. */
export interface SilenceOptions extends AudioReadOptions {
  /** Amplitude, full scale 1. @defaultValue 0.001 (-60 dB) */
  readonly threshold?: number
  /** Shorter ones are not listed, in microseconds. @defaultValue 100,000 */
  readonly minimumUs?: number
}

/** Samples: Matroska has timestamps in milliseconds, so that frames that meet seem to be a little apart. */
const ROUNDING = SAMPLE_RATE_HZ / 1000

/** Decodes the sound of a file or playlist and measures its silence. */
export async function measureSilence(input: string, options: SilenceOptions = {}): Promise<SoundMeasure> {
  const threshold = options.threshold ?? 0.001
  const minimum = ((options.minimumUs ?? 100_000) * SAMPLE_RATE_HZ) / 1_000_000
  const silences: SilentSpan[] = []
  const gaps: SilentSpan[] = []
  let first: number | undefined
  let end = 0
  let soundEnd = 0
  let peak = 0
  let squares = 0
  let count = 0
  const closeSilence = (at: number): void => {
    if (at - soundEnd >= minimum) silences.push(span(soundEnd, at))
  }
  await decodeAudio(input, options, (start, samples) => {
    if (first === undefined) {
      first = start
      soundEnd = start
    } else if (start - end > ROUNDING) gaps.push(span(end, start))
    for (const [index, sample] of samples.entries()) {
      const amplitude = Math.abs(sample)
      if (amplitude > peak) peak = amplitude
      squares += sample * sample
      if (amplitude <= threshold) continue
      closeSilence(start + index)
      soundEnd = start + index + 1
    }
    count += samples.length
    end = start + samples.length
  })
  closeSilence(end)
  return { ...span(first ?? 0, end), peak, rms: count === 0 ? 0 : Math.sqrt(squares / count), silences, gaps }
}

function span(start: number, end: number): SilentSpan {
  const us = (sample: number): number => Math.round((sample * 1_000_000) / SAMPLE_RATE_HZ)
  return { startUs: us(start), endUs: us(end) }
}
