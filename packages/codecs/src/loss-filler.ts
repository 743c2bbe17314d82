import { ticksToUs } from '@rushes/media'
import { type AudioDecoder, MAX_PACKET_SAMPLES } from './audio-decoder.js'
import type { ContinuousAudio, Joint } from './continuous-audio.js'
import { planLoss } from './loss-plan.js'

/** What stands in for lost packets: a guess from the sound around them (packet loss concealment), or silence. */
export type Concealment = 'plc' | 'silence'

/** One loss and what became of it: what a manifest lists under repairs. Times are microseconds. */
export interface ConcealedGap {
  readonly trackId: string
  /** Recording time. */
  readonly startUs: number
  readonly endUs: number
  /** Packets that never came or could not be decoded. */
  readonly lostPackets: number
  /** Restored from what the packet after the loss repeats (in-band forward error correction). */
  readonly recoveredUs: number
  /** Guessed. */
  readonly concealedUs: number
  /** Became silence; a pause of the sender that the loss fell into is not counted. */
  readonly silencedUs: number
}

/** Counters in samples per channel. */
export interface LossFillerStats {
  /** Samples that stand in for lost ones: by in-band forward error correction, and by guess. */
  readonly concealedSamples: { fec: number; plc: number }
  /** Lost samples that became silence. */
  silencedSamples: number
}

/** Puts sound where packets were lost: {@link planLoss} applied to a decoder and its sound. */
export class LossFiller {
  readonly #trackId: string
  readonly #decoder: AudioDecoder
  readonly #audio: ContinuousAudio
  readonly #concealment: Concealment
  readonly #onConcealed: ((gap: ConcealedGap) => void) | undefined
  /** Where the last real sound ended, or where a loss was filled up to behind it. */
  #end = 0
  /** Length of the last real packet. */
  #packetSamples = 0
  /** Guessed since then. */
  #guessed = 0
  readonly stats: LossFillerStats = { concealedSamples: { fec: 0, plc: 0 }, silencedSamples: 0 }

  constructor(
    trackId: string,
    decoder: AudioDecoder,
    audio: ContinuousAudio,
    concealment: Concealment,
    onConcealed?: (gap: ConcealedGap) => void,
  ) {
    this.#trackId = trackId
    this.#decoder = decoder
    this.#audio = audio
    this.#concealment = concealment
    this.#onConcealed = onConcealed
  }

  /** End of the sound so far. */
  get end(): number {
    return this.#end
  }

  /** A packet was decoded and has its place. */
  heard(position: number, samples: number): void {
    this.#end = position + samples
    this.#packetSamples = samples
    this.#guessed = 0
  }

  /**
   * Fills what it can before `packet`, which starts at `position`, and tells how the packet goes on from there.
   * `continuous`: the decoder still knows the sound before the loss.
   */
  fill(packet: Uint8Array, position: number, lostPackets: number, continuous: boolean): Joint {
    const audio = this.#audio
    const decoder = this.#decoder
    const packetSamples = this.#packetSamples
    const start = this.#end
    const lost = Math.min(position - start, lostPackets * packetSamples)
    if (lost <= 0) return 'loss'
    this.#end = position
    const hole = position - (audio.next ?? position)
    if (this.#concealment === 'silence' || !continuous || hole <= 0) {
      this.#tell(start, position, lostPackets, 0, 0, lost)
      return 'loss'
    }
    const plan = planLoss({
      hole,
      lostPackets,
      packetSamples,
      recoverable: decoder.recoverable(packet),
      maxConcealed: audio.sounding ? decoder.maxConcealedSamples - this.#guessed : 0,
      slewLimit: decoder.sampleRate / 50,
    })
    for (let left = plan.concealed; left > 0; ) {
      const count = Math.min(left, packetSamples, MAX_PACKET_SAMPLES)
      audio.place(audio.next ?? position, decoder.conceal(count).planes, count)
      left -= count
    }
    this.#guessed += plan.concealed
    let recovered = 0
    if (plan.recovered > 0) {
      const sound = decoder.recover(packet, plan.recovered)
      recovered = sound?.samples ?? 0
      const isNext = plan.silenced === 0 && plan.whole
      const at = isNext ? (audio.next ?? position) : position - recovered
      if (sound !== undefined) audio.place(at, sound.planes, recovered, isNext ? 'continues' : 'loss')
    }
    // Sound that lags behind its time (drift, or a packet that was longer than it said) is filled from where it stands.
    const from = position - Math.max(hole, position - start)
    this.#tell(from, position, lostPackets, plan.concealed, recovered, Math.max(0, lost - plan.concealed - recovered))
    return plan.recovered === recovered && (plan.whole || recovered > 0) ? 'continues' : 'loss'
  }

  #tell(start: number, end: number, lostPackets: number, plc: number, fec: number, silenced: number): void {
    this.stats.concealedSamples.plc += plc
    this.stats.concealedSamples.fec += fec
    this.stats.silencedSamples += silenced
    const us = (samples: number): number => ticksToUs(samples, this.#decoder.sampleRate)
    this.#onConcealed?.({
      trackId: this.#trackId,
      startUs: us(start),
      endUs: us(end),
      lostPackets,
      recoveredUs: us(fec),
      concealedUs: us(plc),
      silencedUs: us(silenced),
    })
  }
}
