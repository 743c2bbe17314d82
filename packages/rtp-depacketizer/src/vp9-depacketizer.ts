import { parseVp9UncompressedHeader, type Vp9FrameSize, vp9CodecString } from '@rushes/bitstream'
import { ConfigurationError, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import { integer, type Vp9DepacketizerOptions } from './depacketizer-options.js'
import type { DropCause } from './drop-cause.js'
import { FrameDepacketizer } from './frame/frame-depacketizer.js'
import { type FrameStats, zeroFrameStats } from './frame/frame-stats.js'
import { sliceHead } from './nal/slice-head.js'
import type { RtpMalformed } from './rtp-stats.js'
import { Vp9LayerFrame } from './vp9/layer-frame.js'
import { Vp9PayloadDescriptor } from './vp9/payload-descriptor.js'
import { Vp9References } from './vp9/references.js'
import { joinLayerFrames, type ReadLayerFrame, VP9_HEAD_BYTES } from './vp9/superframe.js'

const MALFORMED_VP9 = ['payload-descriptor', 'frame-header'] as const

/** What of VP9 could not be read. */
export type Vp9Malformed = (typeof MALFORMED_VP9)[number]

/** VP9 bitstream specification, Annex B: the index counts them in three bits. */
const MAX_SUPERFRAME_FRAMES = 8

/**
 * VP9 from RTP (RFC 9628), with and without layers: each picture is one access unit of one unit, a superframe where
 * several spatial layers are in it. It stays with the highest spatial layer until the sender leaves that out for good, or
 * a higher one can be decoded. Loss freezes only what depends on what was lost.
 */
export class Vp9Depacketizer extends FrameDepacketizer {
  readonly #stats: FrameStats & { malformed: Record<RtpMalformed | Vp9Malformed, number> }
  readonly #maxSpatialLayer: number
  readonly #references = new Vp9References()
  readonly #descriptor = new Vp9PayloadDescriptor()
  /** Of the first packet of the picture. */
  readonly #place = { pictureId: -1, pictureIdBits: 0, tl0PicIdx: -1, temporalId: -1 }
  #placed = false
  #firstSpatialId = 0
  #switchingUp = false
  #frames: Vp9LayerFrame[] = []
  /** The frame that the next packet may go on with. */
  #frame: Vp9LayerFrame | undefined
  /** The highest spatial layer of the picture emitted last. */
  #spatialLayer = 0
  /** Frames of pictures that came without that layer: they go, hidden, with the next that has it. */
  #carried: ReadLayerFrame[] = []
  /** Sizes of the frames in the decoder's reference slots. */
  readonly #slots: (Vp9FrameSize | undefined)[] = new Array<Vp9FrameSize | undefined>(8).fill(undefined)
  #configuration: VideoConfiguration | undefined
  #bitDepth = 8

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: Vp9DepacketizerOptions = {}) {
    if (track.codec !== 'vp9') throw new ConfigurationError('track.codec', "must be 'vp9'", track.codec)
    const stats = zeroFrameStats(MALFORMED_VP9)
    super(track, options, stats)
    this.#stats = stats
    this.#maxSpatialLayer = integer('maxSpatialLayer', options.maxSpatialLayer, 7, 0, 7)
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
      this.#frame = undefined
      return
    }
    if (this.#placed && descriptor.startsFrame && this.#isOtherPicture()) this.split()
    if (!this.#placed) this.#begin()
    if (descriptor.spatialId > this.#maxSpatialLayer) return
    const { picture } = this
    if (descriptor.startsFrame) {
      if (this.#frame !== undefined) picture.break('unfinished')
      if (descriptor.spatialId <= (this.#frames.at(-1)?.spatialId ?? -1)) {
        this.malformed('payload-descriptor')
        picture.break('damaged')
        this.#frame = undefined
        return
      }
      this.#frame = new Vp9LayerFrame(descriptor)
      this.#frames.push(this.#frame)
    } else if (this.#frame?.spatialId !== descriptor.spatialId) {
      picture.break('beginning-lost')
      this.#frame = undefined
      return
    }
    if (picture.account(end - offset)) {
      this.#frame.add(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, end - offset))
    } else {
      picture.break('too-large')
      this.#frames = []
      this.#frame = undefined
      return
    }
    if (!descriptor.endsFrame) return
    this.#frame.whole = true
    this.#frame = undefined
  }

  protected override interrupt(): void {
    // What came whole before is of use yet.
    this.picture.break('packet-lost')
    this.#frame = undefined
  }

  protected override finishPicture(gap: number): void {
    const { picture, ledger } = this
    if (this.#frame !== undefined) picture.break('unfinished')
    const frames = this.#frames
    const isPlaced = this.#placed
    this.#frames = []
    this.#frame = undefined
    this.#placed = false
    if (!isPlaced) {
      ledger.addMissing()
      this.#references.drop(0)
      this.#drop(picture.broken ?? 'damaged', -1)
      return
    }
    if (this.#references.advance(this.#place, gap) !== 0) ledger.addMissing()
    this.#judge(this.#readFrames(frames))
  }

  protected override forget(): void {
    this.#references.reset()
    this.#carried = []
    this.#frames = []
    this.#frame = undefined
    this.#placed = false
  }

  #begin(): void {
    const { pictureId, pictureIdBits, tl0PicIdx, temporalId, spatialId, switchingUp } = this.#descriptor
    const place = this.#place
    place.pictureId = pictureId
    place.pictureIdBits = pictureIdBits
    place.tl0PicIdx = tl0PicIdx
    place.temporalId = temporalId
    this.#firstSpatialId = spatialId
    this.#switchingUp = switchingUp
    this.#placed = true
  }

  /** A frame that is not shown may share its timestamp with the next picture. */
  #isOtherPicture(): boolean {
    const { pictureId, spatialId } = this.#descriptor
    if (pictureId !== this.#place.pictureId) return true
    const last = this.#frames.at(-1)
    return pictureId < 0 && last !== undefined && spatialId <= last.spatialId
  }

  /** The headers of the frames that came whole, and which of these can be decoded. */
  #readFrames(frames: readonly Vp9LayerFrame[]): ReadLayerFrame[] {
    const read: ReadLayerFrame[] = []
    // Frames of higher layers may take their size from a lower one of the same picture.
    const slots = frames.length > 1 ? [...this.#slots] : this.#slots
    for (const frame of frames) {
      if (!frame.whole) continue
      const header = readHeader(frame, slots)
      if (header === undefined) {
        this.malformed('frame-header')
        this.picture.break('damaged')
        continue
      }
      const layerFrame = { frame, header }
      const lower = read.at(-1)?.frame
      const hasLower = !frame.interLayer || (lower?.spatialId === frame.spatialId - 1 && lower.decodable)
      const hasReferences = !this.freezes || this.#references.hasReferences(layerFrame, this.#place.temporalId)
      frame.decodable = hasLower && hasReferences
      if (frames.length > 1) store(slots, layerFrame)
      read.push(layerFrame)
    }
    return read
  }

  #judge(frames: readonly ReadLayerFrame[]): void {
    const { picture, ledger } = this
    const base = frames[0]
    const keyframe = base?.header.keyframe === true && base.frame.decodable
    const incomplete = picture.broken ?? (picture.afterGap && this.#firstSpatialId > 0 ? 'beginning-lost' : undefined)
    if (incomplete !== undefined) ledger.addMissing()
    if (!keyframe && ledger.waiting) {
      this.#drop(incomplete ?? 'before-keyframe', -1)
      return
    }
    const top = this.#topLayer(frames, keyframe, incomplete !== undefined)
    const included = top < 0 ? [] : frames.filter(({ frame }) => frame.decodable && frame.spatialId <= top)
    // Only layers that were asked away.
    if (frames.length === 0 && incomplete === undefined) return
    if (included.length === 0) {
      this.#drop(incomplete ?? 'frozen', this.#place.temporalId)
      return
    }
    if (!this.freezes && !included.every((one) => this.#references.hasReferences(one, this.#place.temporalId))) {
      ledger.ask()
    }
    this.#references.emit(frames, included, this.#place, this.#switchingUp)
    for (const frame of included) store(this.#slots, frame)
    if (keyframe) this.#carried = []
    else if (this.freezes && this.#carry(included, top)) return
    this.#emit(included, keyframe)
    // It goes on with what came of it, and with all layers from the next one.
    if (keyframe && incomplete !== undefined) ledger.ask()
  }

  /** The spatial layer to show, or -1. */
  #topLayer(frames: readonly ReadLayerFrame[], keyframe: boolean, incomplete: boolean): number {
    let top = -1
    for (const { frame } of frames) if (frame.decodable && frame.spatialId > top) top = frame.spatialId
    if (keyframe || !this.freezes) return top
    if (top >= this.#spatialLayer) return this.#carried.length > 0 ? this.#spatialLayer : top
    // A lower layer instead of the one that was shown: only where the sender wants that, and not for a loss.
    const isSent = frames.some(({ frame }) => frame.spatialId >= this.#spatialLayer)
    return incomplete || isSent ? -1 : top
  }

  #drop(cause: DropCause, temporalId: number): void {
    this.#references.drop(temporalId)
    this.dropPicture(cause)
    // Nothing depends on higher temporal layers but these, and they mend themselves.
    if (this.ledger.waiting || temporalId <= 0) this.ledger.ask()
  }

  /**
   * Encoders leave the highest layer out of a picture now and then. Such a picture is not shown, but later ones are
   * predicted from it: it goes into the superframe of the next. Once that is full the sender has switched down.
   */
  #carry(included: readonly ReadLayerFrame[], top: number): boolean {
    if (top >= this.#spatialLayer) return false
    if (this.#carried.length + included.length + this.#spatialLayer + 1 > MAX_SUPERFRAME_FRAMES) return false
    this.#carried.push(...included)
    return true
  }

  #emit(included: readonly ReadLayerFrame[], keyframe: boolean): void {
    const shown = included.at(-1)!
    this.#spatialLayer = shown.frame.spatialId
    const frames = this.#carried.length === 0 ? included : [...this.#carried, ...included]
    this.#carried = []
    this.emitPicture([joinLayerFrames(frames)], keyframe, this.#configurationOf(shown, included[0]!, keyframe))
  }

  /** `undefined` where it is surely that of the picture before. */
  #configurationOf(shown: ReadLayerFrame, base: ReadLayerFrame, keyframe: boolean): VideoConfiguration | undefined {
    const { size, profile } = shown.header
    const before = this.#configuration
    this.#bitDepth = base.header.bitDepth ?? this.#bitDepth
    if (size === undefined) return undefined
    const isSame = before?.width === size.width && before.height === size.height
    if (isSame && !keyframe) return undefined
    const { width, height } = size
    const codecString = vp9CodecString(profile, width, height, this.#bitDepth)
    if (isSame && before.codecString === codecString) return before
    this.#configuration = { kind: 'video', codec: 'vp9', codecString, width, height, rotation: 0, reorderDepth: 0 }
    return this.#configuration
  }
}

function readHeader(
  frame: Vp9LayerFrame,
  slots: readonly (Vp9FrameSize | undefined)[],
): ReadLayerFrame['header'] | undefined {
  try {
    return parseVp9UncompressedHeader(sliceHead(frame.pieces, VP9_HEAD_BYTES), slots)
  } catch {
    return undefined
  }
}

/** The frame takes the reference slots that it says. */
function store(slots: (Vp9FrameSize | undefined)[], { header }: ReadLayerFrame): void {
  if (header.refreshFrameFlags === 0) return
  for (let slot = 0; slot < 8; slot++) if (((header.refreshFrameFlags >>> slot) & 1) === 1) slots[slot] = header.size
}
