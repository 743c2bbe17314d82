import { type DecodedPictureSink, Picture, PictureDecoder } from '@rushes/codecs'
import {
  type EncodedSample,
  nalPiecesOf,
  piecesLength,
  type TimedItem,
  ticksToUs,
  timescaleOf,
  type VideoConfiguration,
  type VideoTrack,
} from '@rushes/media'
import { type PictureTime, PictureTimes } from './picture-times.js'

/** How much of a track that nobody sees is kept undecoded, back to its last keyframe. */
export interface SkipBounds {
  readonly pictures: number
  readonly bytes: number
}

/** Of a hidden track, in case its next keyframe comes before it is seen again. */
const HIDDEN: SkipBounds = { pictures: 64, bytes: 4 << 20 }
/** Pictures that a decoder may give out at once: 16 by any standard. */
const MAX_AHEAD = 17

/** How a track's pictures are chosen. */
export interface PictureTrackOptions {
  /** A picture is shown for so long without a new one; Infinity for ever. */
  readonly holdUs: number
  /** From one picture of the composite to the next. */
  readonly frameIntervalUs: number
}

/** The picture that a track shows. */
export interface ChosenPicture {
  readonly ptsUs: number
  /** As to be shown: upright, square pixels. */
  readonly width: number
  readonly height: number
}

/** Counters since the start. */
export interface PictureTrackStats {
  /** Coded pictures that came in. */
  readonly pictures: number
  /** Coded pictures that went through the decoder. */
  readonly decoded: number
  /** Coded pictures that were never decoded, since nobody could have seen them. */
  readonly skipped: number
  /** Coded pictures that the decoder refused. */
  readonly decodeErrors: number
  /** Times that an earlier picture had to be shown, since the chosen one could not be decoded. */
  readonly frozen: number
}

interface CodedPicture {
  readonly sample: EncodedSample
  readonly time: PictureTime
  readonly dtsUs: number
  readonly bytes: number
}

/**
 * The pictures of one track: which of them is to be seen at a time, and that one decoded. What is chosen depends on the
 * pictures' times alone. Nothing is decoded before it must be.
 */
export class PictureTrack {
  readonly track: VideoTrack
  readonly #timescale: number
  readonly #times: PictureTimes
  readonly #decoder: PictureDecoder
  /** Not decoded yet, in decoding order, from `#head` on. */
  #coded: CodedPicture[] = []
  #head = 0
  /** What went into the decoder and may still come out, by presentation time. */
  #inside: PictureTime[] = []
  readonly #current: Picture
  readonly #ahead: Picture[]
  #aheadCount = 0
  #chosen: PictureTime | undefined
  #isEnded = false
  #configuration: VideoConfiguration | undefined
  /** The latest time that came out of the decoder. */
  #lastOut = Number.NEGATIVE_INFINITY
  readonly #stats = { pictures: 0, decoded: 0, skipped: 0, decodeErrors: 0, frozen: 0 }

  private constructor(track: VideoTrack, options: PictureTrackOptions, decoder: PictureDecoder, pictures: Picture[]) {
    this.track = track
    this.#timescale = timescaleOf(track)
    this.#times = new PictureTimes(options)
    this.#decoder = decoder
    const [current, ...ahead] = pictures as [Picture, ...Picture[]]
    this.#current = current
    this.#ahead = ahead
  }

  /** Rejects with `CODECS_NODE_AV_MISSING`, `CODECS_NO_SUCH_CODEC` or `CODECS_OPEN_FAILED`. */
  static async open(track: VideoTrack, options: PictureTrackOptions): Promise<PictureTrack> {
    const decoder = await PictureDecoder.open(track.codec, timescaleOf(track))
    const pictures: Picture[] = []
    for (let index = 0; index <= MAX_AHEAD; index++) pictures.push(await Picture.create())
    return new PictureTrack(track, options, decoder, pictures)
  }

  get stats(): PictureTrackStats {
    return this.#stats
  }

  /** No picture with an earlier time will come; Infinity after the end. */
  get knownUntilUs(): number {
    return this.#times.knownUntilUs
  }

  /** Samples in decoding order, watermarks, and the end. What comes after the end is dropped. */
  push(item: TimedItem): void {
    if (this.#isEnded) return
    if (item.type === 'track-end') {
      this.#isEnded = true
      this.#times.end()
    } else if (item.type === 'watermark') this.#times.advance(ticksToUs(item.dts, this.#timescale))
    else this.#sample(item)
  }

  /** Nothing that still comes can change what `choose` says of this time, or of an earlier one. */
  isDecidedAt(timeUs: number): boolean {
    if (!this.#times.isDecidedAt(timeUs)) return false
    const reorderDepth = this.#configuration?.reorderDepth ?? 0
    if (reorderDepth === 0 || this.#isEnded) return true
    // The decoder gives a picture out only after so many others.
    const chosen = this.#times.nearest(timeUs)
    if (chosen === undefined) return true
    const at = this.#coded.findLastIndex((coded) => coded.time === chosen)
    return at < this.#head || this.#coded.length - 1 - at >= reorderDepth
  }

  /**
   * The picture nearest to `timeUs`, of two as near the earlier; undefined where there is none, or it is older than it may
   * be held. Times must not decrease. Decodes nothing: call `current` or `skip` afterwards.
   */
  choose(timeUs: number): ChosenPicture | undefined {
    const chosen = this.#times.choose(timeUs)
    if (chosen === undefined) return undefined
    this.#chosen = chosen
    return this.#times.isHeld(chosen, timeUs) ? chosen : undefined
  }

  /** The chosen picture, decoded; the one before where that cannot be. It holds until the next call of this object. */
  current(): Picture | undefined {
    const chosen = this.#chosen
    if (chosen === undefined) return undefined
    this.#decodeUntil(chosen)
    if (this.#current.serial === 0) return undefined
    if (this.#current.pts !== chosen.pts) this.#stats.frozen++
    return this.#current
  }

  /**
   * In place of `current`, while nobody sees the track: keeps what a later `current` needs, and no more. What exceeds
   * `bounds` is decoded. @defaultValue 64 pictures, 4 MiB
   */
  skip(bounds: SkipBounds = HIDDEN): void {
    const chosen = this.#chosen
    if (chosen === undefined) return
    this.#toKeyframe(chosen)
    let due = 0
    let bytes = 0
    for (let index = this.#head; index < this.#coded.length; index++) {
      const coded = this.#coded[index]
      if (coded === undefined || coded.dtsUs > chosen.ptsUs) break
      due++
      bytes += coded.bytes
    }
    // Beyond the bound the chain of references is followed after all.
    for (; due > bounds.pictures || bytes > bounds.bytes; due--) {
      bytes -= this.#coded[this.#head]?.bytes ?? 0
      this.#decodeNext(chosen)
    }
    this.#compact()
  }

  /** Gives native memory back. Idempotent. */
  close(): void {
    this.#isEnded = true
    this.#coded = []
    this.#head = 0
    this.#chosen = undefined
    this.#decoder.close()
    this.#current.close()
    for (const picture of this.#ahead) picture.close()
  }

  #sample(sample: EncodedSample): void {
    this.#stats.pictures++
    if (sample.configuration?.kind === 'video') this.#configuration = sample.configuration
    const { width = 0, height = 0, rotation = 0 } = this.#configuration ?? {}
    const isTurned = rotation === 90 || rotation === 270
    const time = {
      pts: sample.pts,
      ptsUs: ticksToUs(sample.pts, this.#timescale),
      width: isTurned ? height : width,
      height: isTurned ? width : height,
      rotation,
    }
    const dtsUs = ticksToUs(sample.dts, this.#timescale)
    this.#coded.push({ sample, time, dtsUs, bytes: bytesOf(sample) })
    this.#times.add(time)
    this.#times.advance(dtsUs)
  }

  #decodeUntil(chosen: PictureTime): void {
    this.#takeAhead(chosen)
    this.#toKeyframe(chosen)
    let isInside = this.#inside.includes(chosen)
    for (let more = 0; this.#lastOut < chosen.pts && more <= MAX_AHEAD; more += isInside ? 1 : 0) {
      const coded = this.#coded[this.#head]
      if (coded === undefined) {
        if (this.#isEnded && isInside) this.#decoder.drain(this.#out)
        break
      }
      const isDecodable = this.#decodeNext(chosen)
      if (coded.time === chosen) {
        isInside = true
        if (!isDecodable) break
      }
    }
    this.#compact()
  }

  /** `false` where it cannot be decoded. */
  #decodeNext(chosen: PictureTime): boolean {
    const coded = this.#coded[this.#head]
    if (coded === undefined) return false
    this.#head++
    this.#inside.push(coded.time)
    this.#stats.decoded++
    const isWanted = coded.time.pts >= chosen.pts
    const isDecodable = this.#decoder.decode(coded.sample, coded.time.pts, this.#out, isWanted)
    if (!isDecodable) this.#stats.decodeErrors++
    return isDecodable
  }

  readonly #out: DecodedPictureSink = (picture, pts) => {
    if (pts <= this.#lastOut) return
    this.#lastOut = pts
    const rotation = this.#inside.find((time) => time.pts === pts)?.rotation ?? 0
    this.#inside = this.#inside.filter((time) => time.pts > pts)
    const isDue = this.#chosen === undefined || pts <= this.#chosen.pts
    if (isDue) this.#current.hold(picture, rotation)
    else if (this.#aheadCount < this.#ahead.length) {
      this.#ahead[this.#aheadCount]?.hold(picture, rotation)
      this.#aheadCount++
    }
  }

  /** Pictures that came out before they were chosen. */
  #takeAhead(chosen: PictureTime): void {
    let taken = 0
    while (taken < this.#aheadCount && (this.#ahead[taken]?.pts ?? 0) <= chosen.pts) taken++
    if (taken === 0) return
    const last = this.#ahead[taken - 1]
    if (last !== undefined) this.#current.hold(last, last.rotation)
    const free = this.#ahead.splice(0, taken)
    for (const picture of free) picture.clear()
    this.#ahead.push(...free)
    this.#aheadCount -= taken
  }

  /** What stands before the last keyframe that is due need not be decoded. */
  #toKeyframe(chosen: PictureTime): void {
    let keyframe = this.#head
    for (let index = this.#head; index < this.#coded.length; index++) {
      const coded = this.#coded[index]
      if (coded === undefined || coded.dtsUs > chosen.ptsUs) break
      if (coded.sample.keyframe && coded.time.pts <= chosen.pts) keyframe = index
    }
    this.#stats.skipped += keyframe - this.#head
    this.#head = keyframe
  }

  #compact(): void {
    if (this.#head < 32 && this.#head < this.#coded.length) return
    this.#coded.splice(0, this.#head)
    this.#head = 0
  }
}

/** Reads the pieces: joined units would be made for nothing. */
function bytesOf(sample: EncodedSample): number {
  let bytes = 0
  for (const unit of nalPiecesOf(sample)) bytes += piecesLength(unit)
  return bytes
}
