import { PcmFifo } from './pcm-fifo.js'
import { Placement } from './placement.js'
import { STRETCH_HISTORY, stretchBlock } from './stretch.js'

/** 2.5 ms at 48 kHz: long enough that a cut does not click, short enough that no sound is lost. */
export const FADE_SAMPLES = 120
/** RFC 6716 §3.2.5: 120 ms at 48 kHz. */
const MAX_PACKET_SAMPLES = 5760
const BLOCK_SAMPLES = 1024
/** Half a cosine, from 0 to 1 exclusive. */
const FADE = Float32Array.from(
  { length: FADE_SAMPLES },
  (_, index) => 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / FADE_SAMPLES),
)

/** Takes blocks of planar sound, in order and without holes; the planes are read before it returns. */
export type PcmSink = (planes: readonly Float32Array[], samples: number) => void

/** How a packet goes on from the one before: with nothing missing, after packets were lost, or from another source. */
export type Joint = 'continues' | 'loss' | 'new-source'

/** Counters in samples per channel. */
export interface ContinuousAudioStats {
  /** Decoded samples that came in. */
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
 * Holds back {@link FADE_SAMPLES} for the fade of a cut that is not known yet.
 */
export class ContinuousAudio {
  readonly #placement = new Placement()
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

  constructor(channels: number, sink: PcmSink) {
    this.#fifo = new PcmFifo(channels, FADE_SAMPLES + BLOCK_SAMPLES + 2 * MAX_PACKET_SAMPLES)
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

  /**
   * Places one decoded packet (at most 120 ms) that starts at `position`. After a loss and with a new source no
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
      this.#drain(FADE_SAMPLES)
      left -= count
    }
  }

  #write(planes: readonly Float32Array[], offset: number, samples: number, fadeIn: boolean): void {
    const start = this.#fifo.length
    this.#fifo.write(planes, offset, samples)
    if (fadeIn) {
      const count = Math.min(FADE_SAMPLES, samples)
      for (const plane of this.#fifo.planes) {
        for (let index = 0; index < count; index++) plane[start + index]! *= FADE[index]!
      }
    }
    this.#drain(FADE_SAMPLES)
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
    const count = Math.min(FADE_SAMPLES, length)
    for (const plane of this.#fifo.planes) {
      for (let index = 0; index < count; index++) plane[length - 1 - index]! *= FADE[index]!
    }
  }

  #drain(keep: number): void {
    while (this.#fifo.length >= BLOCK_SAMPLES + keep) this.#give(BLOCK_SAMPLES)
  }

  #give(samples: number): void {
    this.stats.samplesOut += samples
    this.#sink(this.#fifo.planes, samples)
    this.#fifo.drop(samples)
  }
}
