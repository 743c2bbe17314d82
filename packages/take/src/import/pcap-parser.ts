import type { Emit, Stage } from '@rushes/media'
import { CaptureInput, viewOf } from './capture-input.js'
import { type CapturedFrame, type CaptureStats, MAX_CAPTURE_RECORD_BYTES } from './capture-stats.js'

const HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const MICROSECONDS = 0xa1b2_c3d4
const NANOSECONDS = 0xa1b2_3c4d

interface PcapHeader {
  readonly littleEndian: boolean
  readonly ticksPerUs: number
  readonly linkType: number
}

/**
 * Reads a classic pcap file (draft-ietf-opsawg-pcap) in chunks of any size: both byte orders, microseconds and
 * nanoseconds. It holds at most one record beside the chunk.
 */
export class PcapParser implements Stage<Uint8Array, CapturedFrame> {
  readonly #input: CaptureInput = new CaptureInput()
  #header: PcapHeader | undefined
  #bytes = 0
  #frames = 0
  #cutCause: CaptureStats['cutCause']
  #cutBytes = 0

  get stats(): CaptureStats {
    const cut = this.#cutCause === undefined ? {} : { cutCause: this.#cutCause }
    return { bytes: this.#bytes, frames: this.#frames, ...cut, cutBytes: this.#cutBytes }
  }

  push(chunk: Uint8Array, emit: Emit<CapturedFrame>): void {
    this.#bytes += chunk.byteLength
    this.#input.push(chunk)
    if (this.#header === undefined) this.#readHeader()
    while (this.#header !== undefined && this.#cutCause === undefined && this.#readRecord(this.#header, emit));
    if (this.#cutCause !== undefined) {
      this.#cutBytes += this.#input.left
      this.#input.take(this.#input.left)
    }
  }

  flush(): void {
    if (this.#input.left === 0 || this.#cutCause !== undefined) return
    this.#cutCause = this.#header === undefined ? 'bad-header' : 'torn'
    this.#cutBytes = this.#input.left
  }

  #readHeader(): void {
    const bytes = this.#input.peek(HEADER_BYTES)
    if (bytes === undefined || this.#cutCause !== undefined) return
    const view = viewOf(bytes)
    const littleEndian = isMagic(view.getUint32(0, true))
    if (!littleEndian && !isMagic(view.getUint32(0))) {
      this.#cutCause = 'bad-header'
      return
    }
    const ticksPerUs = view.getUint32(0, littleEndian) === NANOSECONDS ? 1000 : 1
    // The upper half says whether and how long a frame check sequence follows.
    this.#header = { littleEndian, ticksPerUs, linkType: view.getUint32(20, littleEndian) & 0xffff }
    this.#input.take(HEADER_BYTES)
  }

  #readRecord({ littleEndian, ticksPerUs, linkType }: PcapHeader, emit: Emit<CapturedFrame>): boolean {
    const header = this.#input.peek(RECORD_HEADER_BYTES)
    if (header === undefined) return false
    const view = viewOf(header)
    const length = view.getUint32(8, littleEndian)
    if (length > MAX_CAPTURE_RECORD_BYTES) {
      this.#cutCause = 'bad-record'
      return false
    }
    const record = this.#input.peek(RECORD_HEADER_BYTES + length)
    if (record === undefined) return false
    this.#input.take(record.byteLength)
    this.#frames += 1
    const fraction = Math.floor(view.getUint32(4, littleEndian) / ticksPerUs)
    const timestampUs = view.getUint32(0, littleEndian) * 1_000_000 + fraction
    emit({ linkType, data: record.subarray(RECORD_HEADER_BYTES), timestampUs })
    return true
  }
}

function isMagic(value: number): boolean {
  return value === MICROSECONDS || value === NANOSECONDS
}
