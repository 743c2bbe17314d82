import { H265NalUnitType, type H265Sps, h265Configuration, isH265Irap, isH265VclNalUnit } from '@rushes/bitstream'
import { ConfigurationError, joinPieces, type VideoConfiguration, type VideoTrack } from '@rushes/media'
import type { H265DepacketizerOptions } from './depacketizer-options.js'
import { DecodingOrder } from './h265/decoding-order.js'
import { pushFu } from './h265/fu.js'
import { H265KeyframeGate } from './h265/keyframe-gate.js'
import { completeH265ParameterSets } from './h265/keyframe-parameter-sets.js'
import { H265ParameterSetMemory } from './h265/parameter-set-memory.js'
import { Fragment } from './nal/fragment-reassembly.js'
import { type StoredParameterSet, spropNalUnits } from './nal/parameter-set-store.js'
import { hasRecoveryPoint } from './nal/recovery-point.js'
import { freezesAfterLoss, NalUnitDepacketizer, type NalUnitStats, zeroNalUnitStats } from './nal-unit-depacketizer.js'

/** Payload types that only RTP has (RFC 7798 §4.4); below are NAL unit types, above nothing is defined. */
const AGGREGATION_PACKET = 48
const FRAGMENTATION_UNIT = 49
const PACI = 50

const HEADER_BYTES = 2

const MALFORMED_H265 = [
  /** Types that are not defined: ignored. */
  'nal-unit-type',
  /** No NAL unit header: the forbidden bit, no TemporalId, too short. */
  'nal-unit-header',
  'aggregation-packet',
  'fragmentation-unit',
  'paci',
  /** NAL units not sent in decoding order. */
  'decoding-order',
  'parameter-set',
] as const

/** What of H265 could not be read. */
export type H265Malformed = (typeof MALFORMED_H265)[number]

/** Counters of {@link H265Depacketizer}; see {@link H265Malformed} for what `malformed` has besides. */
export interface H265Stats extends NalUnitStats {
  /** NAL units left out because they belong to an enhancement layer (nuh_layer_id above 0). */
  otherLayers: number
}

/** NAL units that matter beyond their access unit: parameter sets, and the delimiter that ends it. */
function outlivesBrokenUnit(type: number): boolean {
  return isParameterSet(type) || type === H265NalUnitType.accessUnitDelimiter
}

function isParameterSet(type: number): boolean {
  return type >= H265NalUnitType.vps && type <= H265NalUnitType.pps
}

/**
 * H265 from RTP (RFC 7798) in one stream: single NAL units, aggregation packets, fragmentation units, and those within
 * PACI packets. Emits whole access units of the base layer only, from the first IRAP picture on, as views into the
 * packets.
 */
export class H265Depacketizer extends NalUnitDepacketizer {
  readonly #stats: H265Stats
  readonly #parameterSets = new H265ParameterSetMemory()
  readonly #order: DecodingOrder
  protected override readonly gate: H265KeyframeGate

  /** Throws ConfigurationError. */
  constructor(track: VideoTrack, options: H265DepacketizerOptions = {}) {
    if (track.codec !== 'h265') throw new ConfigurationError('track.codec', "must be 'h265'", track.codec)
    const freezes = freezesAfterLoss(options.afterLoss)
    const stats = { ...zeroNalUnitStats(MALFORMED_H265), otherLayers: 0 }
    super(track, options, stats)
    this.#stats = stats
    this.#order = new DecodingOrder(track.fmtp)
    this.gate = new H265KeyframeGate(freezes, this.#parameterSets, (reason) => this.signalKeyframeNeeded(reason))
    for (const parameter of ['sprop-vps', 'sprop-sps', 'sprop-pps']) {
      for (const nalUnit of spropNalUnits(track.fmtp, parameter)) {
        const type = (nalUnit[0]! >>> 1) & 0x3f
        if (!isParameterSet(type)) continue
        if (this.#parameterSets.remember(nalUnit, type) === undefined) stats.malformed['parameter-set']++
      }
    }
  }

  /** Live counters. */
  override get stats(): Readonly<H265Stats> {
    return this.#stats
  }

  protected override pushPayload(bytes: Uint8Array, start: number, end: number): void {
    if (!isHeader(bytes, start, end)) {
      this.malformed('nal-unit-header')
      return
    }
    const type = (bytes[start]! >>> 1) & 0x3f
    if (type === FRAGMENTATION_UNIT) this.#pushFragment(bytes, start, end)
    else if (type === AGGREGATION_PACKET) this.#pushAggregate(bytes, start, end)
    else if (type < AGGREGATION_PACKET) this.#pushSingle(bytes, start, end)
    else if (type === PACI) this.#pushPaci(bytes, start, end)
    // Reserved and unspecified types are ignored (§4.4).
    else this.count('nal-unit-type')
  }

  protected override completeParameterSets(): StoredParameterSet<H265Sps> | undefined {
    return completeH265ParameterSets(this.unit, this.#parameterSets)
  }

  protected override parameterSetVersion(): number {
    return this.#parameterSets.version
  }

  protected override readConfiguration({ parsed, nalUnit }: StoredParameterSet<H265Sps>): VideoConfiguration {
    const vps = this.#parameterSets.storedVps(parsed.vpsId)
    const pps = this.#parameterSets.ppsOf(parsed.id)
    return h265Configuration(
      vps === undefined ? [] : [vps.nalUnit.slice()],
      [nalUnit.slice()],
      pps.map((stored) => stored.nalUnit.slice()),
    )
  }

  protected override endSource(): void {
    super.endSource()
    this.#order.restart()
  }

  /** §4.4.1. */
  #pushSingle(bytes: Uint8Array, start: number, end: number): void {
    const { donlBytes } = this.#order
    if (donlBytes === 0) {
      this.#pushNalUnit(bytes, start, end)
      return
    }
    const payload = start + HEADER_BYTES + donlBytes
    if (payload > end) this.malformed('nal-unit-header')
    else if (this.#isInOrder(this.#order.begin(bytes, start + HEADER_BYTES))) {
      // The decoding order number stands within the NAL unit: a copy without it.
      const nalUnit = new Uint8Array(end - start - donlBytes)
      nalUnit.set(bytes.subarray(start, start + HEADER_BYTES))
      nalUnit.set(bytes.subarray(payload, end), HEADER_BYTES)
      this.#pushNalUnit(nalUnit, 0, nalUnit.byteLength)
    }
  }

  /** §4.4.2: NAL units behind their lengths. */
  #pushAggregate(bytes: Uint8Array, start: number, end: number): void {
    const order = this.#order
    let offset = start + HEADER_BYTES
    let isFirst = true
    do {
      const orderBytes = isFirst ? order.donlBytes : order.dondBytes
      const from = offset + orderBytes + 2
      if (from > end) break
      const next = from + ((bytes[from - 2]! << 8) | bytes[from - 1]!)
      if (next > end || !isHeader(bytes, from, next) || bytes[from]! >>> 1 >= AGGREGATION_PACKET) break
      if (orderBytes > 0) {
        if (!this.#isInOrder(isFirst ? order.begin(bytes, offset) : order.advance(bytes[offset]!))) return
      }
      this.#pushNalUnit(bytes, from, next)
      offset = next
      isFirst = false
    } while (offset < end)
    if (offset !== end || isFirst) this.malformed('aggregation-packet')
  }

  /** §4.4.3. */
  #pushFragment(bytes: Uint8Array, start: number, end: number): void {
    const { unit, fragments } = this
    const { donlBytes } = this.#order
    unit.account(end - start)
    if (isOtherLayer(bytes, start)) {
      // Counted once, as a NAL unit.
      if (bytes[start + 2]! >= 0x80) this.#stats.otherLayers++
      return
    }
    if (unit.broken !== undefined) {
      fragments.reset()
      return
    }
    const isStart = end - start > 3 && bytes[start + 2]! >= 0x80
    if (isStart && donlBytes > 0 && end - start > 3 + donlBytes) {
      if (!this.#isInOrder(this.#order.begin(bytes, start + 3))) return
    }
    const result = pushFu(fragments, bytes, start, end, donlBytes)
    if (result === Fragment.complete) {
      this.#addNalUnit(fragments.take(), fragments.header, fragments.startsPicture)
    } else if (result !== Fragment.more) this.rejectFragment(result, 'fragmentation-unit')
  }

  /**
   * §4.4.4: a packet of another form behind extensions that say nothing of its content. It is copied, behind its header:
   * nobody is known to send these.
   */
  #pushPaci(bytes: Uint8Array, start: number, end: number): void {
    const fields = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0)
    const type = (fields >>> 9) & 0x3f
    const from = start + HEADER_BYTES + 2 + ((fields >>> 4) & 0x1f)
    if (from >= end || type >= PACI) {
      this.malformed('paci')
      return
    }
    const packet = new Uint8Array(HEADER_BYTES + end - from)
    packet[0] = ((fields >>> 8) & 0xfe) | (bytes[start]! & 1)
    packet[1] = bytes[start + 1]!
    packet.set(bytes.subarray(from, end), HEADER_BYTES)
    this.pushPayload(packet, 0, packet.byteLength)
  }

  #isInOrder(isInOrder: boolean): boolean {
    if (!isInOrder) this.malformed('decoding-order')
    return isInOrder
  }

  /** A whole NAL unit that has a header. */
  #pushNalUnit(bytes: Uint8Array, start: number, end: number): void {
    const unit = this.unit
    this.interruptFragments()
    unit.account(end - start)
    if (isOtherLayer(bytes, start)) {
      this.#stats.otherLayers++
      return
    }
    const type = (bytes[start]! >>> 1) & 0x3f
    if (unit.broken !== undefined && !outlivesBrokenUnit(type)) return
    let length = end - start
    // A NAL unit does not end with a zero byte (ITU-T H.265 §7.4.2).
    if (isParameterSet(type)) while (length > HEADER_BYTES && bytes[start + length - 1] === 0) length--
    // Not subarray: on a Buffer it makes a Buffer, at several times the cost.
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start, length)
    const header = (bytes[start]! << 8) | bytes[start + 1]!
    this.#addNalUnit([view], header, length > HEADER_BYTES && bytes[start + HEADER_BYTES]! >= 0x80)
  }

  #addNalUnit(pieces: Uint8Array[], header: number, startsPicture: boolean): void {
    const unit = this.unit
    const type = header >>> 9
    if (isH265VclNalUnit(type)) {
      // Each picture has exactly one slice segment that says that it is the first (§7.4.7.1).
      if (startsPicture && unit.firstSlice >= 0) this.split()
      unit.addSlice(pieces, header, startsPicture)
      if (isH265Irap(type)) unit.isRandomAccess = true
    } else if (isParameterSet(type)) {
      const stored = this.#parameterSets.remember(joinPieces(pieces), type)
      this.addParameterSet(pieces, stored, type === H265NalUnitType.sps)
    } else {
      const isDelimiter = type === H265NalUnitType.accessUnitDelimiter
      if (isDelimiter && (unit.firstSlice >= 0 || unit.broken !== undefined)) this.split()
      unit.addOther(pieces)
      if (type === H265NalUnitType.endOfSequence || type === H265NalUnitType.endOfBitstream) unit.endsSequence = true
      else if (type === H265NalUnitType.prefixSei && this.acceptRecoveryPoint) {
        if (hasRecoveryPoint(joinPieces(pieces), HEADER_BYTES)) unit.hasRecoveryPoint = true
      }
    }
  }
}

/** A NAL unit header: no forbidden bit, and a TemporalId. */
function isHeader(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= HEADER_BYTES && bytes[start]! < 0x80 && (bytes[start + 1]! & 7) !== 0
}

function isOtherLayer(bytes: Uint8Array, start: number): boolean {
  return (bytes[start]! & 1) !== 0 || bytes[start + 1]! >= 8
}
