import { isSameVideoConfiguration } from '@rushes/bitstream'
import {
  ConfigurationError,
  type NalPieces,
  type Rotation,
  type VideoConfiguration,
  type VideoTrack,
} from '@rushes/media'
import type { FrameDepacketizerOptions } from '../depacketizer-options.js'
import type { DropCause } from '../drop-cause.js'
import { PiecedAccessUnit } from '../pieced-access-unit.js'
import { RtpDepacketizer } from '../rtp-depacketizer.js'
import type { RtpPacket } from '../rtp-packet.js'
import type { RtpMalformed } from '../rtp-stats.js'
import { rotationOf, videoOrientationId } from '../video-orientation.js'
import type { FrameStats } from './frame-stats.js'
import { LossLedger } from './loss-ledger.js'
import { Picture } from './picture.js'

/**
 * What VP8, VP9 and AV1 share: pictures out of packets, where they begin and end (with the marker, or with a new
 * timestamp), what is missing between them, and their configuration. What is whole and what can be decoded is the
 * codec's business.
 */
export abstract class FrameDepacketizer extends RtpDepacketizer {
  readonly #trackId: string
  readonly #clockRate: number
  readonly #stats: FrameStats
  readonly #orientationId: number
  protected readonly freezes: boolean
  protected readonly ledger: LossLedger
  protected readonly picture: Picture = new Picture()
  /** Packets missing since the picture before; once the current one is open, those within it too. */
  #gap = 0
  /** Those since the last packet of the current one, which may be of this one or of others. */
  #trailing = 0
  #afterGap = true
  /** Timestamp of the picture before, where nothing of it was missing. */
  #wholeTimestamp: number | undefined
  #rotation: Rotation = 0
  #configuration: VideoConfiguration | undefined

  /** Throws ConfigurationError. */
  constructor(
    track: VideoTrack,
    options: FrameDepacketizerOptions,
    stats: FrameStats & { malformed: Record<RtpMalformed, number> },
  ) {
    const afterLoss = options.afterLoss ?? 'freeze'
    if (afterLoss !== 'freeze' && afterLoss !== 'continue') {
      throw new ConfigurationError('afterLoss', "must be 'freeze' or 'continue'", afterLoss)
    }
    super(track, options, stats)
    this.#trackId = track.id
    this.#clockRate = track.clockRate
    this.#stats = stats
    this.#orientationId = videoOrientationId(track.headerExtensions)
    this.freezes = afterLoss === 'freeze'
    this.ledger = new LossLedger((reason) => this.signalKeyframeNeeded(reason))
  }

  /** Takes the payload `bytes[start]` to `bytes[end]`, which is not empty, for `this.picture`. */
  protected abstract pushPayload(bytes: Uint8Array, start: number, end: number): void
  /** Looks at the header extensions of the packet whose payload comes next. */
  protected readExtensions(_packet: RtpPacket): void {}
  /** Packets are missing within the picture, or behind it. */
  protected abstract interrupt(): void
  /** The picture has ended. `gap` packets may have been of other pictures, unseen, or of this one. */
  protected abstract finishPicture(gap: number): void
  /** The source ends or restarts: forgets what it was. */
  protected abstract forget(): void

  protected override depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const { payloadOffset: start, payloadEnd: end } = packet
    const { picture } = this
    if (start >= end) {
      if (lost > 0) this.#losePadded(packet, rtpTimestamp, lost)
      return
    }
    if (lost > 0) this.#lose(lost)
    if (picture.open && rtpTimestamp !== picture.rtpTimestamp) this.#finish()
    if (!picture.open) this.#begin(rtpTimestamp)
    picture.arrivalUs = packet.arrivalUs
    if (this.#orientationId > 0) {
      const orientation = packet.headerExtensionByte(this.#orientationId)
      if (orientation >= 0) this.#rotation = rotationOf(orientation)
    }
    this.readExtensions(packet)
    this.pushPayload(packet.bytes, start, end)
    this.#trailing = 0
    picture.marker = packet.marker
    if (packet.marker) this.#finish()
  }

  protected override endSource(): void {
    if (this.picture.open) {
      // Nothing tells whether more was to come.
      this.picture.break('unfinished')
      this.#finish()
    }
    this.ledger.restart()
    this.#gap = 0
    this.#trailing = 0
    this.#afterGap = true
    this.#wholeTimestamp = undefined
    this.forget()
  }

  /** Something that could not be read. */
  protected malformed(cause: string): void {
    const { malformed } = this.#stats
    malformed[cause] = (malformed[cause] ?? 0) + 1
  }

  protected dropPicture(cause: DropCause): void {
    this.#stats.droppedUnits[cause]++
  }

  /** A second picture begins under the same timestamp. */
  protected split(): void {
    const { rtpTimestamp, arrivalUs } = this.picture
    this.#finish()
    this.#begin(rtpTimestamp)
    this.picture.arrivalUs = arrivalUs
  }

  /** Emits what the picture has come to. `configuration` is what it says of itself, rotation aside. */
  protected emitPicture(pieces: NalPieces, keyframe: boolean, configuration: VideoConfiguration | undefined): void {
    if (keyframe) this.ledger.answered()
    const settled = this.ledger.settle()
    if (settled !== undefined && settled < 0) this.#stats.lostHarmless -= settled
    this.#stats.accessUnits++
    if (keyframe) this.#stats.keyframes++
    const { rtpTimestamp, arrivalUs, marker } = this.picture
    this.emit(
      new PiecedAccessUnit(
        this.#trackId,
        this.epoch,
        pieces,
        this.#clockRate,
        rtpTimestamp,
        arrivalUs,
        marker,
        keyframe,
        settled !== undefined && settled < 0 ? undefined : settled,
        configuration && this.#configure(configuration),
      ),
    )
  }

  #begin(rtpTimestamp: number): void {
    this.picture.begin(rtpTimestamp, this.#afterGap)
    this.#afterGap = false
  }

  #finish(): void {
    const { picture } = this
    picture.open = false
    const gap = this.#gap
    this.#gap = this.#trailing
    this.finishPicture(gap)
    this.#wholeTimestamp = picture.marker && picture.broken === undefined ? picture.rtpTimestamp : undefined
  }

  /** Packets are missing before the one that has come. */
  #lose(lost: number): void {
    this.ledger.addLost(lost)
    this.#gap += lost
    this.#trailing += lost
    this.#afterGap = true
    if (this.picture.open) this.interrupt()
  }

  /**
   * Packets are missing before padding. Padding carries the timestamp of the picture before it: where that one is
   * complete, no other can have begun in between.
   */
  #losePadded(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const isWhole = !this.picture.open && rtpTimestamp === this.#wholeTimestamp
    if (isWhole && packet.paddingBytes > 0) this.#stats.lostHarmless += lost
    else this.#lose(lost)
  }

  /** The configuration that begins here, where it is another than before. */
  #configure(read: VideoConfiguration): VideoConfiguration | undefined {
    const configuration = this.#rotation === read.rotation ? read : { ...read, rotation: this.#rotation }
    if (this.#configuration !== undefined && isSameVideoConfiguration(this.#configuration, configuration)) {
      return undefined
    }
    this.#configuration = configuration
    return configuration
  }
}
