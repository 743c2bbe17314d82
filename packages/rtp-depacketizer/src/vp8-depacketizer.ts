import { parseVp8FrameHeader } from '@rushes/bitstream'
import { ConfigurationError, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import type { FrameDepacketizerOptions } from './depacketizer-options.js'
import { FrameDepacketizer } from './frame/frame-depacketizer.js'
import { type FrameStats, zeroFrameStats } from './frame/frame-stats.js'
import { TemporalLayers } from './frame/temporal-layers.js'
import { sliceHead } from './nal/slice-head.js'
import type { RtpMalformed } from './rtp-stats.js'
import { Vp8PayloadDescriptor } from './vp8/payload-descriptor.js'

const MALFORMED_VP8 = ['payload-descriptor', 'frame-header'] as const

/** What of VP8 could not be read. */
export type Vp8Malformed = (typeof MALFORMED_VP8)[number]

/** Bytes of a frame that are read (RFC 6386 §9.1). */
const HEAD_BYTES = 10

/**
 * VP8 from RTP (RFC 7741): each frame is one access unit of one unit, whose pieces are views into the packets. Loss
 * within a higher temporal layer, or of frames that no other depends on, freezes only what depends on them.
 */
export class Vp8Depacketizer extends FrameDepacketizer {
  readonly #stats: FrameStats & { malformed: Record<RtpMalformed | Vp8Malformed, number> }
  readonly #layers = new TemporalLayers()
  readonly #descriptor = new Vp8PayloadDescriptor()
  /** Of the first packet of the frame that came with one. */
  readonly #place = new Vp8PayloadDescriptor()
  #pieces: Uint8Array[] = []
  #started = false
  #placed = false

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: FrameDepacketizerOptions = {}) {
    if (track.codec !== 'vp8') throw new ConfigurationError('track.codec', "must be 'vp8'", track.codec)
    const stats = zeroFrameStats(MALFORMED_VP8)
    super(track, options, stats)
    this.#stats = stats
  }

  /** Live counters. */
  override get stats(): Readonly<FrameStats> {
    return this.#stats
  }

  protected override pushPayload(bytes: Uint8Array, start: number, end: number): void {
    const descriptor = this.#descriptor
    const offset = descriptor.read(bytes, start, end)
    if (offset < 0) {
      this.malformed('payload-descriptor')
      this.picture.break('damaged')
      return
    }
    // A frame that is not shown may share its timestamp with the next.
    if (descriptor.startsFrame && this.#placed) this.split()
    const { picture } = this
    if (!this.#placed) {
      this.#placed = true
      this.#place.copy(descriptor)
      this.#started = descriptor.startsFrame
      if (!this.#started) picture.break('beginning-lost')
    }
    if (!picture.account(end - offset)) picture.break('too-large')
    if (picture.broken === undefined) {
      this.#pieces.push(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, end - offset))
    } else this.#pieces = []
  }

  protected override interrupt(): void {
    this.picture.break('packet-lost')
    this.#pieces = []
  }

  protected override finishPicture(gap: number): void {
    const pieces = this.#pieces
    const isPlaced = this.#placed
    this.#pieces = []
    this.#placed = false
    const { broken } = this.picture
    if (broken !== undefined || pieces.length === 0) {
      this.#drop(gap, isPlaced)
      this.dropPicture(broken ?? 'damaged')
      return
    }
    this.#judge(pieces, gap)
  }

  protected override forget(): void {
    this.#layers.reset()
    this.#pieces = []
    this.#placed = false
  }

  /** The frame is not whole. */
  #drop(gap: number, isPlaced: boolean): void {
    const { ledger } = this
    const place = this.#place
    ledger.addMissing()
    if (!isPlaced) this.#layers.spoil(0)
    else {
      this.#layers.advance(place, gap)
      if (!place.nonReference) this.#layers.spoil(place.temporalId)
    }
    if (ledger.waiting || !this.#layers.isIntact(0)) ledger.ask()
  }

  /** A whole frame: is it of use? */
  #judge(pieces: Uint8Array[], gap: number): void {
    const place = this.#place
    const layers = this.#layers
    const { ledger } = this
    if (layers.advance(place, gap) !== 0) ledger.addMissing()
    let configuration: VideoConfiguration | undefined
    const isKeyframe = (pieces[0]![0]! & 1) === 0
    if (isKeyframe) {
      configuration = this.#configurationOf(pieces)
      if (configuration === undefined) {
        this.malformed('frame-header')
        this.#drop(0, true)
        this.dropPicture('damaged')
        return
      }
      layers.restore()
    } else if (ledger.waiting) {
      ledger.ask()
      this.dropPicture('before-keyframe')
      return
    } else {
      const isDecodable = layers.isIntact(place.layerSync ? 0 : place.temporalId)
      if (!layers.isIntact(0)) ledger.ask()
      if (!isDecodable && this.freezes) {
        if (!place.nonReference) layers.spoil(place.temporalId)
        this.dropPicture('frozen')
        return
      }
      if (isDecodable && place.layerSync) layers.mend(place.temporalId, place.temporalId)
    }
    this.emitPicture([pieces], isKeyframe, configuration)
  }

  #configurationOf(pieces: readonly Uint8Array[]): VideoConfiguration | undefined {
    try {
      const { width, height } = parseVp8FrameHeader(sliceHead(pieces, HEAD_BYTES))
      if (width === undefined || height === undefined) return undefined
      return { kind: 'video', codec: 'vp8', codecString: 'vp8', width, height, rotation: 0, reorderDepth: 0 }
    } catch {
      return undefined
    }
  }
}
