/** What went missing since the last picture that was emitted, and whether a keyframe has been asked for. */
export class LossLedger {
  readonly #signal: (reason: 'start' | 'loss') => void
  #signalled = false
  #lostPackets = 0
  #pictureMissing = false
  #anyEmitted = false
  #waiting = true

  constructor(signal: (reason: 'start' | 'loss') => void) {
    this.#signal = signal
  }

  /** No keyframe of this source has been emitted yet. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** A new source: waits for its first keyframe. */
  restart(): void {
    this.#signalled = false
    this.#lostPackets = 0
    this.#pictureMissing = false
    this.#anyEmitted = false
    this.#waiting = true
  }

  addLost(packets: number): void {
    this.#lostPackets += packets
  }

  /** A picture is missing, or may be. */
  addMissing(): void {
    this.#pictureMissing = true
  }

  /** Asks for a keyframe, once until one has come. */
  ask(): void {
    if (this.#signalled) return
    this.#signalled = true
    this.#signal(this.#waiting ? 'start' : 'loss')
  }

  /** A keyframe is being emitted. */
  answered(): void {
    this.#signalled = false
    this.#waiting = false
  }

  /**
   * A picture is emitted. Returns the packets lost before it, 0 where a picture is missing without a loss, `undefined`
   * where nothing is; and a negative number of packets that no picture was in.
   */
  settle(): number | undefined {
    const lost = this.#lostPackets
    const isMissing = this.#pictureMissing
    const isTold = this.#anyEmitted
    this.#lostPackets = 0
    this.#pictureMissing = false
    this.#anyEmitted = true
    if (!isTold || (lost === 0 && !isMissing)) return undefined
    return isMissing ? lost : -lost
  }
}
