import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Track } from '@rushes/media'
import { ArrivalQueue } from './arrival-queue.js'
import type { TakeDamage } from './damage.js'
import { systemCode } from './errors.js'
import type { RtpdumpRecord } from './rtpdump.js'
import { RtpdumpParser } from './rtpdump-parser.js'
import type { TakeEventItem, TakeRecord } from './take-source.js'

/** How a track's file is read. */
export interface TrackFileOptions {
  /** Bytes asked for in one read. */
  readonly chunkBytes: number
  /** Only RTCP: packets are skipped and one buffer serves all reads. */
  readonly rtcpOnly?: boolean
  /** The file may still grow: its end is not final until `settle`. */
  readonly growing?: boolean
}

/** Reads one track's file chunk by chunk into a queue. */
export class TrackFile {
  readonly track: Track
  readonly participantId: string
  /** What has been read and not yet taken; it is open until the end of the file has been reached. */
  readonly queue: ArrivalQueue<TakeRecord | TakeEventItem>
  readonly #path: string
  readonly #parser: RtpdumpParser
  readonly #options: TrackFileOptions
  #growing: boolean
  #handle: FileHandle | undefined
  #position = 0
  #lastUs = 0
  #shared: Uint8Array | undefined
  #failed: TakeDamage | undefined

  constructor(dir: string, file: string, track: Track, participantId: string, options: TrackFileOptions) {
    this.#path = join(dir, file)
    this.track = track
    this.participantId = participantId
    this.queue = new ArrivalQueue(true)
    this.#options = options
    this.#growing = options.growing === true
    this.#parser = new RtpdumpParser({ holdLast: options.growing !== true })
  }

  /** Arrival of the newest record so far, in microseconds after the start. */
  get lastUs(): number {
    return this.#lastUs
  }

  readonly #emit = ({ data, offsetMs, rtcp }: RtpdumpRecord): void => {
    // A record that says that it came before its predecessor is given the predecessor's time: arrival never steps back.
    this.#lastUs = Math.max(this.#lastUs, offsetMs * 1000)
    if (this.#options.rtcpOnly === true && !rtcp) return
    const own = this.#options.rtcpOnly === true ? data.slice() : data
    this.queue.add({ type: 'packet', trackId: this.track.id, data: own, arrivalUs: this.#lastUs, rtcp })
  }

  /**
   * Reads the next chunk and says whether there was one. At the end of the file the queue is closed, and so is the
   * file unless it may grow. What the operating system refuses is damage, not an exception.
   */
  async read(): Promise<boolean> {
    try {
      this.#handle ??= await open(this.#path, 'r')
      const { chunkBytes, rtcpOnly } = this.#options
      // Fresh memory for each chunk: the packets are views into it and belong to whoever takes them.
      const chunk = rtcpOnly === true ? this.#sharedChunk(chunkBytes) : new Uint8Array(chunkBytes)
      const { bytesRead } = await this.#handle.read(chunk, 0, chunkBytes, this.#position)
      this.#position += bytesRead
      this.#parser.push(chunk.subarray(0, bytesRead), this.#emit)
      // A short read of a growing file is its end for now: merging need not wait for more.
      if (this.#growing) this.queue.open = bytesRead === chunkBytes
      if (bytesRead > 0) return true
    } catch (error) {
      const code = systemCode(error)
      if (code === undefined) throw error
      // The file of a track that was just announced may not be there yet.
      if (code !== 'ENOENT' || !this.#growing)
        this.#failed = { trackId: this.track.id, cause: code === 'ENOENT' ? 'missing' : 'unreadable', bytes: 0 }
    }
    if (this.#growing) this.queue.open = false
    else await this.finish()
    return false
  }

  /** The file grows no longer: reading goes on to its end, which is then final. */
  settle(): void {
    this.#growing = false
    this.queue.open = true
  }

  #sharedChunk(chunkBytes: number): Uint8Array {
    this.#shared ??= new Uint8Array(chunkBytes)
    return this.#shared
  }

  /** Nothing more will be written: what is left of a record is a torn one. */
  async finish(): Promise<void> {
    this.#parser.flush(this.#emit)
    this.queue.open = false
    await this.close()
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** What was wrong with the file, as far as it has been read. */
  get damage(): readonly TakeDamage[] {
    const { cutCause, cutBytes, notRtp } = this.#parser.stats
    const found: TakeDamage[] = this.#failed === undefined ? [] : [this.#failed]
    if (cutCause !== undefined) found.push({ trackId: this.track.id, cause: cutCause, bytes: cutBytes })
    if (notRtp > 0) found.push({ trackId: this.track.id, cause: 'not-rtp', bytes: notRtp })
    return found
  }
}
