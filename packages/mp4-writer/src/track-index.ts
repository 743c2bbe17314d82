import { type Column, float64Column, int32Column, uint32Column } from './column.js'

/** One sample as the containers need it. Times are ticks of the track's timescale from media time zero. */
export interface IndexedSample {
  readonly dts: number
  readonly pts: number
  readonly sizeBytes: number
  readonly keyframe: boolean
  /** Ticks, a guess where the sample did not tell it. */
  readonly duration: number
}

/**
 * What the sample tables of a track need to know (ISO/IEC 14496-12 §8.6, §8.7), 8 bytes a sample (12 with B-frames), and half
 * as much again while it grows: all that a file holds in memory, at most 4.4 MB an hour for 30 pictures and 50 packets
 * of sound a second.
 */
export class TrackIndex {
  readonly sizes: Column<Uint32Array> = uint32Column()
  /** Decoding time from each sample to the next; one fewer than samples. */
  readonly deltas: Column<Uint32Array> = uint32Column()
  /** Presentation minus decoding time; empty as long as all are zero. */
  readonly compositionOffsets: Column<Int32Array> = int32Column()
  /** Numbers of the keyframes, from 1. */
  readonly keyframes: Column<Uint32Array> = uint32Column()
  /** For each run of samples that lie together: how many, and where in the file while it is written. */
  readonly chunkSamples: Column<Uint32Array> = uint32Column()
  readonly chunkPositions: Column<Float64Array> = float64Column()
  /** Where the chunk lies among the media data alone, headers left out. */
  readonly chunkOffsets: Column<Float64Array> = float64Column()
  firstDts: number | undefined
  lastDts = 0
  lastDuration = 0
  /** Where the presentation begins and ends. */
  minPts: number = Number.POSITIVE_INFINITY
  endPts: number = Number.NEGATIVE_INFINITY
  #maxPts: number = Number.NEGATIVE_INFINITY

  get samples(): number {
    return this.sizes.length
  }

  add(sample: IndexedSample): void {
    if (this.firstDts === undefined) this.firstDts = sample.dts
    else this.deltas.push(sample.dts - this.lastDts)
    this.lastDts = sample.dts
    this.lastDuration = sample.duration
    const offset = sample.pts - sample.dts
    if (offset !== 0 || this.compositionOffsets.length > 0) {
      while (this.compositionOffsets.length < this.samples) this.compositionOffsets.push(0)
      this.compositionOffsets.push(offset)
    }
    this.sizes.push(sample.sizeBytes)
    if (sample.keyframe) this.keyframes.push(this.samples)
    this.minPts = Math.min(this.minPts, sample.pts)
    // Where a later sample begins the one before has ended, whatever length it was thought to have.
    if (sample.pts >= this.#maxPts) {
      this.#maxPts = sample.pts
      this.endPts = sample.pts + sample.duration
    }
  }

  /** The samples added since the last call lie together, at `position` of the file and `offset` of the media data. */
  endChunk(samples: number, position: number, offset: number): void {
    this.chunkSamples.push(samples)
    this.chunkPositions.push(position)
    this.chunkOffsets.push(offset)
  }
}
