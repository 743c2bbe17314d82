import type { Emit, Stage } from '@rushes/media'
import { CaptureInput, viewOf } from './capture-input.js'
import type { CaptureStats } from './capture-stats.js'

/** What the header of a Janus recording says. */
export interface MjrInfo {
  readonly kind: 'audio' | 'video' | 'data'
  /** As Janus names it: `opus`, `vp8`, `h264`, `g711` … */
  readonly codec: string
  /** Wall time in microseconds when the recording was created, and when its first packet was written. */
  readonly createdUs?: number
  readonly firstPacketUs?: number
  readonly fmtp?: string
  /** RTP header extensions, id to URI. */
  readonly headerExtensions?: Readonly<Record<number, string>>
  /** The payload was encrypted by the participants themselves: it cannot be decoded. */
  readonly endToEndEncrypted: boolean
}

/** One packet of a Janus recording. */
export interface MjrRecord {
  /** A view into what was pushed. */
  readonly data: Uint8Array
  /** Milliseconds after the first packet; absent in the older formats. */
  readonly timeMs?: number
}

/** Counters of a parser of Janus recordings. */
export interface MjrStats extends CaptureStats {
  /** Records too short for an RTP header: left out. */
  readonly notRtp: number
}

const PREFIX_BYTES = 10

/**
 * Reads a recording of the Janus server (.mjr) in chunks of any size: MJR00002 with a time for each packet, MJR00001
 * and the first format without. The packets are those that Janus wrote: decrypted, with SSRC, sequence number and
 * timestamp of its own; there is no RTCP. A torn or overwritten end is cut.
 */
export class MjrParser implements Stage<Uint8Array, MjrRecord> {
  readonly #input: CaptureInput = new CaptureInput()
  #info: MjrInfo | undefined
  #timed = false
  #bytes = 0
  #frames = 0
  #notRtp = 0
  #cutCause: CaptureStats['cutCause']
  #cutBytes = 0

  /** What the header said, once it is here. */
  get info(): MjrInfo | undefined {
    return this.#info
  }

  get stats(): MjrStats {
    const cut = this.#cutCause === undefined ? {} : { cutCause: this.#cutCause }
    return { bytes: this.#bytes, frames: this.#frames, notRtp: this.#notRtp, ...cut, cutBytes: this.#cutBytes }
  }

  push(chunk: Uint8Array, emit: Emit<MjrRecord>): void {
    this.#bytes += chunk.byteLength
    this.#input.push(chunk)
    while (this.#cutCause === undefined && this.#readOne(emit));
    if (this.#cutCause !== undefined) {
      this.#cutBytes += this.#input.left
      this.#input.take(this.#input.left)
    }
  }

  flush(): void {
    if (this.#input.left === 0 || this.#cutCause !== undefined) return
    this.#cutCause = this.#info === undefined ? 'bad-header' : 'torn'
    this.#cutBytes = this.#input.left
  }

  #readOne(emit: Emit<MjrRecord>): boolean {
    const prefix = this.#input.peek(PREFIX_BYTES)
    if (prefix === undefined) return false
    const view = viewOf(prefix)
    const name = String.fromCharCode(...prefix.subarray(0, 8))
    const isHeader = name === 'MJR00001' || name === 'MJR00002'
    const isFrame = name.startsWith('MEET') && (this.#timed || name === 'MEETECHO')
    if (!isFrame && (!isHeader || this.#info !== undefined)) return this.#cut()
    const length = view.getUint16(8)
    const whole = this.#input.peek(PREFIX_BYTES + length)
    if (whole === undefined) return false
    const data = whole.subarray(PREFIX_BYTES)
    if (this.#info === undefined) {
      this.#timed = name === 'MJR00002'
      this.#info = isHeader ? parseInfo(data) : firstFormat(data)
      if (this.#info === undefined) return this.#cut()
    } else if (this.#info.kind !== 'data' && length < 12) this.#notRtp += 1
    else {
      this.#frames += 1
      emit(this.#timed ? { data, timeMs: view.getUint32(4) } : { data })
    }
    this.#input.take(whole.byteLength)
    return true
  }

  #cut(): false {
    this.#cutCause = this.#info === undefined ? 'bad-header' : 'bad-record'
    return false
  }
}

/** The very first format says only `audio` or `video`: then it was Opus or VP8. */
function firstFormat(data: Uint8Array): MjrInfo | undefined {
  const word = new TextDecoder().decode(data)
  if (word === 'video') return { kind: 'video', codec: 'vp8', endToEndEncrypted: false }
  return word === 'audio' ? { kind: 'audio', codec: 'opus', endToEndEncrypted: false } : undefined
}

function parseInfo(data: Uint8Array): MjrInfo | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(data))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { t, c, s, u, f, x, e } = value as Readonly<Record<string, unknown>>
  const kind = t === 'a' ? 'audio' : t === 'v' ? 'video' : t === 'd' ? 'data' : undefined
  if (kind === undefined || typeof c !== 'string') return undefined
  const headerExtensions: Record<number, string> = {}
  for (const [id, uri] of Object.entries(typeof x === 'object' && x !== null ? x : {})) {
    if (/^\d{1,3}$/.test(id) && typeof uri === 'string') headerExtensions[Number(id)] = uri
  }
  return {
    kind,
    codec: c.toLowerCase(),
    ...(typeof s === 'number' && s > 0 ? { createdUs: s } : {}),
    ...(typeof u === 'number' && u > 0 ? { firstPacketUs: u } : {}),
    ...(typeof f === 'string' ? { fmtp: f } : {}),
    ...(Object.keys(headerExtensions).length === 0 ? {} : { headerExtensions }),
    endToEndEncrypted: e === true,
  }
}
