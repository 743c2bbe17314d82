import {
  type Av1FrameHeader,
  type Av1FrameSize,
  type Av1SequenceHeader,
  av1CodecString,
  ObuType,
  parseAv1FrameHeader,
  parseAv1SequenceHeader,
  readLeb128,
} from '@rushes/bitstream'
import { ConfigurationError, joinPieces, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import {
  type DependencyDescriptor,
  dependencyDescriptorId,
  dependencyDescriptorOf,
} from './av1/dependency-descriptor.js'
import { type Obu, obuOfElement } from './av1/obu-assembly.js'
import type { FrameDepacketizerOptions } from './depacketizer-options.js'
import type { DropCause } from './drop-cause.js'
import { FrameDepacketizer } from './frame/frame-depacketizer.js'
import { type FrameStats, zeroFrameStats } from './frame/frame-stats.js'
import { sliceHead } from './nal/slice-head.js'
import type { RtpPacket } from './rtp-packet.js'
import type { RtpMalformed } from './rtp-stats.js'

const MALFORMED_AV1 = ['aggregation-header', 'obu', 'sequence-header', 'frame-header'] as const

/** What of AV1 could not be read. */
export type Av1Malformed = (typeof MALFORMED_AV1)[number]

/** Bytes of a frame header that are read, decoder model information included. */
const HEAD_BYTES = 192
const FRAME_NUMBERS = 65_536

/**
 * AV1 from RTP (AV1 RTP payload format): each temporal unit is one access unit, whose units are the OBUs with size
 * fields. Where the dependency descriptor is negotiated, its frame numbers tell lost padding from lost frames.
 */
export class Av1Depacketizer extends FrameDepacketizer {
  readonly #stats: FrameStats & { malformed: Record<RtpMalformed | Av1Malformed, number> }
  readonly #descriptorId: number
  #obus: Obu[] = []
  /** The OBU element that goes on in the next packet. */
  #fragments: Uint8Array[] | undefined
  /** Of the packet at hand. */
  #descriptor: DependencyDescriptor | undefined
  /** frame_number of the last packet, of the picture's first and of the last before it; -1 where there is none. */
  #frameNumber = -1
  #firstFrameNumber = -1
  #frameNumberBefore = -1
  #anyPacket = false
  /** Of the picture's first frame. */
  #frameHeader: Av1FrameHeader | undefined
  #anyFrame = false
  #sequence: Av1SequenceHeader | undefined
  #sequenceObu: Uint8Array | undefined
  /** All frames are there that later ones may be predicted from. */
  #intact = false

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: FrameDepacketizerOptions = {}) {
    if (track.codec !== 'av1') throw new ConfigurationError('track.codec', "must be 'av1'", track.codec)
    const stats = zeroFrameStats(MALFORMED_AV1)
    super(track, options, stats)
    this.#stats = stats
    this.#descriptorId = dependencyDescriptorId(track.headerExtensions)
  }

  /** Live counters. */
  override get stats(): Readonly<FrameStats> {
    return this.#stats
  }

  protected override readExtensions(packet: RtpPacket): void {
    this.#descriptor = dependencyDescriptorOf(packet, this.#descriptorId)
  }

  protected override pushPayload(bytes: Uint8Array, start: number, end: number): void {
    const { picture } = this
    if (!this.#anyPacket) this.#begin()
    this.#frameNumber = this.#descriptor?.frameNumber ?? -1
    if (!picture.account(end - start)) picture.break('too-large')
    const head = bytes[start]!
    const continues = head >= 0x80
    const isOpen = (head & 0x40) !== 0
    const count = (head >>> 4) & 3
    if (!continues && this.#fragments !== undefined) this.#break('unfinished')
    if (continues && this.#fragments === undefined) this.#break('beginning-lost')
    if (picture.broken !== undefined) return
    let offset = start + 1
    let index = 0
    for (; offset < end; index++) {
      const element = elementAt(bytes, offset, end, index === count - 1)
      if (element === undefined) break
      offset = element.byteOffset - bytes.byteOffset + element.byteLength
      this.#addElement(element, continues && index === 0, isOpen && offset === end)
    }
    if (offset === end && index > 0 && (count === 0 || index === count)) return
    this.malformed('aggregation-header')
    this.#break('damaged')
  }

  protected override interrupt(): void {
    this.#break('packet-lost')
  }

  protected override finishPicture(gap: number): void {
    const { picture, ledger } = this
    if (this.#fragments !== undefined) this.#break('unfinished')
    const obus = this.#obus
    const frame = this.#frameHeader
    const hasFrame = this.#anyFrame
    this.#obus = []
    this.#anyPacket = false
    if (gap > 0 && this.#unseen(gap) !== 0) {
      ledger.addMissing()
      this.#intact = false
    }
    const { broken } = picture
    if (broken !== undefined) {
      ledger.addMissing()
      // What no other frame is predicted from may be missing.
      if (frame?.refreshFrameFlags !== 0 || this.#hasSpatialLayers()) this.#intact = false
      if (ledger.waiting || !this.#intact) ledger.ask()
      this.dropPicture(broken)
    } else if (!hasFrame) this.dropPicture('no-picture')
    else this.#judge(obus, frame)
  }

  protected override forget(): void {
    this.#obus = []
    this.#fragments = undefined
    this.#anyPacket = false
    this.#frameNumber = -1
    this.#intact = false
  }

  #begin(): void {
    const { picture } = this
    this.#anyPacket = true
    this.#anyFrame = false
    this.#frameHeader = undefined
    this.#fragments = undefined
    this.#frameNumberBefore = this.#frameNumber
    this.#firstFrameNumber = this.#descriptor?.frameNumber ?? -1
    if (picture.afterGap && this.#descriptor?.startsFrame === false) picture.break('beginning-lost')
  }

  #break(cause: DropCause): void {
    this.picture.break(cause)
    this.#obus = []
    this.#fragments = undefined
  }

  /** How many frames went missing before the picture's first packet; `undefined` where that cannot be known. */
  #unseen(gap: number): number | undefined {
    if (this.#firstFrameNumber < 0 || this.#frameNumberBefore < 0 || gap >= FRAME_NUMBERS - 1) return undefined
    return (this.#firstFrameNumber - this.#frameNumberBefore - 1 + FRAME_NUMBERS) % FRAME_NUMBERS
  }

  #hasSpatialLayers(): boolean {
    // Bits 9 to 11 of operating_point_idc: spatial layers above the first.
    return this.#sequence?.operatingPoints.some(({ idc }) => idc >>> 9 !== 0) ?? true
  }

  #addElement(element: Uint8Array, continues: boolean, isOpen: boolean): void {
    if (continues && this.#fragments !== undefined) this.#fragments.push(element)
    else {
      this.#fragments = [element]
      this.#peek(element)
    }
    if (isOpen) return
    const fragments = this.#fragments
    this.#fragments = undefined
    if (this.picture.broken !== undefined) return
    try {
      const obu = obuOfElement(fragments)
      if (obu === undefined) return
      if (obu.type === ObuType.sequenceHeader) this.#remember(obu)
      if (obu.type === ObuType.frame || obu.type === ObuType.frameHeader) this.#readFrameHeader(obu)
      this.#obus.push(obu)
    } catch {
      this.malformed('obu')
      this.#break('damaged')
    }
  }

  /** Looks at the beginning of an OBU, of which more may be lost: the first frame tells what the picture is. */
  #peek(element: Uint8Array): void {
    const type = (element[0]! >>> 3) & 15
    if (this.#anyFrame) return
    if (this.picture.afterGap && type === ObuType.tileGroup) this.#break('beginning-lost')
    if (type !== ObuType.frame && type !== ObuType.frameHeader) return
    this.#anyFrame = true
    // A higher layer alone behind a gap: what is below it may have been in there.
    const isHigher = (element[0]! & 4) !== 0 && (((element[1] ?? 0) >>> 3) & 3) > 0
    if (this.picture.afterGap && isHigher && this.#descriptor === undefined) this.#break('beginning-lost')
    if (this.#sequence === undefined) return
    try {
      this.#frameHeader = parseAv1FrameHeader(element.subarray(0, HEAD_BYTES), this.#sequence)
    } catch {
      // It may go on in the next packet.
    }
  }

  #readFrameHeader({ pieces }: Obu): void {
    this.#anyFrame = true
    if (this.#sequence === undefined || this.#frameHeader !== undefined) return
    try {
      this.#frameHeader = parseAv1FrameHeader(sliceHead(pieces, HEAD_BYTES), this.#sequence)
    } catch {
      this.malformed('frame-header')
      this.#break('damaged')
    }
  }

  #remember(obu: Obu): void {
    const bytes = joinPieces(obu.pieces)
    try {
      this.#sequence = parseAv1SequenceHeader(bytes)
      this.#sequenceObu = bytes
    } catch {
      this.malformed('sequence-header')
      this.#break('damaged')
    }
  }

  /** A whole temporal unit: is it of use? */
  #judge(obus: Obu[], frame: Av1FrameHeader | undefined): void {
    const { ledger } = this
    const keyframe = frame?.keyframe === true && frame.showFrame
    if (keyframe) {
      this.#intact = true
      const hasSequence = obus.some(({ type }) => type === ObuType.sequenceHeader)
      if (!hasSequence)
        obus.unshift({ type: ObuType.sequenceHeader, spatialId: 0, pieces: [this.#sequenceObu!.slice()] })
    } else if (ledger.waiting) {
      ledger.ask()
      this.dropPicture('before-keyframe')
      return
    } else if (!this.#intact) {
      ledger.ask()
      if (this.freezes) {
        this.dropPicture('frozen')
        return
      }
    }
    const pieces = obus.map((obu) => obu.pieces)
    this.emitPicture(pieces, keyframe, keyframe ? this.#configurationOf(this.#sequence!, obus) : undefined)
  }

  #configurationOf(sequence: Av1SequenceHeader, obus: readonly Obu[]): VideoConfiguration {
    const { width, height } = shownSize(obus, sequence)
    return {
      kind: 'video',
      codec: 'av1',
      codecString: av1CodecString(sequence),
      width,
      height,
      rotation: 0,
      reorderDepth: 0,
      sequenceHeader: this.#sequenceObu!.slice(),
    }
  }
}

/**
 * The size of the highest spatial layer that is in a temporal unit with a keyframe: the sequence header tells that of
 * the highest that may come.
 */
function shownSize(obus: readonly Obu[], sequence: Av1SequenceHeader): Av1FrameSize {
  let size: Av1FrameSize = sequence
  const slots: (Av1FrameSize | undefined)[] = []
  for (const { type, pieces } of obus) {
    if (type !== ObuType.frame && type !== ObuType.frameHeader) continue
    try {
      const header = parseAv1FrameHeader(sliceHead(pieces, HEAD_BYTES), sequence, slots)
      size = header.size ?? size
      for (let slot = 0; slot < 8; slot++)
        if (((header.refreshFrameFlags >>> slot) & 1) === 1) slots[slot] = header.size
    } catch {
      // Only the first frame must be readable: a decoder judges the others.
    }
  }
  return size
}

/** The OBU element at `offset`, behind its length unless it is the last of a counted few; `undefined` if cut short. */
function elementAt(bytes: Uint8Array, offset: number, end: number, isLast: boolean): Uint8Array | undefined {
  if (isLast) return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, end - offset)
  try {
    const length = readLeb128(bytes, offset)
    const from = offset + length.bytes
    if (length.value === 0 || from + length.value > end) return undefined
    return new Uint8Array(bytes.buffer, bytes.byteOffset + from, length.value)
  } catch {
    return undefined
  }
}
