import {
  type H265SliceSegmentHeader,
  h265PicOrderCnt,
  isH265Idr,
  isH265Radl,
  isH265Rasl,
  isH265SubLayerNonReference,
  MAX_H265_SLICE_HEAD_BYTES,
  parseH265SliceSegmentHeader,
} from '@rushes/bitstream'
import type { AccessUnitBuilder } from '../nal/access-unit-builder.js'
import { sliceHead } from '../nal/slice-head.js'
import type { H265ParameterSetMemory } from './parameter-set-memory.js'

/** A picture, as the decoder that gets all units emitted so far will see it. */
export interface CodedPicture {
  readonly header: H265SliceSegmentHeader
  /** PicOrderCntVal. */
  readonly picOrderCnt: number
  /** MaxPicOrderCntLsb. */
  readonly maxLsb: number
  /**
   * How far the count goes on at most from one picture to the next in decoding order, in a new sequence: by 1 or 2, and
   * twice that for each level of B pictures, which come behind the picture that they are shown before.
   */
  readonly maxStep: number
}

/** Levels of B pictures in use: x265 has three at most, and four would be groups of sixteen. */
const MAX_LEVELS = 4

/**
 * The pictures that a decoder holds, by picture order count. Each slice names all pictures that are kept, and which of
 * them it is predicted from (ITU-T H.265 §8.3.2): that proves whether a picture can be decoded, whatever was lost.
 * The reference picture set of the last picture bounds it, 16 pictures.
 */
export class ReferencePictures {
  readonly #parameterSets: H265ParameterSetMemory
  #held: number[] = []
  /** Picture order count that the next ones are counted from: prevTid0Pic of §8.3.1. */
  #anchor = 0
  #lastPicOrderCnt: number | undefined

  constructor(parameterSets: H265ParameterSetMemory) {
    this.#parameterSets = parameterSets
  }

  /** The picture emitted last, where its header could be read. */
  get lastPicOrderCnt(): number | undefined {
    return this.#lastPicOrderCnt
  }

  /** What is held is not to be relied on: nothing is held. */
  forget(): void {
    this.#held = []
    this.#lastPicOrderCnt = undefined
  }

  /** The picture of a unit; `startsSequence`: an IRAP picture before which nothing counts (NoRaslOutputFlag). */
  read(unit: AccessUnitBuilder, startsSequence: boolean): CodedPicture | undefined {
    const slice = unit.pieces[unit.firstSlice]
    if (slice === undefined) return undefined
    try {
      const header = parseH265SliceSegmentHeader(sliceHead(slice, MAX_H265_SLICE_HEAD_BYTES), this.#parameterSets)
      const pps = this.#parameterSets.pps(header.ppsId)
      const sps = pps && this.#parameterSets.sps(pps.spsId)
      if (sps === undefined) return undefined
      const picOrderCnt =
        startsSequence || isH265Idr(header.nalUnitType)
          ? header.picOrderCntLsb
          : h265PicOrderCnt(header.picOrderCntLsb, sps.log2MaxPicOrderCntLsb, this.#anchor)
      return {
        header,
        picOrderCnt,
        maxLsb: 2 ** sps.log2MaxPicOrderCntLsb,
        maxStep: 2 ** (Math.min(sps.maxNumReorderPics, MAX_LEVELS) + 1),
      }
    } catch {
      return undefined
    }
  }

  /** Whether all pictures are held that `picture` is predicted from. */
  suffice(picture: CodedPicture): boolean {
    const { shortTermRefPics, longTermRefPics } = picture.header
    for (const list of [shortTermRefPics.before, shortTermRefPics.after]) {
      for (const { deltaPoc, usedByCurrent } of list) {
        if (usedByCurrent && !this.#held.includes(picture.picOrderCnt + deltaPoc)) return false
      }
    }
    return longTermRefPics.every((entry) => !entry.usedByCurrent || this.#held.some(isLongTerm(entry, picture)))
  }

  /** The picture goes to the decoder: what its set leaves out is held no longer. */
  add(picture: CodedPicture | undefined, startsSequence: boolean): void {
    if (picture === undefined) {
      this.forget()
      return
    }
    const { header, picOrderCnt } = picture
    const { nalUnitType, temporalId, shortTermRefPics, longTermRefPics } = header
    const kept = startsSequence
      ? []
      : this.#held.filter((held) => {
          const deltaPoc = held - picOrderCnt
          return (
            shortTermRefPics.before.some((entry) => entry.deltaPoc === deltaPoc) ||
            shortTermRefPics.after.some((entry) => entry.deltaPoc === deltaPoc) ||
            longTermRefPics.some((entry) => isLongTerm(entry, picture)(held))
          )
        })
    kept.push(picOrderCnt)
    this.#held = kept
    this.#lastPicOrderCnt = picOrderCnt
    if (isAnchor(nalUnitType, temporalId)) this.#anchor = picOrderCnt
  }
}

/** Whether later picture order counts are counted from such a picture (§8.3.1). */
export function isAnchor(nalUnitType: number, temporalId: number): boolean {
  const isLeading = isH265Rasl(nalUnitType) || isH265Radl(nalUnitType)
  return temporalId === 0 && !isLeading && !isH265SubLayerNonReference(nalUnitType)
}

/** Whether a held picture is meant: by all of its picture order count, or by the lower bits (§8.3.2). */
function isLongTerm(
  { pocLsb, deltaPocMsbCycle }: CodedPicture['header']['longTermRefPics'][number],
  { picOrderCnt, maxLsb, header }: CodedPicture,
): (held: number) => boolean {
  if (deltaPocMsbCycle === undefined) return (held) => ((held % maxLsb) + maxLsb) % maxLsb === pocLsb
  const wanted = picOrderCnt - deltaPocMsbCycle * maxLsb - (header.picOrderCntLsb - pocLsb)
  return (held) => held === wanted
}
