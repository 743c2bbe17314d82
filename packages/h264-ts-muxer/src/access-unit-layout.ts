import { isVclNalUnit, NalUnitType } from '@rushes/bitstream'
import { joinPieces, type NalPieces, type ParameterSets } from '@rushes/media'
import { ParameterSetMemory } from './parameter-set-memory.js'
import type { TsMuxerStats } from './stats.js'

/** Four bytes everywhere: they are required before the first NAL unit, SPS and PPS (ITU-T H.264 §B.1.2). */
const START_CODE: Uint8Array = Uint8Array.of(0, 0, 0, 1)
/** primary_pic_type 7 allows every slice type (Table 7-5), so it is true of any picture. */
const ACCESS_UNIT_DELIMITER: readonly Uint8Array[] = [Uint8Array.of(NalUnitType.accessUnitDelimiter, 0xf0)]

/**
 * Puts the NAL units of a picture into the order that a transport stream wants (ISO/IEC 13818-1 §2.14.1, ITU-T H.264
 * §7.4.1.2.3): one access unit delimiter first; parameter sets and SEI, also those that came between slices, before the
 * first slice; before an IDR picture all parameter sets in force.
 */
export class AccessUnitLayout {
  readonly #stats: TsMuxerStats
  readonly #memory = new ParameterSetMemory()
  #unit = 0

  /** The byte stream of the last access unit, start codes included. */
  readonly pieces: Uint8Array[] = []
  payloadBytes = 0
  /** Decoding can start at the last access unit. */
  isRandomAccess = false

  constructor(stats: TsMuxerStats) {
    this.#stats = stats
  }

  /** A new configuration begins. */
  configure(parameterSets: ParameterSets | undefined): void {
    this.#memory.reset(parameterSets)
  }

  /** Lays out an access unit into `pieces`; where it must not be written the cause is returned. */
  arrange(nalUnits: NalPieces, keyframe: boolean): 'noPicture' | 'noParameterSets' | undefined {
    this.clear()
    this.#unit++
    let firstVcl = -1
    let delimiter: readonly Uint8Array[] | undefined
    let delimiters = 0
    let isRandomAccess = keyframe
    let bringsSps = false
    for (let i = 0; i < nalUnits.length; i++) {
      const pieces = nalUnits[i]!
      const type = typeOf(pieces)
      if (isVclNalUnit(type)) {
        if (firstVcl < 0) firstVcl = i
        if (type === NalUnitType.idrSlice) isRandomAccess = true
      } else if (type === NalUnitType.sps || type === NalUnitType.pps) {
        this.#memory.see(joinPieces(pieces), this.#unit)
        if (type === NalUnitType.sps) bringsSps = true
      } else if (type === NalUnitType.accessUnitDelimiter) {
        delimiters++
        if (delimiter === undefined && isDelimiter(pieces)) delimiter = pieces
      }
    }
    if (firstVcl < 0) return 'noPicture'
    if (isRandomAccess && !this.#memory.isComplete) return 'noParameterSets'
    this.isRandomAccess = isRandomAccess

    if (delimiter === undefined) this.#stats.insertedAccessUnitDelimiters++
    this.#stats.droppedAccessUnitDelimiters += delimiter === undefined ? delimiters : delimiters - 1
    this.#append(delimiter ?? ACCESS_UNIT_DELIMITER)
    if (isRandomAccess) this.#insert(this.#memory.spsMissingIn(this.#unit))
    // A PPS stands behind the SPS that it refers to: that may be one which the access unit brings.
    if (isRandomAccess && !bringsSps) this.#insert(this.#memory.ppsMissingIn(this.#unit))
    for (let i = 0; i < firstVcl; i++) this.#appendUnlessDelimiter(nalUnits[i]!)
    for (let i = firstVcl + 1; i < nalUnits.length; i++) {
      const pieces = nalUnits[i]!
      if (!belongsBeforeSlices(typeOf(pieces))) continue
      this.#stats.movedNalUnits++
      this.#append(pieces)
    }
    if (isRandomAccess && bringsSps) this.#insert(this.#memory.ppsMissingIn(this.#unit))
    for (let i = firstVcl; i < nalUnits.length; i++) {
      const pieces = nalUnits[i]!
      if (!belongsBeforeSlices(typeOf(pieces))) this.#appendUnlessDelimiter(pieces)
    }
    return undefined
  }

  /** Lets go of the bytes of the last access unit. */
  clear(): void {
    this.pieces.length = 0
    this.payloadBytes = 0
    this.isRandomAccess = false
  }

  #insert(nalUnits: readonly Uint8Array[]): void {
    for (const nalUnit of nalUnits) {
      this.#stats.insertedParameterSets++
      this.#append([nalUnit])
    }
  }

  #appendUnlessDelimiter(pieces: readonly Uint8Array[]): void {
    if (typeOf(pieces) !== NalUnitType.accessUnitDelimiter) this.#append(pieces)
  }

  #append(nalUnit: readonly Uint8Array[]): void {
    let bytes = 0
    for (const piece of nalUnit) {
      if (piece.byteLength === 0) continue
      if (bytes === 0) this.pieces.push(START_CODE)
      this.pieces.push(piece)
      bytes += piece.byteLength
    }
    if (bytes > 0) this.payloadBytes += START_CODE.byteLength + bytes
  }
}

/** nal_unit_type of a NAL unit in pieces; 0 for an empty one. */
function typeOf(pieces: readonly Uint8Array[]): number {
  for (const piece of pieces) if (piece.byteLength > 0) return piece[0]! & 0x1f
  return 0
}

/** NAL units that would begin a new access unit if they stood behind a slice (§7.4.1.2.3). */
function belongsBeforeSlices(type: number): boolean {
  return (
    type === NalUnitType.sei ||
    type === NalUnitType.sps ||
    type === NalUnitType.pps ||
    type === NalUnitType.spsExtension ||
    type === NalUnitType.subsetSps
  )
}

/** nal_ref_idc 0, three bits of primary_pic_type, the stop bit (§7.3.2.4). */
function isDelimiter(pieces: readonly Uint8Array[]): boolean {
  const nalUnit = joinPieces(pieces)
  return nalUnit.byteLength === 2 && nalUnit[0] === NalUnitType.accessUnitDelimiter && (nalUnit[1]! & 0x1f) === 0x10
}
