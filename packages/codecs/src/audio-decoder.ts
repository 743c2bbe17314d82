/** Sound of one packet. The planes belong to the decoder and hold until its next call. */
export interface DecodedPacket {
  /** One plane per channel, nominally -1 to 1. */
  readonly planes: readonly Float32Array[]
  /** Samples per channel, at most {@link MAX_PACKET_SAMPLES}. */
  readonly samples: number
}

/** Most samples of one packet: RFC 6716 §3.2.5 allows 120 ms at 48 kHz; 720 ms at 8 kHz are more than any sender packs. */
export const MAX_PACKET_SAMPLES = 5760

/** A decoder that also knows what to play where packets were lost. Its calls are synchronous. */
export interface AudioDecoder {
  /** Hz of what it puts out. */
  readonly sampleRate: number
  /** Most samples after a packet for which {@link conceal} has anything to say. */
  readonly maxConcealedSamples: number
  /** `undefined` where the packet cannot be decoded. */
  decode(packet: Uint8Array): DecodedPacket | undefined
  /** Plausible sound that goes on from the last: the guess of what was lost. At most {@link MAX_PACKET_SAMPLES}. */
  conceal(samples: number): DecodedPacket
  /** How many of the lost samples just before `next` it carries itself (in-band forward error correction). */
  recoverable(next: Uint8Array): number
  /** Those samples. To be called after what was lost before them was concealed, and before `next` is decoded. */
  recover(next: Uint8Array, samples: number): DecodedPacket | undefined
  /** Forgets what came before: `next` is the first packet of another source. */
  reset(next: Uint8Array): void
  close(): void
}
