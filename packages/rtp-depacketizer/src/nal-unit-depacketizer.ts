import { isSameVideoConfiguration } from '@rushes/bitstream'
import { ConfigurationError, type Rotation, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import { boolean, type H264DepacketizerOptions } from './depacketizer-options.js'
import { DROP_CAUSES, type DropCause } from './drop-cause.js'
import { AccessUnitBuilder } from './nal/access-unit-builder.js'
import { Fragment, FragmentReassembly } from './nal/fragment-reassembly.js'
import type { KeyframeGate } from './nal/keyframe-gate.js'
import type { StoredParameterSet } from './nal/parameter-set-store.js'
import { PiecedAccessUnit } from './pieced-access-unit.js'
import { RtpDepacketizer } from './rtp-depacketizer.js'
import type { RtpPacket } from './rtp-packet.js'
import { type RtpMalformed, type RtpStats, zeroCounters, zeroRtpStats } from './rtp-stats.js'
import { rotationOf, videoOrientationId } from './video-orientation.js'

/** What the depacketizers of codecs in NAL units count. */
export interface NalUnitStats extends RtpStats {
  /** Units emitted. */
  accessUnits: number
  /** Keyframes among them. */
  keyframes: number
  /** Lost packets that no picture was in, as the packets around them prove: padding. They are among `lost`. */
  lostHarmless: number
  /** Units not emitted, by cause. */
  droppedUnits: Record<DropCause, number>
}

/** Those counters at zero. */
export function zeroNalUnitStats<Malformed extends string>(
  malformed: readonly Malformed[],
): NalUnitStats & { malformed: Record<RtpMalformed | Malformed, number> } {
  return {
    ...zeroRtpStats(malformed),
    accessUnits: 0,
    keyframes: 0,
    lostHarmless: 0,
    droppedUnits: zeroCounters(DROP_CAUSES),
  }
}

/**
 * What H264 and H265 share: access units out of NAL units, where they begin and end, which of them are whole, and which
 * can be decoded. Emits whole access units only, from the first keyframe on, as views into the packets.
 */
export abstract class NalUnitDepacketizer extends RtpDepacketizer {
  readonly #trackId: string
  readonly #clockRate: number
  readonly #stats: NalUnitStats
  readonly #orientationId: number
  protected readonly acceptRecoveryPoint: boolean
  protected abstract readonly gate: KeyframeGate
  protected readonly unit: AccessUnitBuilder = new AccessUnitBuilder()
  protected readonly fragments: FragmentReassembly = new FragmentReassembly()
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
  /** This sender puts SPS into the stream: the last keyframe came with one, or one came since. */
  #expectsSets = false
  #rotation: Rotation = 0
  #configuration: VideoConfiguration | undefined
  #configuredVersion = -1
  #configuredSps: StoredParameterSet | undefined

  /** Throws ConfigurationError. */
  constructor(
    track: VideoTrack,
    options: H264DepacketizerOptions,
    stats: NalUnitStats & { malformed: Record<RtpMalformed, number> },
  ) {
    super(track, options, stats)
    this.#trackId = track.id
    this.#clockRate = track.clockRate
    this.#stats = stats
    this.acceptRecoveryPoint = boolean('acceptRecoveryPoint', options.acceptRecoveryPoint, false)
    this.#orientationId = videoOrientationId(track.headerExtensions)
  }

  /** Takes the payload `bytes[start]` to `bytes[end]`, which is not empty, for `this.unit`. */
  protected abstract pushPayload(bytes: Uint8Array, start: number, end: number): void
  /**
   * Sees to it that the unit has all parameter sets that it and what follows need. Returns its SPS, or `undefined`
   * where it refers to something that never came.
   */
  protected abstract completeParameterSets(): StoredParameterSet | undefined
  /** Grows whenever the bytes of a parameter set change. */
  protected abstract parameterSetVersion(): number
  /** The configuration that an SPS and the sets around it tell, rotation aside. */
  protected abstract readConfiguration(sps: StoredParameterSet): VideoConfiguration

  protected override depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const { payloadOffset: start, payloadEnd: end } = packet
    const unit = this.unit
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
    this.pushPayload(packet.bytes, start, end)
    unit.marker = packet.marker
    if (packet.marker && !this.#markerMisleads && !this.fragments.active) {
      // Some senders mark parameter sets that stand alone: the picture is yet to come.
      if (unit.firstSlice >= 0 || unit.broken !== undefined) this.#finish()
    }
  }

  protected override endSource(): void {
    const unit = this.unit
    if (unit.open) {
      // Without a marker nothing tells whether more was to come, unless the source sets none.
      if (!this.#omitsMarker && !unit.marker) unit.break('unfinished')
      this.#finish()
    }
    this.gate.restart()
    this.#afterGap = true
    this.#omitsMarker = false
    this.#markerMisleads = false
    this.#lastTimestamp = undefined
  }

  /** Something that could not be read: it spoils its access unit. */
  protected malformed(cause: string): void {
    this.count(cause)
    this.unit.break('damaged')
    this.fragments.reset()
  }

  /** Something that could not be read. */
  protected count(cause: string): void {
    const { malformed } = this.#stats
    malformed[cause] = (malformed[cause] ?? 0) + 1
  }

  /** A NAL unit begins in a packet of its own: one under way has not ended. */
  protected interruptFragments(): void {
    if (!this.fragments.active) return
    this.fragments.reset()
    this.unit.break('unfinished')
  }

  /** A fragment completed nothing. */
  protected rejectFragment(result: number, cause: string): void {
    const unit = this.unit
    if (result === Fragment.withoutStart) {
      // Behind a loss that is what is left of the NAL unit; else the fragment itself is wrong.
      if (!unit.afterGap && !this.#continuesMarked()) this.count(cause)
      unit.break('beginning-lost')
    } else if (result === Fragment.withoutEnd) {
      this.count(cause)
      unit.break('unfinished')
    } else if (result === Fragment.malformed) this.malformed(cause)
  }

  /** A parameter set came, `stored` unless it cannot be read. */
  protected addParameterSet(pieces: Uint8Array[], stored: StoredParameterSet | undefined, isSps: boolean): void {
    // What cannot be read is left out: a decoder could make no more of it.
    if (stored === undefined) this.count('parameter-set')
    else {
      this.unit.addParameterSet(pieces, stored)
      if (isSps) {
        this.unit.hasSps = true
        this.#expectsSets = true
      }
    }
  }

  /** A new picture begins under the same timestamp, where a sender sets no markers. */
  protected split(): void {
    const { rtpTimestamp, arrivalUs } = this.unit
    this.#finish()
    this.unit.begin(rtpTimestamp, false)
    this.unit.arrivalUs = arrivalUs
  }

  /** Packets are missing before the one that has come. */
  #lose(lost: number): void {
    const unit = this.unit
    this.gate.addLost(lost)
    this.#afterGap = true
    if (!unit.open) return
    if (unit.marker && !this.fragments.active) this.#finish()
    else {
      unit.break('packet-lost')
      this.fragments.reset()
    }
  }

  /**
   * Packets are missing before padding. Padding carries the timestamp of the picture before it: where that one is
   * complete, no other can have begun in between.
   */
  #losePadded(packet: RtpPacket, rtpTimestamp: number, lost: number): void {
    const isWhole = !this.unit.open && this.#lastWhole && rtpTimestamp === this.#lastTimestamp
    if (isWhole && packet.paddingBytes > 0) this.#stats.lostHarmless += lost
    else this.#lose(lost)
  }

  /** The unit goes on where a marker has ended the one before. */
  #continuesMarked(): boolean {
    const unit = this.unit
    return this.#lastMarker && !unit.afterGap && unit.rtpTimestamp === this.#lastTimestamp
  }

  #finish(): void {
    const unit = this.unit
    unit.open = false
    this.interruptFragments()
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
        this.gate.spoil()
      } else if (cause !== 'no-picture') this.gate.addMissing()
    }
  }

  /** What keeps the unit from being whole. */
  #causeToDrop(): DropCause | undefined {
    const unit = this.unit
    const isHeadless = unit.broken === 'beginning-lost' || (unit.firstSlice >= 0 && !unit.startsPicture)
    if (isHeadless && this.#continuesMarked()) return 'after-marker'
    if (unit.broken !== undefined) return unit.broken
    if (unit.firstSlice < 0) return 'no-picture'
    return isHeadless && unit.afterGap ? 'beginning-lost' : undefined
  }

  /** A whole unit: is it of use? */
  #judge(): void {
    const unit = this.unit
    let sps: StoredParameterSet | undefined
    if (unit.isRandomAccess || unit.hasRecoveryPoint) {
      // Behind a gap, the SPS that always comes with it was in there: the one in memory may be of another size.
      const isOutdated = unit.afterGap && this.#expectsSets && !unit.hasSps
      if (!isOutdated) sps = this.completeParameterSets()
      if (sps === undefined && unit.isRandomAccess) {
        this.#stats.droppedUnits[isOutdated ? 'beginning-lost' : 'missing-parameter-sets']++
        if (isOutdated) this.gate.addMissing()
        else this.gate.spoil()
        return
      }
      if (unit.isRandomAccess) this.#expectsSets = unit.hasSps
    }
    const keyframe = sps !== undefined
    const verdict = this.gate.judge(unit, keyframe)
    if (verdict !== 'emit') {
      this.#stats.droppedUnits[verdict]++
      return
    }
    const { lost, harmless } = this.gate.passed(unit, keyframe)
    this.#stats.lostHarmless += harmless
    this.#stats.accessUnits++
    if (keyframe) this.#stats.keyframes++
    this.emit(
      new PiecedAccessUnit(
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
  #configure(sps: StoredParameterSet): VideoConfiguration | undefined {
    const version = this.parameterSetVersion()
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
    const configuration: VideoConfiguration = { ...this.readConfiguration(sps), rotation: this.#rotation }
    if (current !== undefined && isSameVideoConfiguration(current, configuration)) return undefined
    this.#configuration = configuration
    return configuration
  }
}

/** Whether `afterLoss` says to freeze. Throws ConfigurationError. */
export function freezesAfterLoss(afterLoss: unknown): boolean {
  if (afterLoss === undefined || afterLoss === 'freeze') return true
  if (afterLoss === 'continue') return false
  throw new ConfigurationError('afterLoss', "must be 'freeze' or 'continue'", afterLoss)
}
