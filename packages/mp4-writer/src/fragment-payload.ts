import { type SamplePayload, writePayload } from './sample-payload.js'

const SMALLEST_CHUNK_BYTES = 4 * 1024
const LARGEST_CHUNK_BYTES = 64 * 1024
const NOTHING = new DataView(new ArrayBuffer(0))

/**
 * The media data of one track in the fragment that is open, copied as it comes: the one copy on a payload's way to the
 * container. Were the packets kept until the fragment ends instead, hundreds of thousands of small buffers would outlive
 * the young generation of the garbage collector, which costs more than the copy.
 */
export class FragmentPayload {
  #full: Uint8Array[] = []
  #bytes = new Uint8Array(NOTHING.buffer)
  #view = NOTHING
  #used = 0
  #chunkBytes = SMALLEST_CHUNK_BYTES

  /** Copies the payload of one sample, which has `sizeBytes` bytes. */
  append(payload: SamplePayload, sizeBytes: number): void {
    if (this.#used + sizeBytes > this.#bytes.byteLength) this.#open(sizeBytes)
    this.#used = writePayload(this.#view, this.#bytes, this.#used, payload)
  }

  /** Everything since the last call, in order. */
  take(): readonly Uint8Array[] {
    const pieces = this.#full
    if (this.#used > 0) pieces.push(this.#bytes.subarray(0, this.#used))
    this.#full = []
    this.#bytes = new Uint8Array(NOTHING.buffer)
    this.#view = NOTHING
    this.#used = 0
    return pieces
  }

  /** Chunks double up to what the track needs, so that sound does not hold the memory of pictures. */
  #open(sizeBytes: number): void {
    if (this.#used > 0) {
      this.#full.push(this.#bytes.subarray(0, this.#used))
      this.#chunkBytes = Math.min(this.#chunkBytes * 2, LARGEST_CHUNK_BYTES)
    }
    this.#bytes = new Uint8Array(Math.max(sizeBytes, this.#chunkBytes))
    this.#view = new DataView(this.#bytes.buffer)
    this.#used = 0
  }
}
