import type { RuleText } from '../finding.js'
import {
  type PictureParameters,
  readPictureParameters,
  readSequenceParameters,
  type SequenceParameters,
} from './parameter-sets.js'
import { isNewPicture, readSlicePrefix, readSliceStart, type SliceStart } from './slice-header.js'

const rules = {
  'nal-empty': { rule: 'a NAL unit has at least its header byte', source: 'ITU-T H.264 7.3.1' },
  'nal-header': {
    rule: 'forbidden_zero_bit is 0; nal_ref_idc is not 0 for IDR slices and parameter sets, and 0 for types 6 and 9 to 12',
    source: 'ITU-T H.264 7.4.1',
  },
  'nal-unit-type': {
    rule: 'nal_unit_type is neither reserved nor unspecified (24 and above belong to RTP)',
    source: 'ITU-T H.264 Table 7-1',
  },
  'nal-emulation': {
    rule: 'no 000000, 000001 or 000002 within a NAL unit, and 000003 only before a byte up to 3 or at its end',
    source: 'ITU-T H.264 7.4.1',
  },
  'nal-order': {
    rule: 'nothing that opens an access unit (types 6 to 9, 14 to 18) follows a slice in it; filler follows slices; end of sequence and of stream come last',
    source: 'ITU-T H.264 7.4.1.2.3',
  },
  'access-unit-delimiter': {
    rule: 'an access unit delimiter comes first, once (MPEG-TS), or not at all where the container delimits',
    source: 'ISO/IEC 13818-1 2.14.1; ITU-T H.264 7.4.1.2.3',
  },
  'primary-pic-type': {
    rule: 'primary_pic_type of the delimiter allows every slice type of the picture',
    source: 'ITU-T H.264 Table 7-5',
  },
  'access-unit-count': {
    rule: 'all slices belong to one primary coded picture, and there is one',
    source: 'ITU-T H.264 7.4.1.2.4',
  },
  'parameter-set-syntax': { rule: 'SPS and PPS can be read to their end', source: 'ITU-T H.264 7.3.2.1, 7.3.2.2' },
  'parameter-sets-missing': {
    rule: 'the SPS and PPS of an IDR picture stand in its access unit before its first slice',
    source: 'RFC 8216 4.3.5.1 (a segment decodes alone); design rule',
  },
  'parameter-set-unknown': {
    rule: 'a slice refers to a PPS, and that to an SPS, which was sent before',
    source: 'ITU-T H.264 7.4.1.2.1',
  },
  'slice-header': { rule: 'a slice header can be read', source: 'ITU-T H.264 7.3.3' },
} as const

/** The id of a rule for an access unit. */
export type AccessUnitRule = keyof typeof rules

/** Rules for one H.264 access unit, in whatever container it lies. */
export const accessUnitRules: Readonly<Record<AccessUnitRule, RuleText>> = rules

/** What an access unit turned out to be. */
export interface AccessUnitFacts {
  /** An IDR picture. */
  readonly keyframe: boolean
  /** It has a recovery point SEI message. */
  readonly recoveryPoint: boolean
  readonly nalUnitTypes: readonly number[]
  /** The SPS that its first slice refers to, where it could be read. */
  readonly sps?: SequenceParameters
}

/** slice_type values that each primary_pic_type allows (Table 7-5). */
const SLICE_TYPES: readonly (readonly number[])[] = [
  [2],
  [0, 2],
  [0, 1, 2],
  [4],
  [3, 4],
  [2, 4],
  [0, 2, 3, 4],
  [0, 1, 2, 3, 4],
]
const SLICE_NAMES = ['P', 'B', 'I', 'SP', 'SI']

/** Takes what is wrong with an access unit. */
export type AccessUnitReport = (rule: AccessUnitRule, message: string) => void

/** What the container asks of an access unit. */
export interface AccessUnitDemands {
  /** MPEG-TS requires access unit delimiters, MP4 has no use for them. */
  readonly delimiter: 'required' | 'forbidden' | 'optional'
  /** Every IDR access unit carries its SPS and PPS. */
  readonly parameterSetsInBand: boolean
}

/** Checks access units one after the other; remembers the parameter sets that were sent. */
export class AccessUnitChecker {
  readonly sps: Map<number, SequenceParameters> = new Map()
  readonly pps: Map<number, PictureParameters> = new Map()
  readonly #demands: AccessUnitDemands

  constructor(demands: AccessUnitDemands) {
    this.#demands = demands
  }

  /** Remembers an SPS or PPS, wherever it came from; returns its id. */
  addParameterSet(nalUnit: Uint8Array, report: AccessUnitReport): number | undefined {
    const isSps = ((nalUnit[0] as number) & 31) === 7
    try {
      if (isSps) {
        const sps = readSequenceParameters(nalUnit)
        this.sps.set(sps.id, sps)
        return sps.id
      }
      const pps = readPictureParameters(nalUnit)
      this.pps.set(pps.id, pps)
      return pps.id
    } catch (error) {
      report('parameter-set-syntax', `${isSps ? 'an SPS' : 'a PPS'} cannot be read: ${(error as Error).message}`)
      return undefined
    }
  }

  /** Forgets all parameter sets: what comes next must decode alone. */
  reset(): void {
    this.sps.clear()
    this.pps.clear()
  }

  check(nalUnits: readonly Uint8Array[], report: AccessUnitReport): AccessUnitFacts {
    const walk = new AccessUnitWalk(this, this.#demands, report)
    for (const nalUnit of nalUnits) walk.add(nalUnit)
    return walk.finish()
  }
}

/** One access unit, NAL unit by NAL unit. */
class AccessUnitWalk {
  readonly #sets: AccessUnitChecker
  readonly #demands: AccessUnitDemands
  readonly #report: AccessUnitReport
  readonly #types: number[] = []
  readonly #spsHere = new Set<number | undefined>()
  readonly #ppsHere = new Set<number | undefined>()
  readonly #sliceTypes = new Set<number>()
  #index = -1
  #primaryPicType: number | undefined
  #previous: SliceStart | undefined
  #sps: SequenceParameters | undefined
  #sliceSeen = false
  #keyframe = false
  #recoveryPoint = false

  constructor(sets: AccessUnitChecker, demands: AccessUnitDemands, report: AccessUnitReport) {
    this.#sets = sets
    this.#demands = demands
    this.#report = report
  }

  add(nalUnit: Uint8Array): void {
    this.#index++
    if (nalUnit.byteLength === 0) {
      this.#report('nal-empty', `NAL unit ${this.#index} has no bytes`)
      return
    }
    const type = (nalUnit[0] as number) & 31
    checkHeader(nalUnit, this.#report)
    checkEmulation(nalUnit, this.#report)
    this.#checkPlace(type)
    this.#types.push(type)
    if (type === 1 || type === 2 || type === 5) this.#slice(nalUnit, type)
    else if (type === 6) this.#recoveryPoint ||= hasRecoveryPoint(nalUnit)
    else if (type === 7) this.#spsHere.add(this.#sets.addParameterSet(nalUnit, this.#report))
    else if (type === 8) this.#ppsHere.add(this.#sets.addParameterSet(nalUnit, this.#report))
    else if (type === 9) this.#primaryPicType ??= (nalUnit[1] ?? 0xf0) >> 5
  }

  finish(): AccessUnitFacts {
    if (!this.#sliceSeen) this.#report('access-unit-count', 'there is no slice: not an access unit')
    if (this.#primaryPicType !== undefined) {
      const allowed = SLICE_TYPES[this.#primaryPicType] as readonly number[]
      for (const type of this.#sliceTypes) {
        if (allowed.includes(type)) continue
        this.#report('primary-pic-type', `${this.#primaryPicType} does not allow a ${SLICE_NAMES[type]} slice`)
      }
    }
    return {
      keyframe: this.#keyframe,
      recoveryPoint: this.#recoveryPoint,
      nalUnitTypes: this.#types,
      ...(this.#sps === undefined ? {} : { sps: this.#sps }),
    }
  }

  #checkPlace(type: number): void {
    const at = `NAL unit ${this.#index} of type ${type}`
    if (type === 9 && this.#demands.delimiter === 'forbidden') {
      this.#report('access-unit-delimiter', `${at} is a delimiter where none belongs`)
    } else if (type === 9 && this.#index > 0) {
      this.#report('access-unit-delimiter', `${at} is a delimiter, but not the first NAL unit`)
    } else if (type !== 9 && this.#index === 0 && this.#demands.delimiter === 'required') {
      this.#report('access-unit-delimiter', `${at} comes first, not a delimiter`)
    }
    if (this.#sliceSeen && ((type >= 6 && type <= 9) || (type >= 14 && type <= 18))) {
      this.#report('nal-order', `${at} follows a slice: it would open another access unit`)
    }
    if (type === 12 && !this.#sliceSeen) this.#report('nal-order', `${at} (filler) comes before the first slice`)
    const last = this.#types[this.#types.length - 1]
    if (last === 11 || (last === 10 && type !== 11)) {
      this.#report('nal-order', `${at} follows an end of ${last === 11 ? 'stream' : 'sequence'}`)
    }
  }

  #slice(nalUnit: Uint8Array, type: number): void {
    let start: SliceStart | undefined
    try {
      const { sliceType, ppsId } = readSlicePrefix(nalUnit)
      this.#sliceTypes.add(sliceType)
      this.#checkParameterSets(ppsId, type)
      start = readSliceStart(nalUnit, this.#sets)
    } catch (error) {
      this.#report('slice-header', `NAL unit ${this.#index} cannot be read: ${(error as Error).message}`)
    }
    this.#sliceSeen = true
    if (type === 5) this.#keyframe = true
    if (start === undefined || start.redundantPicCnt > 0) return
    if (this.#previous === undefined) this.#sps = this.#sets.sps.get(start.spsId)
    else if (isNewPicture(this.#previous, start)) {
      const numbers = `frame_num ${this.#previous.frameNum} and ${start.frameNum}`
      this.#report('access-unit-count', `the slice in NAL unit ${this.#index} starts another picture (${numbers})`)
    }
    this.#previous = start
  }

  #checkParameterSets(ppsId: number, type: number): void {
    const pps = this.#sets.pps.get(ppsId)
    if (pps === undefined) this.#report('parameter-set-unknown', `a slice refers to PPS ${ppsId}, which was not sent`)
    else if (!this.#sets.sps.has(pps.spsId)) {
      this.#report('parameter-set-unknown', `PPS ${ppsId} refers to SPS ${pps.spsId}, which was not sent`)
    }
    if (type !== 5 || this.#keyframe || !this.#demands.parameterSetsInBand) return
    const missing = [
      ...(pps !== undefined && this.#spsHere.has(pps.spsId) ? [] : ['SPS']),
      ...(this.#ppsHere.has(ppsId) ? [] : ['PPS']),
    ]
    if (missing.length > 0) {
      this.#report('parameter-sets-missing', `no ${missing.join(' and ')} before the IDR slice in its access unit`)
    }
  }
}

function checkHeader(nalUnit: Uint8Array, report: AccessUnitReport): void {
  const header = nalUnit[0] as number
  const type = header & 31
  const refIdc = (header >> 5) & 3
  if (header >= 0x80) report('nal-header', `forbidden_zero_bit is set (NAL unit type ${type})`)
  if (refIdc === 0 && (type === 5 || type === 7 || type === 8 || type === 13 || type === 15)) {
    report('nal-header', `nal_ref_idc is 0 for NAL unit type ${type}`)
  }
  if (refIdc !== 0 && (type === 6 || (type >= 9 && type <= 12))) {
    report('nal-header', `nal_ref_idc is ${refIdc}, not 0, for NAL unit type ${type}`)
  }
  if (type === 0 || type === 17 || type === 18 || type >= 22) report('nal-unit-type', `nal_unit_type is ${type}`)
}

function checkEmulation(nalUnit: Uint8Array, report: AccessUnitReport): void {
  for (let i = 2; i < nalUnit.byteLength; ) {
    const byte = nalUnit[i] as number
    if (byte > 3) {
      i += 3
      continue
    }
    if (nalUnit[i - 1] === 0 && nalUnit[i - 2] === 0) {
      const next = nalUnit[i + 1]
      if (byte < 3 || (next !== undefined && next > 3)) {
        report(
          'nal-emulation',
          `0000${hex(byte)}${byte === 3 ? hex(next ?? 0) : ''} at byte ${i - 2} of NAL unit type ${(nalUnit[0] as number) & 31}`,
        )
        return
      }
    }
    i++
  }
  if (nalUnit[nalUnit.byteLength - 1] === 0) {
    report('nal-emulation', `NAL unit type ${(nalUnit[0] as number) & 31} ends with a zero byte`)
  }
}

/** SEI payload type 6 (ITU-T H.264 Annex D §D.1). */
function hasRecoveryPoint(sei: Uint8Array): boolean {
  let i = 1
  while (i + 2 < sei.byteLength) {
    let type = 0
    while (sei[i] === 0xff) {
      type += 255
      i++
    }
    type += sei[i++] ?? 0
    let size = 0
    while (sei[i] === 0xff) {
      size += 255
      i++
    }
    size += sei[i++] ?? 0
    if (type === 6) return true
    i += size
  }
  return false
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
