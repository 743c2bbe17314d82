import type { ParameterSetLookup } from '@rushes/bitstream'
import type { AccessUnitBuilder } from './access-unit-builder.js'
import { continuesReferences } from './picture-continuity.js'
import { SliceHead } from './slice-head.js'

/** What the gate says to a whole unit. */
export type Verdict = 'emit' | 'before-keyframe' | 'frozen'

/** What went missing before a unit that is emitted. */
export interface Passage {
  /** Packets; 0 where units did without a loss, `undefined` where nothing did. */
  readonly lost: number | undefined
  /** Packets that no picture was in. */
  readonly harmless: number
}

const NOTHING_LOST: Passage = { lost: undefined, harmless: 0 }

/**
 * Decides which whole access units can be decoded: none before the first keyframe, and after a loss that spoils later
 * pictures none up to the next keyframe (unless they are to go on).
 */
export class KeyframeGate {
  readonly #freezes: boolean
  readonly #parameterSets: ParameterSetLookup
  readonly #signal: (reason: 'start' | 'loss') => void
  #state: 'waiting' | 'open' | 'frozen' = 'waiting'
  #signalled = false
  /** First slice of the last reference picture emitted. */
  readonly #reference = new SliceHead()
  #hasReference = false
  /** This source sends pictures that no other depends on: one of those may be what is missing. */
  #hasDisposable = false
  #lostPackets = 0
  #missingUnits = 0
  #anyEmitted = false

  constructor(freezes: boolean, parameterSets: ParameterSetLookup, signal: (reason: 'start' | 'loss') => void) {
    this.#freezes = freezes
    this.#parameterSets = parameterSets
    this.#signal = signal
  }

  /** A new source: waits for its first keyframe. */
  restart(): void {
    this.#state = 'waiting'
    this.#signalled = false
    this.#hasReference = false
    this.#hasDisposable = false
    this.#lostPackets = 0
    this.#missingUnits = 0
    this.#anyEmitted = false
  }

  /** Packets are missing, of this unit or before it. */
  addLost(packets: number): void {
    this.#lostPackets += packets
  }

  /** A unit could not be emitted. */
  addMissing(): void {
    this.#missingUnits++
    if (this.#state === 'waiting') this.#ask('start')
  }

  /** What has been emitted was not whole, or what comes cannot be decoded at all: nothing is, up to a keyframe. */
  spoil(): void {
    this.#missingUnits++
    if (this.#state === 'waiting') this.#ask('start')
    else {
      this.#state = 'frozen'
      this.#ask('loss')
    }
  }

  judge(unit: AccessUnitBuilder, keyframe: boolean): Verdict {
    if (keyframe) {
      this.#state = 'open'
      this.#signalled = false
      return 'emit'
    }
    if (this.#state === 'waiting') {
      this.#ask('start')
      return 'before-keyframe'
    }
    if (this.#state === 'frozen') return 'frozen'
    if (this.#lostPackets + this.#missingUnits === 0 || this.#continues(unit)) return 'emit'
    this.#ask('loss')
    if (!this.#freezes) return 'emit'
    this.#state = 'frozen'
    return 'frozen'
  }

  /** The unit is emitted: tells what went missing before it. */
  passed(unit: AccessUnitBuilder, keyframe: boolean): Passage {
    const lostPackets = this.#lostPackets
    let lost: number | undefined
    let harmless = 0
    if (lostPackets + this.#missingUnits > 0 && this.#anyEmitted) {
      // Padding, then: no reference picture is missing, and of others this source has shown none.
      const isPadding =
        !keyframe && this.#missingUnits === 0 && !this.#hasDisposable && unit.isReference && this.#continues(unit)
      if (isPadding) harmless = lostPackets
      else lost = lostPackets
    }
    this.#lostPackets = 0
    this.#missingUnits = 0
    this.#anyEmitted = true
    if (unit.isReference) {
      this.#reference.copy(unit.pieces[unit.firstSlice]!)
      this.#hasReference = true
    } else this.#hasDisposable = true
    return lost === undefined && harmless === 0 ? NOTHING_LOST : { lost, harmless }
  }

  #continues(unit: AccessUnitBuilder): boolean {
    const current = unit.pieces[unit.firstSlice]
    const missing = this.#lostPackets + this.#missingUnits
    if (!this.#hasReference || current === undefined) return false
    return continuesReferences(this.#reference.bytes, current, missing, this.#parameterSets)
  }

  #ask(reason: 'start' | 'loss'): void {
    if (this.#signalled) return
    this.#signalled = true
    this.#signal(reason)
  }
}
