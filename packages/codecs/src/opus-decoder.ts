/** Sound of one packet. The planes belong to the decoder and hold until its next call. */
export interface DecodedPacket {
  /** One plane per channel, at 48 kHz, nominally -1 to 1. */
  readonly planes: readonly Float32Array[]
  /** Samples per channel, 120 to 5760. */
  readonly samples: number
}

/** The seam behind which the Opus decoder stands, so that one that conceals losses can take its place. */
export interface OpusDecoder {
  /** `undefined` where the packet cannot be decoded. */
  decode(packet: Uint8Array): DecodedPacket | undefined
  /** Forgets what came before: the next packet is the first of another source. */
  reset(): void
  close(): void
}
