import type { NewTrack, TrackSink, TrackTarget } from '@rushes/media'

/**
 * Takes tracks before the recording is there, so that ports are open before anything is begun that would have to be
 * undone. Packets that come until then go nowhere: they were sent before the recording's start.
 */
export class LateTarget implements TrackTarget {
  #target: TrackTarget | undefined
  readonly #waiting: LateSink[] = []

  addTrack(track: NewTrack): TrackSink {
    if (this.#target !== undefined) return this.#target.addTrack(track)
    const sink = new LateSink(track)
    this.#waiting.push(sink)
    return sink
  }

  /** The recording is there. */
  open(target: TrackTarget): void {
    this.#target = target
    for (const sink of this.#waiting.splice(0)) sink.open(target)
  }
}

class LateSink implements TrackSink {
  readonly #track: NewTrack
  #sink: TrackSink | undefined
  #ended = false

  constructor(track: NewTrack) {
    this.#track = track
  }

  get id(): string {
    return this.#sink?.id ?? ''
  }

  open(target: TrackTarget): void {
    if (!this.#ended) this.#sink = target.addTrack(this.#track)
  }

  write(packet: Uint8Array, arrivalUs?: number): boolean {
    return this.#sink?.write(packet, arrivalUs) ?? true
  }

  end(): void {
    this.#ended = true
    this.#sink?.end()
  }
}
