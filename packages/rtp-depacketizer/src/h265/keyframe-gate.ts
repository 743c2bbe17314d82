import { H265NalUnitType, isH265Idr, isH265Irap, isH265Rasl } from '@rushes/bitstream'
import type { AccessUnitBuilder } from '../nal/access-unit-builder.js'
import { KeyframeGate, type Passage, type Verdict } from '../nal/keyframe-gate.js'
import type { H265ParameterSetMemory } from './parameter-set-memory.js'
import { type CodedPicture, isAnchor, ReferencePictures } from './reference-pictures.js'

/** Pictures of higher temporal sub-layers refused in a row: a sender would have come to a switching point by then. */
const MAX_WAIT_FOR_SWITCHING_POINT = 16

/**
 * The gate for H265. After a loss it lets every picture through whose reference pictures have all been emitted: in a
 * stream with temporal sub-layers or B pictures that is most of them, and in any other nothing up to the next keyframe.
 */
export class H265KeyframeGate extends KeyframeGate {
  readonly #references: ReferencePictures
  readonly #parameterSets: H265ParameterSetMemory
  /** What becomes of the RASL pictures of the last IRAP picture. */
  #rasl: 'emit' | 'prove' | 'skip' = 'skip'
  /** An end of sequence came: the next IRAP picture starts anew. */
  #sequenceEnded = false
  /** How many pictures may have been missed since picture order counts were last anchored. */
  #missedSinceAnchor = 0
  /** Pictures of higher temporal sub-layers refused since the last one that passed. */
  #refusedAbove = 0
  /** Of the unit that is being judged. */
  #picture: CodedPicture | undefined
  #startsSequence = false
  #isHarmless = false

  constructor(freezes: boolean, parameterSets: H265ParameterSetMemory, signal: (reason: 'start' | 'loss') => void) {
    super(freezes, signal)
    this.#parameterSets = parameterSets
    this.#references = new ReferencePictures(parameterSets)
  }

  override restart(): void {
    super.restart()
    this.#references.forget()
    this.#rasl = 'skip'
    this.#sequenceEnded = false
    this.#missedSinceAnchor = 0
    this.#refusedAbove = 0
  }

  override spoil(): void {
    super.spoil()
    this.#references.forget()
  }

  override judge(unit: AccessUnitBuilder, keyframe: boolean): Verdict {
    const type = (unit.sliceHeader >>> 9) & 0x3f
    const isIrap = isH265Irap(type)
    const missing = this.lostPackets + this.missingUnits
    const isStart = this.state === 'waiting' || this.state === 'frozen' || this.#sequenceEnded
    this.#startsSequence = isIrap && (isStart || type !== H265NalUnitType.cra)
    this.#picture = this.#references.read(unit, this.#startsSequence)
    this.#isHarmless = missing > 0 && this.#provesNothingMissing()
    const isIntact = this.state === 'open' && (missing === 0 || this.#isHarmless)
    if (keyframe) {
      if (this.#startsSequence) this.#rasl = 'skip'
      else if (isIrap) this.#rasl = isIntact ? 'emit' : 'prove'
      else if (isStart) this.#rasl = 'skip'
      this.#forgetIfAmbiguous(missing)
      this.state = 'open'
      this.answered()
      return 'emit'
    }
    if (this.state === 'waiting') {
      this.ask('start')
      return 'before-keyframe'
    }
    if (this.state === 'frozen') return 'frozen'
    if (isH265Rasl(type) && this.#rasl === 'skip') return 'leading'
    if (!isIntact) this.state = 'damaged'
    const isSuspect = this.state === 'damaged' || (isH265Rasl(type) && this.#rasl === 'prove')
    if (!isSuspect) return 'emit'
    this.#forgetIfAmbiguous(missing)
    if (this.#picture !== undefined && this.#references.suffice(this.#picture)) return 'emit'
    if (this.state === 'open') return this.freezes ? 'leading' : 'emit'
    return this.#refuse()
  }

  override passed(unit: AccessUnitBuilder, keyframe: boolean): Passage {
    this.#missedSinceAnchor += this.lostPackets + this.missingUnits
    this.#references.add(this.#picture, this.#startsSequence)
    const header = this.#picture?.header
    if (keyframe || (header !== undefined && header.temporalId > 0)) this.#refusedAbove = 0
    if (header !== undefined && isAnchor(header.nalUnitType, header.temporalId)) this.#missedSinceAnchor = 0
    this.#sequenceEnded = unit.endsSequence
    return this.settle(this.#isHarmless)
  }

  /** A picture that is predicted from one that is missing. */
  #refuse(): Verdict {
    const temporalId = this.#picture?.header.temporalId ?? 0
    // Nothing in the lowest sub-layer will be decodable again; what is above comes back at its next switching point.
    if (temporalId === 0 || ++this.#refusedAbove > MAX_WAIT_FOR_SWITCHING_POINT) this.ask('loss')
    if (!this.freezes) return 'emit'
    this.missingUnits++
    return 'frozen'
  }

  /**
   * Whether no picture can be among what is missing: where pictures are shown in the order in which they are decoded,
   * none fits between two whose picture order counts follow each other.
   */
  #provesNothingMissing(): boolean {
    const picture = this.#picture
    const last = this.#references.lastPicOrderCnt
    if (picture === undefined || last === undefined || this.missingUnits > 0) return false
    const pps = this.#parameterSets.pps(picture.header.ppsId)
    const sps = pps && this.#parameterSets.sps(pps.spsId)
    return (
      sps !== undefined &&
      sps.maxNumReorderPics === 0 &&
      !isH265Irap(picture.header.nalUnitType) &&
      picture.picOrderCnt === last + 1 &&
      !this.#isAmbiguous(picture, this.lostPackets)
    )
  }

  /** Whether pictures of a sequence that nobody saw begin could have the same picture order counts. */
  #isAmbiguous(picture: CodedPicture, missing: number): boolean {
    const missed = this.#missedSinceAnchor + missing
    if (missed === 0) return false
    // Half a round of the lower bits; and an unseen IDR picture, from which they count anew.
    return missed >= picture.maxLsb / 2 || missing * picture.maxStep > picture.header.picOrderCntLsb
  }

  #forgetIfAmbiguous(missing: number): void {
    const picture = this.#picture
    if (picture === undefined || isH265Idr(picture.header.nalUnitType)) return
    if (this.#isAmbiguous(picture, missing)) this.#references.forget()
  }
}
