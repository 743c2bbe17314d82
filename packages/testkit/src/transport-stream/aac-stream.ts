import { type AdtsFrame, readAdtsFrames } from './adts.js'
import { ElementaryStream, type PlacedPes, type StreamContext } from './elementary-stream.js'
import type { TransportStreamOptions } from './options.js'

/** Samples of an AAC-LC frame. */
const FRAME_SAMPLES = 1024
/** Ticks of 90 kHz: one from rounding this PTS, one from rounding the first. */
const TOLERANCE_90K = 2
const NO_BYTES = new Uint8Array(0)

/** AAC in ADTS in PES packets. */
export class AacElementaryStream extends ElementaryStream {
  readonly kind = 'audio'
  readonly #allowGaps: boolean
  readonly #payloads: boolean
  #configuration: string | undefined
  /** Where the run of gapless audio began, and how long it has become since. */
  #run: { readonly pts90k: number; samples: number } | undefined

  constructor(pid: number, streamType: number, context: StreamContext, options: TransportStreamOptions) {
    super(pid, streamType, context)
    this.#allowGaps = options.allowAudioGaps === true
    this.#payloads = options.payloads !== false
  }

  override reset(): void {
    super.reset()
    this.#configuration = undefined
    this.#run = undefined
  }

  protected override pes(pes: PlacedPes): void {
    const { report, audioOnly, pcrPid } = this.context
    const { place, first } = pes
    if (audioOnly && pes.firstInSegment) {
      if (!first.randomAccess) report('random-access-indicator', 'it is not set on the first audio of a segment', place)
      if (place.pid === pcrPid && first.pcr27m === undefined) {
        report('pcr-random-access', 'the first audio of a segment starts without a PCR', place)
      }
    }
    const frames = readAdtsFrames(pes.payload, place, report)
    for (const frame of frames) this.#checkConfiguration(frame, place)
    const sampleRate = frames[0]?.sampleRate
    if (sampleRate === undefined) return
    this.#checkTime(pes.pts90k, frames.length * FRAME_SAMPLES, sampleRate, place)
    for (const [index, frame] of frames.entries()) {
      this.audioFrames.push({
        segment: place.segment,
        offset: place.offset,
        pts90k: pes.pts90k + Math.round((index * FRAME_SAMPLES * 90_000) / sampleRate),
        sampleRate,
        channels: frame.channels,
        objectType: frame.objectType,
        data: this.#payloads ? frame.data : NO_BYTES,
      })
    }
  }

  #checkConfiguration(frame: AdtsFrame, place: PlacedPes['place']): void {
    const configuration = `object type ${frame.objectType}, ${frame.sampleRate} Hz, ${frame.channels} channels`
    if (this.#configuration !== undefined && configuration !== this.#configuration) {
      this.context.report('adts-configuration', `${configuration} after ${this.#configuration}`, place)
    }
    this.#configuration = configuration
  }

  #checkTime(pts90k: number, samples: number, sampleRate: number, place: PlacedPes['place']): void {
    if (Number.isNaN(pts90k)) return
    if (this.#run !== undefined) {
      // From the start of the run and not from frame to frame: rounding must not add up either.
      const expected = this.#run.pts90k + (this.#run.samples * 90_000) / sampleRate
      const error = pts90k - expected
      if (Math.abs(error) > TOLERANCE_90K) {
        if (error < 0 || !this.#allowGaps) {
          const what = error < 0 ? 'overlap' : 'gap'
          this.context.report('audio-timing', `${what} of ${Math.abs(error).toFixed(1)} ticks at PTS ${pts90k}`, place)
        }
        this.#run = undefined
      }
    }
    this.#run ??= { pts90k, samples: 0 }
    this.#run.samples += samples
  }
}
