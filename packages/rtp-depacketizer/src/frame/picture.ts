import type { DropCause } from '../drop-cause.js'

/**
 * Bytes of one picture: far more than any call sends for one. Bounds a sender that never ends one.
 */
const MAX_PICTURE_BYTES = 16 * 1024 * 1024
/** Pieces of one picture: each costs an object of some 100 bytes however short it is. */
const MAX_PIECES = 32_768

/** What is known of the picture that is being put together, whatever the codec. One object for all pictures. */
export class Picture {
  /** A packet of it has come. */
  open = false
  rtpTimestamp = 0
  arrivalUs: number | undefined
  /** The last packet carried the marker. */
  marker = false
  /** The first thing that kept something of it from being whole. */
  broken: DropCause | undefined
  /** Packets are missing right before its first one: it may have begun among them. */
  afterGap = false
  #bytes = 0
  #pieces = 0

  begin(rtpTimestamp: number, afterGap: boolean): void {
    this.open = true
    this.rtpTimestamp = rtpTimestamp
    this.marker = false
    this.broken = undefined
    this.afterGap = afterGap
    this.#bytes = 0
    this.#pieces = 0
  }

  break(cause: DropCause): void {
    this.broken ??= cause
  }

  /** Counts a piece. Returns whether it still fits. */
  account(bytes: number): boolean {
    this.#bytes += bytes
    this.#pieces++
    return this.#bytes <= MAX_PICTURE_BYTES && this.#pieces <= MAX_PIECES
  }
}
