import type { Emit, Stage } from '@rushes/media'
import { CaptureInput, viewOf } from './capture-input.js'
import { type CapturedFrame, type CaptureStats, MAX_CAPTURE_RECORD_BYTES } from './capture-stats.js'

const SECTION_HEADER = 0x0a0d_0d0a
const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d
const OPTION_END = 0
const OPTION_TIME_RESOLUTION = 9
const OPTION_TIME_OFFSET = 14

interface CaptureInterface {
  readonly linkType: number
  /** 0: frames are kept whole. */
  readonly snapLength: number
  readonly ticksPerSecond: bigint
  readonly offsetUs: number
}

/**
 * Reads a pcapng file (draft-ietf-opsawg-pcapng) in chunks of any size: any number of sections of either byte order,
 * interfaces with their own link type, time resolution and offset; enhanced, simple and the older packet blocks. Other
 * blocks are skipped. It holds at most one block beside the chunk.
 */
export class PcapngParser implements Stage<Uint8Array, CapturedFrame> {
  readonly #input: CaptureInput = new CaptureInput()
  #interfaces: CaptureInterface[] = []
  #inSection = false
  #littleEndian = true
  #bytes = 0
  #frames = 0
  /** Simple packet blocks have no time: they are given that of the frame before. */
  #lastUs = 0
  #cutCause: CaptureStats['cutCause']
  #cutBytes = 0

  get stats(): CaptureStats {
    const cut = this.#cutCause === undefined ? {} : { cutCause: this.#cutCause }
    return { bytes: this.#bytes, frames: this.#frames, ...cut, cutBytes: this.#cutBytes }
  }

  push(chunk: Uint8Array, emit: Emit<CapturedFrame>): void {
    this.#bytes += chunk.byteLength
    this.#input.push(chunk)
    while (this.#cutCause === undefined && this.#readBlock(emit));
    if (this.#cutCause !== undefined) {
      this.#cutBytes += this.#input.left
      this.#input.take(this.#input.left)
    }
  }

  flush(): void {
    if (this.#input.left === 0 || this.#cutCause !== undefined) return
    this.#cutCause = this.#inSection ? 'torn' : 'bad-header'
    this.#cutBytes = this.#input.left
  }

  #readBlock(emit: Emit<CapturedFrame>): boolean {
    const head = this.#input.peek(12)
    if (head === undefined) return false
    const view = viewOf(head)
    // The type of a section header reads the same in both byte orders; what follows it tells which one holds.
    if (view.getUint32(0) === SECTION_HEADER) {
      this.#littleEndian = view.getUint32(8, true) === BYTE_ORDER_MAGIC
      if (!this.#littleEndian && view.getUint32(8) !== BYTE_ORDER_MAGIC) return this.#cut()
      this.#inSection = true
    } else if (!this.#inSection) return this.#cut()
    const length = view.getUint32(4, this.#littleEndian)
    if (length < 12 || length % 4 !== 0 || length > MAX_CAPTURE_RECORD_BYTES) return this.#cut()
    const block = this.#input.peek(length)
    if (block === undefined) return false
    this.#input.take(length)
    this.#readBody(view.getUint32(0, this.#littleEndian), block.subarray(8, length - 4), emit)
    return true
  }

  #cut(): false {
    this.#cutCause = this.#inSection ? 'bad-record' : 'bad-header'
    return false
  }

  #readBody(type: number, body: Uint8Array, emit: Emit<CapturedFrame>): void {
    const view = viewOf(body)
    const littleEndian = this.#littleEndian
    if (type === SECTION_HEADER) this.#interfaces = []
    else if (type === INTERFACE_DESCRIPTION && body.byteLength >= 8) this.#interfaces.push(this.#readInterface(body))
    else if (type === SIMPLE_PACKET && body.byteLength >= 4) {
      const snapLength = this.#interfaces[0]?.snapLength ?? 0
      const original = view.getUint32(0, littleEndian)
      const length = Math.min(original, snapLength === 0 ? original : snapLength, body.byteLength - 4)
      this.#emitFrame(0, this.#lastUs, body.subarray(4, 4 + length), emit)
    } else if ((type === ENHANCED_PACKET || type === OBSOLETE_PACKET) && body.byteLength >= 20) {
      const index = type === ENHANCED_PACKET ? view.getUint32(0, littleEndian) : view.getUint16(0, littleEndian)
      const entry = this.#interfaces[index]
      const length = view.getUint32(12, littleEndian)
      if (entry === undefined || length > body.byteLength - 20) return
      const ticks = (BigInt(view.getUint32(4, littleEndian)) << 32n) | BigInt(view.getUint32(8, littleEndian))
      const timestampUs = Number((ticks * 1_000_000n) / entry.ticksPerSecond) + entry.offsetUs
      // A time that no clock shows is as none, which simple blocks do not have either: that of the frame before.
      const shownUs = Number.isSafeInteger(timestampUs) ? timestampUs : this.#lastUs
      this.#emitFrame(index, shownUs, body.subarray(20, 20 + length), emit)
    }
  }

  #emitFrame(index: number, timestampUs: number, data: Uint8Array, emit: Emit<CapturedFrame>): void {
    const entry = this.#interfaces[index]
    if (entry === undefined) return
    this.#frames += 1
    this.#lastUs = timestampUs
    emit({ linkType: entry.linkType, data, timestampUs })
  }

  #readInterface(body: Uint8Array): CaptureInterface {
    const view = viewOf(body)
    const littleEndian = this.#littleEndian
    let ticksPerSecond = 1_000_000n
    let offsetUs = 0
    for (let at = 8; at + 4 <= body.byteLength; ) {
      const code = view.getUint16(at, littleEndian)
      const length = view.getUint16(at + 2, littleEndian)
      if (code === OPTION_END || at + 4 + length > body.byteLength) break
      if (code === OPTION_TIME_RESOLUTION && length >= 1) {
        const value = view.getUint8(at + 4)
        ticksPerSecond = (value & 0x80) === 0 ? 10n ** BigInt(value) : 1n << BigInt(value & 0x7f)
      }
      if (code === OPTION_TIME_OFFSET && length >= 8) {
        offsetUs = Number(view.getBigInt64(at + 4, littleEndian)) * 1_000_000
      }
      at += 4 + Math.ceil(length / 4) * 4
    }
    const snapLength = view.getUint32(4, littleEndian)
    return { linkType: view.getUint16(0, littleEndian), snapLength, ticksPerSecond, offsetUs }
  }
}
