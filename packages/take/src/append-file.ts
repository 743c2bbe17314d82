import { type OpenFile, type TakeFileSystem, writeAll } from './file-system.js'
import { RECORD_HEADER_BYTES, writeRtpdumpRecord } from './rtpdump.js'

/** A buffer that outgrew this is let go once it has been written, so that one burst does not cost memory for ever. */
const KEPT_BYTES = 1_048_576

/** Bytes that wait to be written, in one growing buffer. */
class ByteBatch {
  #bytes: Uint8Array = new Uint8Array(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Makes room for `size` bytes and says where in `bytes` they begin. */
  reserve(size: number): number {
    const offset = this.#length
    const needed = offset + size
    if (needed > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
      larger.set(this.view)
      this.#bytes = larger
    }
    this.#length = needed
    return offset
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  clear(): void {
    this.#length = 0
    if (this.#bytes.byteLength > KEPT_BYTES) this.#bytes = new Uint8Array(4096)
  }
}

/**
 * A file that grows at its end. Bytes are gathered in memory, and written in one go by `flush`. What a failed write has
 * not brought to the disk stays in memory, in its place: the next `flush` writes it again at the same position.
 */
export class AppendFile {
  readonly path: string
  readonly #files: TakeFileSystem
  #handle: OpenFile | undefined
  #created = false
  #position = 0
  #filling: ByteBatch = new ByteBatch()
  #writing: ByteBatch = new ByteBatch()

  /** The file must not exist: it is created by the first `flush`, with `header`. */
  constructor(path: string, files: TakeFileSystem, header?: Uint8Array) {
    this.path = path
    this.#files = files
    if (header !== undefined) this.append(header)
  }

  /** Bytes in memory. */
  get bufferedBytes(): number {
    return this.#filling.length + this.#writing.length
  }

  /** Length of the file once everything has been written. */
  get totalBytes(): number {
    return this.#position + this.bufferedBytes
  }

  /** The file has its name in the folder. */
  get created(): boolean {
    return this.#created
  }

  append(bytes: Uint8Array): void {
    const offset = this.#filling.reserve(bytes.byteLength)
    this.#filling.bytes.set(bytes, offset)
  }

  /** Appends one record of an rtpdump file: the one copy that a packet costs. */
  appendRecord(data: Uint8Array, offsetMs: number, rtcp: boolean): void {
    const offset = this.#filling.reserve(RECORD_HEADER_BYTES + data.byteLength)
    writeRtpdumpRecord(this.#filling.bytes, offset, data, offsetMs, rtcp)
  }

  /** Writes what was in memory when it was called. Never called while it runs. */
  async flush(): Promise<void> {
    if (this.bufferedBytes === 0 && (this.#handle !== undefined || this.#created)) return
    this.#handle ??= await this.#files.open(this.path, this.#created ? 'r+' : 'wx')
    this.#created = true
    // After a failure the older bytes go first, and alone.
    for (let round = this.#writing.length > 0 ? 0 : 1; round < 2; round += 1) {
      if (round === 1) [this.#filling, this.#writing] = [this.#writing, this.#filling]
      const bytes = this.#writing.view
      await writeAll(this.#handle, bytes, this.#position)
      this.#position += bytes.byteLength
      this.#writing.clear()
    }
  }

  /** Waits until what has been written is on the disk. */
  async sync(): Promise<void> {
    await this.#handle?.datasync()
  }

  /** A later `flush` opens the file again. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }
}
