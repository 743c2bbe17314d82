import { h264Configuration, isSameVideoConfiguration, NalUnitType, type Sps } from '@rushes/bitstream'
import { ConfigurationError, joinPieces, type Rotation, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import { boolean, type H264DepacketizerOptions } from './depacketizer-options.js'
import { H264AccessUnit } from './h264/access-unit.js'
import { AccessUnitBuilder } from './h264/access-unit-builder.js'
import { DROP_CAUSES, type DropCause } from './h264/drop-cause.js'
import { Fragment, FuAReassembly } from './h264/fu-a.js'
import { KeyframeGate } from './h264/keyframe-gate.js'
import { completeParameterSets } from './h264/keyframe-parameter-sets.js'
import { ParameterSetMemory, type StoredParameterSet, spropParameterSets } from './h264/parameter-set-memory.js'
import { areTwoPictures } from './h264/picture-continuity.js'
import { hasRecoveryPoint } from './h264/recovery-point.js'
import { RtpDepacketizer } from './rtp-depacketizer.js'
import type { RtpPacket } from './rtp-packet.js'
import { type RtpStats, zeroCounters, zeroRtpStats } from './rtp-stats.js'
import { rotationOf, videoOrientationId } from './video-orientation.js'

/** NAL unit types that only RTP has (RFC 6184 §5.2, Table 1). */
const STAP_A = 24
const FU_A = 28

const MALFORMED_H264 = [
  'nal-unit-type',
  'unsupported-packetization',
  'forbidden-bit',
  'stap-a',
  'fu-a',
  'parameter-set',
] as const

/** NAL units that matter beyond their access unit: parameter sets, and the delimiter that ends it. */
const OUTLIVES_BROKEN_UNIT: ReadonlySet<number> = new Set([
  NalUnitType.sps,
  NalUnitType.pps,
  NalUnitType.accessUnitDelimiter,
])

/** What of H264 could not be read. */
export type H264Malformed = (typeof MALFORMED_H264)[number]

/** Counters of {@link H264Depacketizer}; see {@link H264Malformed} for what `malformed` has besides. */
export interface H264Stats extends RtpStats {
  /** Units emitted. */
  accessUnits: number
  /** Keyframes among them. */
  keyframes: number
  /** Lost packets that no picture was in, as the packets around them prove: padding. They are among `lost`. */
  lostHarmless: number
  /** Units not emitted, by cause. */
  droppedUnits: Record<DropCause, number>
}

/**
 * H264 from RTP in packetization modes 0 and 1 (RFC 6184): single NAL units, STAP-A and FU-A. Emits whole access units
 * only, from the first keyframe on, as views into the packets.
 */
export class H264Depacketizer extends RtpDepacketizer {
  readonly #trackId: string
  readonly #clockRate: number
  readonly #stats: H264Stats & { malformed: Record<H264Malformed, number> }
  readonly #acceptRecoveryPoint: boolean
  readonly #orientationId: number
  readonly #parameterSets = new ParameterSetMemory()
  readonly #gate: KeyframeGate
  readonly #unit = new AccessUnitBuilder()
  readonly #fragments = new FuAReassembly()
  /** Packets are missing right before the next one. */
  #afterGap = true
  /** The last whole unit came without a marker: this source sets none. */
  #omitsMarker = false
  /** This source sets markers within pictures as well: they end nothing. */
  #markerMisleads = false
  /** Timestamp of the unit before, and whether it ended with its marker; whole says that nothing of it was missing. */
  #lastTimestamp: number | undefined
  #lastMarker = false
  #lastWhole = false
  /** This sender puts SPS into the stream: the last IDR picture came with one, or one came since. */
  #expectsSets = false
  #rotation: Rotation = 0
  #configuration: VideoConfiguration | undefined
  #configuredVersion = -1
  #configuredSps: StoredParameterSet<Sps> | undefined

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: H264DepacketizerOptions = {}) {
    if (track.codec !== 'h264') throw new ConfigurationError('track.codec', "must be 'h264'", track.codec)
    const afterLoss = options.afterLoss ?? 'freeze'
    if (afterLoss !== 'freeze' && afterLoss !== 'continue') {
      throw new ConfigurationError('afterLoss', "must be 'freeze' or 'continue'", afterLoss)
    }
    const stats = {
      ...zeroRtpStats(MALFORMED_H264),
      accessUnits: 0,
      keyframes: 0,
      lostHarmless: 0,
      droppedUnits: zeroCounters(DROP_CAUSES),
    }
    super(track, options, stats)
    this.#trackId = track.id
    this.#clockRate = track.clockRate
    this.#stats = stats
    this.#acceptRecoveryPoint = boolean('acceptRecoveryPoint', options.acceptRecoveryPoint, false)
    this.#orientationId = videoOrientationId(track.headerExtensions)
    this.#gate = new KeyframeGate(afterLoss === 'freeze', this.#parameterSets, (reason) =>
      this.signalKeyframeNeeded(reason),
    )
    for (const nalUnit of spropParameterSets(track.fmtp)) {
      const type = nalUnit[0]! & 0x1f
      if (type !== NalUnitType.sps && type !== NalUnitType.pps) continue
      if (this.#parameterSets.remember(nalUnit) === undefined) stats.malformed['parameter-set']++
    }
  }

  /** Live counters. */
  override get stats(): Readonly<H264Stats> {
    return this.#stats
  }

  protected override depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const { bytes, payloadOffset: start, payloadEnd: end } = packet
    const unit = this.#unit
    if (start >= end) {
      if (lost > 0) this.#losePadded(packet, rtpTimestamp, lost)
      return
    }
    if (lost > 0) this.#lose(lost)
    if (unit.open && rtpTimestamp !== unit.rtpTimestamp) this.#finish()
    if (!unit.open) unit.begin(rtpTimestamp, this.#afterGap)
    this.#afterGap = false
    unit.arrivalUs = packet.arrivalUs
    if (this.#orientationId > 0) {
      const orientation = packet.headerExtensionByte(this.#orientationId)
      if (orientation >= 0) this.#rotation = rotationOf(orientation)
    }
    const header = bytes[start]!
    const type = header & 0x1f
    if (header >= 0x80) this.#malformed('forbidden-bit')
    else if (type === FU_A) this.#pushFragment(bytes, start, end)
    else if (type === STAP_A) this.#pushStapA(bytes, start, end)
    else if (type >= 1 && type <= 23) this.#pushNalUnit(bytes, start, end)
    // Types that are undefined must be ignored (§5.2); the others of Table 1 belong to packetization mode 2.
    else if (type === 0 || type >= 30) this.#stats.malformed['nal-unit-type']++
    else this.#malformed('unsupported-packetization')
    unit.marker = packet.marker
    if (packet.marker && !this.#markerMisleads && !this.#fragments.active) {
      // Some senders mark parameter sets that stand alone: the picture is yet to come.
      if (unit.firstSlice >= 0 || unit.broken !== undefined) this.#finish()
    }
  }

  protected override endSource(): void {
    const unit = this.#unit
    if (unit.open) {
      // Without a marker nothing tells whether more was to come, unless the source sets none.
      if (!this.#omitsMarker && !unit.marker) unit.break('unfinished')
      this.#finish()
    }
    this.#gate.restart()
    this.#afterGap = true
    this.#omitsMarker = false
    this.#markerMisleads = false
    this.#lastTimestamp = undefined
  }

  /** Packets are missing before the one that has come. */
  #lose(lost: number): void {
    const unit = this.#unit
    this.#gate.addLost(lost)
    this.#afterGap = true
    if (!unit.open) return
    if (unit.marker && !this.#fragments.active) this.#finish()
    else {
      unit.break('packet-lost')
      this.#fragments.reset()
    }
  }

  /**
   * Packets are missing before padding. Padding carries the timestamp of the picture before it: where that one is
   * complete, no other can have begun in between.
   */
  #losePadded(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const isWhole = !this.#unit.open && this.#lastWhole && rtpTimestamp === this.#lastTimestamp
    if (isWhole && packet.paddingBytes > 0) this.#stats.lostHarmless += lost
    else this.#lose(lost)
  }

  #malformed(cause: H264Malformed): void {
    this.#stats.malformed[cause]++
    this.#unit.break('damaged')
    this.#fragments.reset()
  }

  #pushNalUnit(bytes: Uint8Array, start: number, end: number): void {
    const unit = this.#unit
    if (this.#fragments.active) {
      this.#fragments.reset()
      unit.break('unfinished')
    }
    unit.account(end - start)
    const type = bytes[start]! & 0x1f
    if (unit.broken !== undefined && !OUTLIVES_BROKEN_UNIT.has(type)) return
    let length = end - start
    // A NAL unit does not end with a zero byte (ITU-T H.264 §7.4.1); Chromium's SPS sometimes do.
    if (type === NalUnitType.sps || type === NalUnitType.pps) {
      while (length > 1 && bytes[start + length - 1] === 0) length--
    }
    // Not subarray: on a Buffer it makes a Buffer, at several times the cost.
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start, length)
    this.#addNalUnit([view], bytes[start]!, length > 1 && bytes[start + 1]! >= 0x80)
  }

  /** RFC 6184 §5.7.1: NAL units behind their lengths. */
  #pushStapA(bytes: Uint8Array, start: number, end: number): void {
    let offset = start + 1
    while (offset + 2 < end) {
      const length = (bytes[offset]! << 8) | bytes[offset + 1]!
      const next = offset + 2 + length
      const header = bytes[offset + 2]!
      const type = header & 0x1f
      if (length === 0 || next > end || header >= 0x80 || type === 0 || type > 23) break
      this.#pushNalUnit(bytes, offset + 2, next)
      offset = next
    }
    if (offset !== end || end - start === 1) this.#malformed('stap-a')
  }

  #pushFragment(bytes: Uint8Array, start: number, end: number): void {
    const unit = this.#unit
    unit.account(end - start)
    const fragments = this.#fragments
    if (unit.broken !== undefined) {
      fragments.reset()
      return
    }
    const result = fragments.push(bytes, start, end)
    if (result === Fragment.complete) {
      this.#addNalUnit(fragments.take(), fragments.header, fragments.startsPicture)
    } else if (result === Fragment.withoutStart) {
      // Behind a loss that is what is left of the NAL unit; else the fragment itself is wrong.
      if (!unit.afterGap && !this.#continuesMarked()) this.#stats.malformed['fu-a']++
      unit.break('beginning-lost')
    } else if (result === Fragment.withoutEnd) {
      this.#stats.malformed['fu-a']++
      unit.break('unfinished')
    } else if (result === Fragment.malformed) this.#malformed('fu-a')
  }

  #addNalUnit(pieces: Uint8Array[], header: number, startsPicture: boolean): void {
    const unit = this.#unit
    const type = header & 0x1f
    if (type <= NalUnitType.idrSlice) {
      if (startsPicture && unit.firstSlice >= 0 && this.#isOtherPicture(pieces)) this.#split()
      unit.addSlice(pieces, header, startsPicture)
    } else if (type === NalUnitType.sps || type === NalUnitType.pps) {
      const stored = this.#parameterSets.remember(joinPieces(pieces))
      // It is left out: a decoder could make no more of it.
      if (stored === undefined) this.#stats.malformed['parameter-set']++
      else {
        unit.addParameterSet(pieces, stored)
        if (type === NalUnitType.sps) this.#expectsSets = true
      }
    } else {
      if (type === NalUnitType.accessUnitDelimiter && (unit.firstSlice >= 0 || unit.broken !== undefined)) this.#split()
      unit.addOther(pieces)
      if (type === NalUnitType.sei && this.#acceptRecoveryPoint && hasRecoveryPoint(joinPieces(pieces))) {
        unit.hasRecoveryPoint = true
      }
    }
  }

  #isOtherPicture(pieces: Uint8Array[]): boolean {
    const { pieces: slices, firstSlice } = this.#unit
    const previous = slices[firstSlice]
    return previous !== undefined && areTwoPictures(previous, pieces, this.#parameterSets)
  }

  /** A new picture begins under the same timestamp, where a sender sets no markers. */
  #split(): void {
    const { rtpTimestamp, arrivalUs } = this.#unit
    this.#finish()
    this.#unit.begin(rtpTimestamp, false)
    this.#unit.arrivalUs = arrivalUs
  }

  /** The unit goes on where a marker has ended the one before. */
  #continuesMarked(): boolean {
    const unit = this.#unit
    return this.#lastMarker && !unit.afterGap && unit.rtpTimestamp === this.#lastTimestamp
  }

  #finish(): void {
    const unit = this.#unit
    unit.open = false
    if (this.#fragments.active) {
      this.#fragments.reset()
      unit.break('unfinished')
    }
    const cause = this.#causeToDrop()
    this.#lastTimestamp = unit.rtpTimestamp
    this.#lastMarker = unit.marker
    this.#lastWhole = unit.marker && cause === undefined
    if (cause === undefined) {
      this.#omitsMarker = !unit.marker
      this.#judge()
    } else {
      this.#stats.droppedUnits[cause]++
      if (cause === 'after-marker') {
        this.#markerMisleads = true
        this.#gate.spoil()
      } else if (cause !== 'no-picture') this.#gate.addMissing()
    }
  }

  /** What keeps the unit from being whole. */
  #causeToDrop(): DropCause | undefined {
    const unit = this.#unit
    const isHeadless = unit.broken === 'beginning-lost' || (unit.firstSlice >= 0 && !unit.startsPicture)
    if (isHeadless && this.#continuesMarked()) return 'after-marker'
    if (unit.broken !== undefined) return unit.broken
    if (unit.firstSlice < 0) return 'no-picture'
    return isHeadless && unit.afterGap ? 'beginning-lost' : undefined
  }

  /** A whole unit: is it of use? */
  #judge(): void {
    const unit = this.#unit
    let sps: StoredParameterSet<Sps> | undefined
    if (unit.isIdr || unit.hasRecoveryPoint) {
      const hasSps = unit.sets.some(({ nalUnit }) => (nalUnit[0]! & 0x1f) === NalUnitType.sps)
      // Behind a gap, the SPS that always comes with it was in there: the one in memory may be of another size.
      const isOutdated = unit.afterGap && this.#expectsSets && !hasSps
      if (!isOutdated) sps = completeParameterSets(unit, this.#parameterSets)
      if (sps === undefined && unit.isIdr) {
        this.#stats.droppedUnits[isOutdated ? 'beginning-lost' : 'missing-parameter-sets']++
        if (isOutdated) this.#gate.addMissing()
        else this.#gate.spoil()
        return
      }
      if (unit.isIdr) this.#expectsSets = hasSps
    }
    const keyframe = sps !== undefined
    const verdict = this.#gate.judge(unit, keyframe)
    if (verdict !== 'emit') {
      this.#stats.droppedUnits[verdict]++
      return
    }
    const { lost, harmless } = this.#gate.passed(unit, keyframe)
    this.#stats.lostHarmless += harmless
    this.#stats.accessUnits++
    if (keyframe) this.#stats.keyframes++
    this.emit(
      new H264AccessUnit(
        this.#trackId,
        this.epoch,
        unit.pieces,
        this.#clockRate,
        unit.rtpTimestamp,
        unit.arrivalUs,
        unit.marker,
        keyframe,
        lost,
        sps && this.#configure(sps),
      ),
    )
  }

  /** The configuration that begins with a keyframe, where it is another than before. */
  #configure(sps: StoredParameterSet<Sps>): VideoConfiguration | undefined {
    const { version } = this.#parameterSets
    const current = this.#configuration
    if (
      version === this.#configuredVersion &&
      sps === this.#configuredSps &&
      current !== undefined &&
      current.rotation === this.#rotation
    ) {
      return undefined
    }
    this.#configuredVersion = version
    this.#configuredSps = sps
    const pps = this.#parameterSets.ppsOf(sps.parsed.id)
    const configuration: VideoConfiguration = {
      ...h264Configuration(
        [sps.nalUnit.slice()],
        pps.map(({ nalUnit }) => nalUnit.slice()),
      ),
      rotation: this.#rotation,
    }
    if (current !== undefined && isSameVideoConfiguration(current, configuration)) return undefined
    this.#configuration = configuration
    return configuration
  }
}
