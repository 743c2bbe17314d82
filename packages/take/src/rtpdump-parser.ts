import type { Emit } from '@rushes/media'
import {
  MAX_FIRST_LINE_BYTES,
  MAX_RECORD_DATA_BYTES,
  packetFault,
  parseRtpdumpHeader,
  RECORD_HEADER_BYTES,
  type RtpdumpHeader,
  type RtpdumpRecord,
} from './rtpdump.js'

/** Why the end of a file was not used. */
export type CutCause = 'bad-header' | 'torn' | 'zero-filled' | 'bad-record'

/** What a parser has seen. */
export interface RtpdumpStats {
  readonly records: number
  readonly bytes: number
  /** Records that are sound but hold no RTP or RTCP: left out. */
  readonly notRtp: number
  /** Set once the rest of the file is given up. */
  readonly cutCause?: CutCause
  /** Bytes from the cut on. */
  readonly cutBytes: number
}

/** A run of zeros this long at the end of a packet, right before a zero-filled tail, belongs to the tail. */
const SUSPECT_ZEROS = 8

/** A record with the shortest packet: RTCP has four bytes at least. */
const MIN_RECORD_BYTES = RECORD_HEADER_BYTES + 4

const empty = new Uint8Array(0)

/**
 * Reads an rtpdump file that comes in chunks, and cuts it at the first record that cannot be one: a recorder that is
 * killed leaves a torn record at the end, a machine that loses power often leaves zeros.
 * It holds at most one record beside the chunk. Data are views into the chunks, which belong to the parser.
 */
export class RtpdumpParser {
  readonly #holdLast: boolean
  #header: RtpdumpHeader | undefined
  /** The start of a header or record whose end is not here yet. */
  #rest: Uint8Array = empty
  /** The last record, until it is seen that no zero-filled tail follows. */
  #held: RtpdumpRecord | undefined
  #records = 0
  #bytes = 0
  #notRtp = 0
  #cutCause: CutCause | undefined
  #cutBytes = 0

  /**
   * `holdLast` keeps back each record until the next has begun, which tells whether zeros at its end were written or
   * are the first bytes that never reached the disk. A reader that follows a growing file does without.
   * @defaultValue true
   */
  constructor(options: { readonly holdLast?: boolean } = {}) {
    this.#holdLast = options.holdLast ?? true
  }

  /** What stood before the records, once it is known. */
  get header(): RtpdumpHeader | undefined {
    return this.#header
  }

  get stats(): RtpdumpStats {
    const cut = this.#cutCause === undefined ? {} : { cutCause: this.#cutCause }
    return { records: this.#records, bytes: this.#bytes, notRtp: this.#notRtp, ...cut, cutBytes: this.#cutBytes }
  }

  /** Takes the next chunk of the file, of any size. */
  push(chunk: Uint8Array, emit: Emit<RtpdumpRecord>): void {
    this.#bytes += chunk.byteLength
    if (this.#cutCause !== undefined) {
      this.#cutBytes += chunk.byteLength
      return
    }
    let bytes = chunk
    let offset = 0
    while (offset < bytes.byteLength || this.#rest.byteLength > 0) {
      if (this.#rest.byteLength > 0) {
        // Only the one record that the chunks' border divides is copied.
        const wanted = this.#missing(this.#rest)
        if (wanted > 0) {
          if (offset === bytes.byteLength) return
          const taken = bytes.subarray(offset, offset + wanted)
          this.#rest = join(this.#rest, taken)
          offset += taken.byteLength
          continue
        }
        const whole = this.#rest
        this.#rest = empty
        const used = this.#readOne(whole, 0, emit)
        if (used < 0) {
          this.#giveUp(whole, bytes.byteLength - offset)
          return
        }
        // The header line may have brought bytes of the records behind it.
        if (used < whole.byteLength) {
          bytes = join(whole.subarray(used), bytes.subarray(offset))
          offset = 0
        }
        continue
      }
      const used = this.#readOne(bytes, offset, emit)
      if (used < 0) {
        this.#giveUp(bytes.subarray(offset), 0)
        return
      }
      if (used === 0) {
        // A copy: the rest must not keep a whole chunk in memory while a silent track waits for its next packet.
        this.#rest = bytes.slice(offset)
        return
      }
      offset += used
    }
  }

  /** The file has ended: what is left of a record is a torn one. */
  flush(emit: Emit<RtpdumpRecord>): void {
    if (this.#rest.byteLength > 0) {
      const rest = this.#rest
      this.#rest = empty
      this.#cut(isZero(rest) ? 'zero-filled' : 'torn', rest.byteLength)
    }
    this.#release(emit)
  }

  /** How many bytes more are needed before `bytes` can be read as one header or record; 0 when enough are here. */
  #missing(bytes: Uint8Array): number {
    if (this.#header === undefined) {
      return parseRtpdumpHeader(bytes) === 'incomplete' ? MAX_FIRST_LINE_BYTES + 16 - bytes.byteLength : 0
    }
    if (bytes.byteLength < MIN_RECORD_BYTES) return MIN_RECORD_BYTES - bytes.byteLength
    // What can be no record is judged now: as many bytes as it claims may never come.
    return Math.max(0, recordLength(bytes, 0) - bytes.byteLength)
  }

  /** Bytes used; 0 when the record is not whole yet; -1 when there can be none. */
  #readOne(bytes: Uint8Array, at: number, emit: Emit<RtpdumpRecord>): number {
    if (this.#header === undefined) {
      const parsed = parseRtpdumpHeader(at === 0 ? bytes : bytes.subarray(at))
      if (parsed === 'incomplete') return 0
      if (parsed === undefined) return -1
      this.#header = parsed.header
      return parsed.byteLength
    }
    const left = bytes.byteLength - at
    if (left < MIN_RECORD_BYTES) return 0
    const length = recordLength(bytes, at)
    if (length < 0) return -1
    if (left < length) return 0
    const data = bytes.subarray(at + RECORD_HEADER_BYTES, at + length)
    const fault = packetFault(data)
    if (fault !== undefined) {
      if (isZero(data)) return -1
      this.#notRtp += 1
      return length
    }
    const offsetMs =
      (bytes[at + 4] as number) * 0x100_0000 +
      (((bytes[at + 5] as number) << 16) | ((bytes[at + 6] as number) << 8) | (bytes[at + 7] as number))
    const record = { data, offsetMs, rtcp: isRtcpRecord(bytes, at) }
    this.#release(emit)
    if (this.#holdLast) this.#held = record
    else this.#emitRecord(record, emit)
    return length
  }

  #release(emit: Emit<RtpdumpRecord>): void {
    if (this.#held === undefined) return
    const record = this.#held
    this.#held = undefined
    if (this.#cutCause === 'zero-filled' && endsInZeros(record.data)) {
      this.#cutBytes += RECORD_HEADER_BYTES + record.data.byteLength
      return
    }
    this.#emitRecord(record, emit)
  }

  #emitRecord(record: RtpdumpRecord, emit: Emit<RtpdumpRecord>): void {
    this.#records += 1
    emit(record)
  }

  #giveUp(bytes: Uint8Array, bytesBehind: number): void {
    const cause = this.#header === undefined ? 'bad-header' : startsInZeros(bytes) ? 'zero-filled' : 'bad-record'
    this.#cut(cause, bytes.byteLength + bytesBehind)
  }

  #cut(cause: CutCause, bytes: number): void {
    this.#cutCause = cause
    this.#cutBytes += bytes
  }
}

/** A record that a chunk's border divides is at most 64 KiB, so this copy stays small. */
function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.byteLength + second.byteLength)
  joined.set(first)
  joined.set(second, first.byteLength)
  return joined
}

/** The length that a record claims, its header included; -1 where it can be no record. */
function recordLength(bytes: Uint8Array, at: number): number {
  const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  const packetLength = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  const dataLength = length - RECORD_HEADER_BYTES
  if (length < MIN_RECORD_BYTES || dataLength > MAX_RECORD_DATA_BYTES) return -1
  // The packet length may differ in captures that kept headers only; a journal holds whole packets.
  return packetLength !== 0 && packetLength !== dataLength ? -1 : length
}

/** RTCP has a packet length of 0 (rtptools). */
function isRtcpRecord(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 2] === 0 && bytes[at + 3] === 0
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** The offset and the data of a record that never reached the disk are zero; its length may have been the last to do so. */
function startsInZeros(bytes: Uint8Array): boolean {
  return isZero(bytes.subarray(0, 2)) || isZero(bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + 4))
}

function endsInZeros(data: Uint8Array): boolean {
  return isZero(data.subarray(-SUSPECT_ZEROS))
}

/** Reads a whole file in memory. */
export function parseRtpdump(bytes: Uint8Array): {
  readonly header: RtpdumpHeader | undefined
  readonly records: readonly RtpdumpRecord[]
  readonly stats: RtpdumpStats
} {
  const parser = new RtpdumpParser()
  const records: RtpdumpRecord[] = []
  const keep = (record: RtpdumpRecord): void => void records.push(record)
  parser.push(bytes, keep)
  parser.flush(keep)
  return { header: parser.header, records, stats: parser.stats }
}
