import type { ParameterSetLookup } from '@rushes/bitstream'
import type { AccessUnitBuilder } from '../nal/access-unit-builder.js'
import { KeyframeGate, type Passage, type Verdict } from '../nal/keyframe-gate.js'
import { SliceHead } from '../nal/slice-head.js'
import { continuesReferences } from './picture-continuity.js'

/** The gate for H264, where frame_num proves that no reference picture is missing. */
export class H264KeyframeGate extends KeyframeGate {
  readonly #parameterSets: ParameterSetLookup
  /** First slice of the last reference picture emitted. */
  readonly #reference = new SliceHead()
  #hasReference = false
  /** This source sends pictures that no other depends on: one of those may be what is missing. */
  #hasDisposable = false

  constructor(freezes: boolean, parameterSets: ParameterSetLookup, signal: (reason: 'start' | 'loss') => void) {
    super(freezes, signal)
    this.#parameterSets = parameterSets
  }

  override restart(): void {
    super.restart()
    this.#hasReference = false
    this.#hasDisposable = false
  }

  override judge(unit: AccessUnitBuilder, keyframe: boolean): Verdict {
    if (keyframe) {
      this.state = 'open'
      this.answered()
      return 'emit'
    }
    if (this.state === 'waiting') {
      this.ask('start')
      return 'before-keyframe'
    }
    if (this.state === 'frozen') return 'frozen'
    if (this.lostPackets + this.missingUnits === 0 || this.#continues(unit)) return 'emit'
    this.ask('loss')
    if (!this.freezes) return 'emit'
    this.state = 'frozen'
    return 'frozen'
  }

  override passed(unit: AccessUnitBuilder, keyframe: boolean): Passage {
    const isReference = (unit.sliceHeader & 0x60) !== 0
    // Padding, then: no reference picture is missing, and of others this source has shown none.
    const isPadding =
      this.lostPackets > 0 &&
      !keyframe &&
      this.missingUnits === 0 &&
      !this.#hasDisposable &&
      isReference &&
      this.#continues(unit)
    if (isReference) {
      this.#reference.copy(unit.pieces[unit.firstSlice]!)
      this.#hasReference = true
    } else this.#hasDisposable = true
    return this.settle(isPadding)
  }

  #continues(unit: AccessUnitBuilder): boolean {
    const current = unit.pieces[unit.firstSlice]
    const missing = this.lostPackets + this.missingUnits
    if (!this.#hasReference || current === undefined) return false
    return continuesReferences(this.#reference.bytes, current, missing, this.#parameterSets)
  }
}
