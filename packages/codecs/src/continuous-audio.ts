import { MAX_PACKET_SAMPLES } from './audio-decoder.js'
import { PcmFifo } from './pcm-fifo.js'
import { Placement, SLEW_LIMIT_SAMPLES } from './placement.js'
import { STRETCH_HISTORY, stretchBlock } from './stretch.js'

/** 2.5 ms at 48 kHz: long enough that a cut does not click, short enough that no sound is lost. */
export const FADE_SAMPLES = 120
const RATE_OF_CONSTANTS = 48_000
const BLOCK_SAMPLES = 1024

/** Takes blocks of planar sound, in order and without holes; the planes are read before it returns. */
export type PcmSink = (planes: readonly Float32Array[], samples: number) => void

/** How a packet goes on from the one before: with nothing missing, after packets were lost, or from another source. */
export type Joint = 'continues' | 'loss' | 'new-source'

/** Counters in samples per channel. */
export interface ContinuousAudioStats {
  /** Samples that came in: decoded, or guessed where packets were lost. */
  samplesIn: number
  /** Samples given to the sink. */
  samplesOut: number
  silenceSamples: number
  /** Decoded samples whose time was already taken. */
  droppedSamples: number
  /** Samples added or taken away by slewing. */
  slewedSamples: number
  /** The largest difference that was left or worked off by slewing. */
  maxOffset: number
}

/**
 * Decoded packets with their times in, one sound without holes out: {@link Placement} applied to samples.
 * Cuts into and out of silence and at overlaps are faded; what continues passes unchanged, to the bit.
 * Holds back 2.5 ms for the fade of a cut that is not known yet.
 */
export class ContinuousAudio {
  readonly #placement: Placement
  /** Half a cosine, from 0 to 1 exclusive. */
  readonly #fade: Float32Array
  readonly #blockSamples: number
  readonly #fifo: PcmFifo
  readonly #work: readonly Float32Array[]
  readonly #history = new Float32Array(STRETCH_HISTORY)
  readonly #sink: PcmSink
  /** The last samples of the FIFO are sound, and a cut here must fade them. */
  #sounding = false
  #first: number | undefined
  readonly stats: ContinuousAudioStats = {
    samplesIn: 0,
    samplesOut: 0,
    silenceSamples: 0,
    droppedSamples: 0,
    slewedSamples: 0,
    maxOffset: 0,
  }

  /** @param sampleRate Hz of what comes in. @defaultValue 48000 */
  constructor(channels: number, sink: PcmSink, sampleRate: number = RATE_OF_CONSTANTS) {
    const scaled = (samples: number): number => Math.round((samples * sampleRate) / RATE_OF_CONSTANTS)
    const fadeSamples = scaled(FADE_SAMPLES)
    this.#placement = new Placement(scaled(SLEW_LIMIT_SAMPLES))
    this.#fade = Float32Array.from(
      { length: fadeSamples },
      (_, index) => 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / fadeSamples),
    )
    this.#blockSamples = scaled(BLOCK_SAMPLES)
    this.#fifo = new PcmFifo(channels, fadeSamples + this.#blockSamples + 2 * MAX_PACKET_SAMPLES)
    this.#work = Array.from({ length: channels }, () => new Float32Array(2 * MAX_PACKET_SAMPLES))
    this.#sink = sink
  }

  /** Position of the first sample; `undefined` before there is one. */
  get first(): number | undefined {
    return this.#first
  }

  /** Position after the last sample so far; `undefined` before the first. */
  get next(): number | undefined {
    return this.#placement.next
  }

  /** The last sample so far is sound, and not silence that was filled in. */
  get sounding(): boolean {
    return this.#sounding
  }

  /**
   * Places one decoded packet (at most 5760 samples) that starts at `position`. After a loss and with a new source no
   * difference is drift.
   */
  place(position: number, planes: readonly Float32Array[], samples: number, joint: Joint = 'continues'): void {
    const isFirst = this.#first === undefined
    this.#first ??= position
    this.stats.samplesIn += samples
    const { silence, skip, stretch } = this.#placement.place(position, samples, joint !== 'continues')
    this.stats.maxOffset = this.#placement.maxOffset
    this.stats.droppedSamples += skip
    this.stats.slewedSamples += Math.abs(stretch)
    if (silence > 0) this.#silence(silence)
    if (skip === samples) return
    if (stretch !== 0) {
      this.#writeStretched(planes, samples, stretch)
    } else {
      const cut = !isFirst && (joint === 'new-source' || skip > 0 || !this.#sounding)
      if (cut) this.#fadeOut()
      this.#write(planes, skip, samples - skip, cut)
    }
    this.#sounding = true
  }

  /** Nothing will come before `position`: silence up to there, where it is sure to be silence. */
  advance(position: number): void {
    this.#silence(this.#placement.advance(position))
  }

  /** Silence up to `position`, where it is later than the last sample. */
  finish(position: number): void {
    this.#silence(this.#placement.finish(position))
  }

  /** Gives out what is held back. */
  flush(): void {
    this.#drain(0)
    if (this.#fifo.length > 0) this.#give(this.#fifo.length)
  }

  #silence(samples: number): void {
    if (samples <= 0) return
    if (this.#sounding) this.#fadeOut()
    this.#sounding = false
    this.stats.silenceSamples += samples
    for (let left = samples; left > 0; ) {
      const count = Math.min(left, this.#fifo.space)
      this.#fifo.writeSilence(count)
      this.#drain(this.#fade.length)
      left -= count
    }
  }

  #write(planes: readonly Float32Array[], offset: number, samples: number, fadeIn: boolean): void {
    const start = this.#fifo.length
    this.#fifo.write(planes, offset, samples)
    if (fadeIn) {
      const count = Math.min(this.#fade.length, samples)
      for (const plane of this.#fifo.planes) {
        for (let index = 0; index < count; index++) plane[start + index]! *= this.#fade[index]!
      }
    }
    this.#drain(this.#fade.length)
  }

  #writeStretched(planes: readonly Float32Array[], samples: number, stretch: number): void {
    const known = Math.min(STRETCH_HISTORY, this.#fifo.length)
    for (let channel = 0; channel < this.#work.length; channel++) {
      const held = this.#fifo.planes[channel]!
      this.#history.fill(0)
      this.#history.set(held.subarray(this.#fifo.length - known, this.#fifo.length), STRETCH_HISTORY - known)
      stretchBlock(this.#history, planes[channel]!, 0, samples, stretch, this.#work[channel]!)
    }
    this.#write(this.#work, 0, samples + stretch, false)
  }

  #fadeOut(): void {
    const length = this.#fifo.length
    const count = Math.min(this.#fade.length, length)
    for (const plane of this.#fifo.planes) {
      for (let index = 0; index < count; index++) plane[length - 1 - index]! *= this.#fade[index]!
    }
  }

  #drain(keep: number): void {
    while (this.#fifo.length >= this.#blockSamples + keep) this.#give(this.#blockSamples)
  }

  #give(samples: number): void {
    this.stats.samplesOut += samples
    this.#sink(this.#fifo.planes, samples)
    this.#fifo.drop(samples)
  }
}
