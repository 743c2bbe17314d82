import type { Emit, EncodedSample, SegmentFormat, SegmentStart, Track } from '@rushes/media'

/**
 * A format whose bytes say what went in: one line `B` (or `D`, with a discontinuity), one line per sample, one `E`.
 * It throws where the contract of SegmentFormat is broken.
 */
export class RecordingFormat implements SegmentFormat {
  readonly container: 'mpeg-ts' | 'cmaf' = 'mpeg-ts'
  readonly contentType: string = 'video/mp2t'
  readonly extension: string = 'ts'
  readonly added: string[] = []
  readonly pushed: EncodedSample[] = []
  #tracks: Track[]
  #open = false

  constructor(tracks: readonly Track[]) {
    this.#tracks = [...tracks]
  }

  get tracks(): readonly Track[] {
    return this.#tracks
  }

  addTrack(track: Track): void {
    if (this.#open) throw new Error('addTrack inside a segment')
    this.added.push(track.id)
    this.#tracks = [...this.#tracks, track]
  }

  begin({ discontinuity }: SegmentStart, emit: Emit<Uint8Array>): void {
    if (this.#open) throw new Error('begin inside a segment')
    this.#open = true
    emit(line(`${discontinuity ? 'D' : 'B'}${this.#tracks.map(({ id }) => ` ${id}`).join('')}`))
  }

  push(sample: EncodedSample, emit: Emit<Uint8Array>): void {
    if (!this.#open) throw new Error('push outside of a segment')
    if (!this.#tracks.some(({ id }) => id === sample.trackId)) throw new Error(`${sample.trackId} is not in the tables`)
    this.pushed.push(sample)
    emit(line(`${sample.trackId} ${sample.dts} ${sample.pts}${sample.keyframe ? ' K' : ''}`))
    if (sample.data instanceof Uint8Array) emit(sample.data)
  }

  end(emit: Emit<Uint8Array>): void {
    if (!this.#open) throw new Error('end outside of a segment')
    this.#open = false
    emit(line('E'))
  }
}

/** The lines of a segment, without padding. */
export function linesOf(body: readonly Uint8Array[]): string[] {
  return Buffer.concat(body).toString('latin1').replaceAll('\0', '').split('\n').filter(Boolean)
}

function line(text: string): Uint8Array {
  return Buffer.from(`${text}\n`)
}
