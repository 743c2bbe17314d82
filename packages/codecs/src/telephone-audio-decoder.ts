import { type AudioDecoder, type DecodedPacket, MAX_PACKET_SAMPLES } from './audio-decoder.js'
import { decodeG711 } from './g711.js'
import type { NodeAv } from './node-av.js'
import { NodeAvG722Decoder } from './node-av-g722-decoder.js'
import { WaveformConcealer } from './waveform-concealer.js'

/** Codecs of the telephone, whose packets say nothing of each other. */
export type TelephoneCodec = 'pcmu' | 'pcma' | 'g722'

/** G.711 (8 kHz) and G.722 (16 kHz), mono. */
export class TelephoneAudioDecoder implements AudioDecoder {
  readonly sampleRate: number
  readonly maxConcealedSamples: number
  readonly #codec: TelephoneCodec
  readonly #g722: NodeAvG722Decoder | undefined
  readonly #concealer: WaveformConcealer
  readonly #plane = new Float32Array(MAX_PACKET_SAMPLES)
  readonly #planes: readonly Float32Array[]

  /** The one channel is given out `channels` times. Throws `CODECS_OPEN_FAILED`. */
  constructor(nodeAv: NodeAv, codec: TelephoneCodec, channels: number) {
    this.sampleRate = telephoneSampleRate(codec)
    this.#codec = codec
    this.#g722 = codec === 'g722' ? new NodeAvG722Decoder(nodeAv) : undefined
    this.#concealer = new WaveformConcealer(this.sampleRate)
    this.maxConcealedSamples = this.#concealer.maxConcealedSamples
    this.#planes = Array.from({ length: channels }, () => this.#plane)
  }

  decode(packet: Uint8Array): DecodedPacket | undefined {
    let samples = packet.byteLength * (this.#codec === 'g722' ? 2 : 1)
    if (samples === 0 || samples > MAX_PACKET_SAMPLES) return undefined
    if (this.#codec === 'g722') samples = this.#g722?.decode(packet, this.#plane) ?? 0
    else decodeG711(this.#codec, packet, this.#plane)
    if (samples === 0) return undefined
    this.#concealer.pass(this.#plane, samples)
    return { planes: this.#planes, samples }
  }

  conceal(samples: number): DecodedPacket {
    this.#concealer.conceal(this.#plane, samples)
    return { planes: this.#planes, samples }
  }

  recoverable(): number {
    return 0
  }

  recover(): undefined {
    return undefined
  }

  reset(): void {
    this.#g722?.reset()
    this.#concealer.reset()
  }

  close(): void {
    this.#g722?.close()
  }
}

/** Hz; the RTP clock of all three is 8000 (RFC 3551 §4.5.2). */
export function telephoneSampleRate(codec: TelephoneCodec): number {
  return codec === 'g722' ? 16_000 : 8_000
}
