import { h264Configuration, NalUnitType, type Sps } from '@rushes/bitstream'
import { ConfigurationError, joinPieces, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import type { H264DepacketizerOptions } from './depacketizer-options.js'
import { pushFuA } from './h264/fu-a.js'
import { H264KeyframeGate } from './h264/keyframe-gate.js'
import { completeParameterSets } from './h264/keyframe-parameter-sets.js'
import { ParameterSetMemory } from './h264/parameter-set-memory.js'
import { areTwoPictures } from './h264/picture-continuity.js'
import { Fragment } from './nal/fragment-reassembly.js'
import { type StoredParameterSet, spropNalUnits } from './nal/parameter-set-store.js'
import { hasRecoveryPoint } from './nal/recovery-point.js'
import { freezesAfterLoss, NalUnitDepacketizer, type NalUnitStats, zeroNalUnitStats } from './nal-unit-depacketizer.js'

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
export interface H264Stats extends NalUnitStats {}

/**
 * H264 from RTP in packetization modes 0 and 1 (RFC 6184): single NAL units, STAP-A and FU-A. Emits whole access units
 * only, from the first keyframe on, as views into the packets.
 */
export class H264Depacketizer extends NalUnitDepacketizer {
  readonly #stats: H264Stats
  readonly #parameterSets = new ParameterSetMemory()
  protected override readonly gate: H264KeyframeGate

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: H264DepacketizerOptions = {}) {
    if (track.codec !== 'h264') throw new ConfigurationError('track.codec', "must be 'h264'", track.codec)
    const freezes = freezesAfterLoss(options.afterLoss)
    const stats = zeroNalUnitStats(MALFORMED_H264)
    super(track, options, stats)
    this.#stats = stats
    this.gate = new H264KeyframeGate(freezes, this.#parameterSets, (reason) => this.signalKeyframeNeeded(reason))
    for (const nalUnit of spropNalUnits(track.fmtp, 'sprop-parameter-sets')) {
      const type = nalUnit[0]! & 0x1f
      if (type !== NalUnitType.sps && type !== NalUnitType.pps) continue
      if (this.#parameterSets.remember(nalUnit) === undefined) stats.malformed['parameter-set']++
    }
  }

  /** Live counters. */
  override get stats(): Readonly<H264Stats> {
    return this.#stats
  }

  protected override pushPayload(bytes: Uint8Array, start: number, end: number): void {
    const header = bytes[start]!
    const type = header & 0x1f
    if (header >= 0x80) this.malformed('forbidden-bit')
    else if (type === FU_A) this.#pushFragment(bytes, start, end)
    else if (type === STAP_A) this.#pushStapA(bytes, start, end)
    else if (type >= 1 && type <= 23) this.#pushNalUnit(bytes, start, end)
    // Types that are undefined must be ignored (§5.2); the others of Table 1 belong to packetization mode 2.
    else if (type === 0 || type >= 30) this.count('nal-unit-type')
    else this.malformed('unsupported-packetization')
  }

  protected override completeParameterSets(): StoredParameterSet<Sps> | undefined {
    return completeParameterSets(this.unit, this.#parameterSets)
  }

  protected override parameterSetVersion(): number {
    return this.#parameterSets.version
  }

  protected override readConfiguration({ parsed, nalUnit }: StoredParameterSet<Sps>): VideoConfiguration {
    const pps = this.#parameterSets.ppsOf(parsed.id)
    return h264Configuration(
      [nalUnit.slice()],
      pps.map((stored) => stored.nalUnit.slice()),
    )
  }

  #pushNalUnit(bytes: Uint8Array, start: number, end: number): void {
    const unit = this.unit
    this.interruptFragments()
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
    if (offset !== end || end - start === 1) this.malformed('stap-a')
  }

  #pushFragment(bytes: Uint8Array, start: number, end: number): void {
    const { unit, fragments } = this
    unit.account(end - start)
    if (unit.broken !== undefined) {
      fragments.reset()
      return
    }
    const result = pushFuA(fragments, bytes, start, end)
    if (result === Fragment.complete) {
      this.#addNalUnit(fragments.take(), fragments.header, fragments.startsPicture)
    } else if (result !== Fragment.more) this.rejectFragment(result, 'fu-a')
  }

  #addNalUnit(pieces: Uint8Array[], header: number, startsPicture: boolean): void {
    const unit = this.unit
    const type = header & 0x1f
    if (type <= NalUnitType.idrSlice) {
      if (startsPicture && unit.firstSlice >= 0 && this.#isOtherPicture(pieces)) this.split()
      unit.addSlice(pieces, header, startsPicture)
      if (type === NalUnitType.idrSlice) unit.isRandomAccess = true
    } else if (type === NalUnitType.sps || type === NalUnitType.pps) {
      const stored = this.#parameterSets.remember(joinPieces(pieces))
      this.addParameterSet(pieces, stored, type === NalUnitType.sps)
    } else {
      if (type === NalUnitType.accessUnitDelimiter && (unit.firstSlice >= 0 || unit.broken !== undefined)) this.split()
      unit.addOther(pieces)
      if (type === NalUnitType.sei && this.acceptRecoveryPoint && hasRecoveryPoint(joinPieces(pieces), 1)) {
        unit.hasRecoveryPoint = true
      }
    }
  }

  #isOtherPicture(pieces: Uint8Array[]): boolean {
    const { pieces: slices, firstSlice } = this.unit
    const previous = slices[firstSlice]
    return previous !== undefined && areTwoPictures(previous, pieces, this.#parameterSets)
  }
}
