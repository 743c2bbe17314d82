import type { NewTrack, TrackSink } from '@rushes/media'

/** What a track asks of its recording. */
export interface TrackHost {
  /** Begins a stretch of the track in the journal; returns the id that it has there. */
  open(track: RecordedTrack, stretch: number): string | undefined
  close(journalId: string): void
  /** `false` when memory is short. */
  packet(journalId: string, packet: Uint8Array, arrivalUs: number): boolean
  ended(track: RecordedTrack): void
  nowUs(): number
}

/** Counters of a track. */
export interface RecordedTrackStats {
  readonly packets: number
  readonly bytes: number
  /** While it was paused or nobody had subscribed to it, or after its end. */
  readonly skipped: number
}

/**
 * A track of the host. What is recorded of it may be several stretches: a pause ends one, and what comes after is
 * another, whose packets do not continue the first's.
 */
export class RecordedTrack implements TrackSink {
  readonly id: string
  readonly definition: NewTrack
  readonly #host: TrackHost
  #stretch = 0
  #journalId: string | undefined
  #isOpen = false
  #isEnded = false
  #packets = 0
  #bytes = 0
  #skipped = 0

  constructor(id: string, definition: NewTrack, host: TrackHost) {
    this.id = id
    this.definition = definition
    this.#host = host
  }

  get stats(): RecordedTrackStats {
    return { packets: this.#packets, bytes: this.#bytes, skipped: this.#skipped }
  }

  /** The id of the stretch that is being written, if one is. */
  get journalId(): string | undefined {
    return this.#isOpen ? this.#journalId : undefined
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  write(packet: Uint8Array, arrivalUs: number = this.#host.nowUs()): boolean {
    if (!this.#isOpen || this.#journalId === undefined) {
      this.#skipped++
      return true
    }
    this.#packets++
    this.#bytes += packet.byteLength
    return this.#host.packet(this.#journalId, packet, arrivalUs)
  }

  end(): void {
    if (this.#isEnded) return
    this.suspend()
    this.#isEnded = true
    this.#host.ended(this)
  }

  /** What comes from now on goes nowhere, without a word: the recording has been given up. */
  detach(): void {
    this.#isOpen = false
    this.#isEnded = true
  }

  /** What comes from now on is recorded. */
  proceed(): void {
    if (this.#isOpen || this.#isEnded) return
    this.#stretch += 1
    this.#journalId = this.#host.open(this, this.#stretch)
    this.#isOpen = this.#journalId !== undefined
  }

  /** What comes from now on is not. */
  suspend(): void {
    if (!this.#isOpen || this.#journalId === undefined) return
    this.#isOpen = false
    this.#host.close(this.#journalId)
  }
}
