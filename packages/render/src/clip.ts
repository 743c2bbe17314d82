import type { Emit, EncodedSample, TimedItem, Track } from '@rushes/media'
import { nalPiecesOf, piecesLength, ticksToUs, timescaleOf } from '@rushes/media'

/** Where to begin and end, microseconds of recording time. */
export interface ClipOptions {
  readonly tracks: readonly Track[]
  readonly fromUs?: number | undefined
  readonly toUs?: number | undefined
}

/** Browsers send keyframes when they are asked, so that a group of pictures may last for an hour: 64 MiB are held. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

/**
 * Cuts a stretch out of interleaved samples. Video is copied, so the stretch begins with the last keyframe at or before
 * `fromUs`, and sound with it; where no camera was on by then, sound begins at `fromUs` and the camera comes later. It
 * ends in decoding order: a picture that others refer to may be shown a little after `toUs`.
 * Holds one group of pictures, of at most 64 MiB: a clip in a longer one begins with that one's keyframe.
 */
export class Clip {
  readonly #tracks: Track[] = []
  readonly #timescales = new Map<string, number>()
  readonly #ended = new Set<string>()
  /** On whose keyframes the stretch begins. */
  #mainTrack: Track | undefined
  readonly #fromUs: number
  readonly #toUs: number
  /** Since the last keyframe of the main track, while it is not known whether they are wanted. */
  #held: TimedItem[] = []
  #heldBytes = 0
  #heldKeyframe = false
  #open: boolean
  /** Of a track: what was skipped still tells the configuration that the first sample kept needs. */
  readonly #pending = new Map<string, EncodedSample['configuration']>()
  readonly #begun = new Set<string>()

  constructor(options: ClipOptions) {
    for (const track of options.tracks) this.addTrack(track)
    this.#fromUs = options.fromUs ?? Number.NEGATIVE_INFINITY
    this.#toUs = options.toUs ?? Number.POSITIVE_INFINITY
    this.#open = options.fromUs === undefined
  }

  addTrack(track: Track): void {
    this.#tracks.push(track)
    this.#timescales.set(track.id, timescaleOf(track))
    this.#chooseMainTrack()
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    if (item.type === 'track-end') {
      if (this.#open) emit(item)
      else this.#endTrack(item)
      return
    }
    const timescale = this.#timescales.get(item.trackId) ?? 1
    const dtsUs = ticksToUs(item.dts, timescale)
    if (dtsUs >= this.#toUs) return
    if (item.type === 'sample' && !this.#open) {
      const ptsUs = ticksToUs(item.pts, timescale)
      const isMain = item.trackId === this.#mainTrack?.id
      if (isMain && item.keyframe && ptsUs <= this.#fromUs) {
        this.#skipHeld()
        this.#heldKeyframe = true
      }
      if (dtsUs < this.#fromUs && !(isMain && ptsUs >= this.#fromUs)) {
        this.#hold(item)
        if (this.#heldBytes > MAX_HELD_BYTES) this.#release(emit)
        return
      }
    }
    if (!this.#open && dtsUs < this.#fromUs && item.type === 'watermark') return
    if (!this.#open) this.#release(emit)
    if (item.type === 'sample') this.#emitSample(item, emit)
    else emit(item)
  }

  #hold(sample: EncodedSample): void {
    if (!this.#heldKeyframe) {
      this.#skip(sample)
      return
    }
    this.#held.push(sample)
    this.#heldBytes += sizeOf(sample)
  }

  #skip(sample: EncodedSample): void {
    if (sample.configuration !== undefined) this.#pending.set(sample.trackId, sample.configuration)
  }

  #skipHeld(): void {
    for (const item of this.#held) if (item.type === 'sample') this.#skip(item)
    this.#held = this.#held.filter((item) => item.type === 'track-end')
    this.#heldBytes = 0
  }

  /** A camera that is off before the stretch begins is not in it: another track leads. */
  #endTrack(item: TimedItem): void {
    this.#ended.add(item.trackId)
    if (item.trackId === this.#mainTrack?.id) {
      this.#skipHeld()
      this.#heldKeyframe = false
      this.#chooseMainTrack()
    }
    this.#held.push(item)
  }

  #chooseMainTrack(): void {
    const running = this.#tracks.filter(({ id }) => !this.#ended.has(id))
    this.#mainTrack = running.find(({ kind }) => kind === 'video') ?? running[0]
  }

  #release(emit: Emit<TimedItem>): void {
    this.#open = true
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const item of held) {
      if (item.type === 'sample') this.#emitSample(item, emit)
      else emit(item)
    }
  }

  #emitSample(sample: EncodedSample, emit: Emit<TimedItem>): void {
    if (this.#begun.has(sample.trackId)) {
      emit(sample)
      return
    }
    // A second camera, whose keyframe lay before the main one's.
    if (!sample.keyframe) {
      this.#skip(sample)
      return
    }
    this.#begun.add(sample.trackId)
    const configuration = this.#pending.get(sample.trackId)
    this.#pending.delete(sample.trackId)
    emit(configuration === undefined ? sample : { ...sample, configuration: sample.configuration ?? configuration })
  }
}

function sizeOf(sample: EncodedSample): number {
  let bytes = 0
  for (const pieces of nalPiecesOf(sample)) bytes += piecesLength(pieces)
  return bytes
}
