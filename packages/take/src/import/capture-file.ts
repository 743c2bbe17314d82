import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { TakeError } from '../errors.js'
import type { CapturedFrame, CaptureStats } from './capture-stats.js'
import { MjrParser, type MjrRecord } from './mjr-parser.js'
import { PcapParser } from './pcap-parser.js'
import { PcapngParser } from './pcapng-parser.js'

/** A capture to import: the path of a file, or its bytes with a name. */
export type CaptureSource = string | { readonly name: string; readonly bytes: Uint8Array }

/** Formats that are read, told apart by their first bytes. */
export type CaptureFormat = 'pcap' | 'pcapng' | 'mjr'

const CHUNK_BYTES = 262_144

/** One capture, which can be read again and again. */
export class CaptureFile {
  /** Without its folder. */
  readonly name: string
  readonly bytes: number
  readonly format: CaptureFormat
  /** pcap and pcapng: wall time of the first frame in microseconds. 0 for others, and where no frame is found early on. */
  readonly firstUs: number
  readonly #source: CaptureSource

  private constructor(source: CaptureSource, name: string, bytes: number, format: CaptureFormat, firstUs: number) {
    this.#source = source
    this.name = name
    this.bytes = bytes
    this.format = format
    this.firstUs = firstUs
  }

  /** @throws TakeError `TAKE_BAD_CAPTURE` when it is none of the formats, `TAKE_READ_FAILED` */
  static async open(source: CaptureSource): Promise<CaptureFile> {
    const name = basename(typeof source === 'string' ? source : source.name)
    let start: Uint8Array = new Uint8Array(0)
    for await (const chunk of chunksOf(source)) {
      start = chunk
      break
    }
    const format = formatOf(start.subarray(0, 8))
    if (format === undefined) {
      throw new TakeError('TAKE_BAD_CAPTURE', `${name} is no pcap, pcapng or mjr file`, { path: name })
    }
    return new CaptureFile(source, name, await sizeOf(source), format, firstFrameUs(format, start))
  }

  /** Frames of a pcap or pcapng file. `onBytes` is told of each chunk. */
  async frames(
    onFrame: (frame: CapturedFrame) => Promise<void> | undefined,
    onBytes: (bytes: number) => void,
  ): Promise<CaptureStats> {
    const parser = this.format === 'pcap' ? new PcapParser() : new PcapngParser()
    await this.#read(parser, onFrame, onBytes)
    return parser.stats
  }

  /** Packets of an mjr file. */
  async records(
    onRecord: (record: MjrRecord, parser: MjrParser) => Promise<void> | undefined,
    onBytes: (bytes: number) => void,
  ): Promise<MjrParser> {
    const parser = new MjrParser()
    await this.#read(parser, (record: MjrRecord) => onRecord(record, parser), onBytes)
    return parser
  }

  async #read<Item>(
    parser: { push(chunk: Uint8Array, emit: (item: Item) => void): void; flush(): void },
    onItem: (item: Item) => Promise<void> | undefined,
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    for await (const chunk of chunksOf(this.#source)) {
      const items: Item[] = []
      parser.push(chunk, (item) => void items.push(item))
      for (const item of items) {
        const waiting = onItem(item)
        if (waiting !== undefined) await waiting
      }
      onBytes(chunk.byteLength)
    }
    parser.flush()
  }
}

function firstFrameUs(format: CaptureFormat, start: Uint8Array): number {
  if (format === 'mjr') return 0
  let firstUs: number | undefined
  const parser = format === 'pcap' ? new PcapParser() : new PcapngParser()
  parser.push(start, ({ timestampUs }) => {
    firstUs ??= timestampUs
  })
  return firstUs ?? 0
}

function formatOf(start: Uint8Array): CaptureFormat | undefined {
  const hex = Buffer.from(start.subarray(0, 4)).toString('hex')
  if (hex === '0a0d0d0a') return 'pcapng'
  if (['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1'].includes(hex)) return 'pcap'
  return ['MJR00001', 'MJR00002', 'MEETECHO'].includes(Buffer.from(start).toString('latin1')) ? 'mjr' : undefined
}

/** Each chunk has memory of its own: what parsers give out are views into it. */
async function* chunksOf(source: CaptureSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof source !== 'string') {
    for (let at = 0; at < source.bytes.byteLength; at += CHUNK_BYTES) yield source.bytes.subarray(at, at + CHUNK_BYTES)
    return
  }
  const file = await openCapture(source)
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function sizeOf(source: CaptureSource): Promise<number> {
  if (typeof source !== 'string') return source.bytes.byteLength
  const file = await openCapture(source)
  try {
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

async function openCapture(path: string): ReturnType<typeof open> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    throw new TakeError('TAKE_READ_FAILED', `${path} cannot be read: ${(cause as Error).message}`, { cause, path })
  }
}
