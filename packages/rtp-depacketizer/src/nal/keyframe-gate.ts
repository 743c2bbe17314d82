import type { AccessUnitBuilder } from './access-unit-builder.js'

/** What the gate says to a whole unit. */
export type Verdict = 'emit' | 'before-keyframe' | 'frozen' | 'leading'

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
 * pictures none of those up to the next keyframe (unless they are to go on). What proves that a picture can be decoded
 * is the codec's business.
 */
export abstract class KeyframeGate {
  protected readonly freezes: boolean
  /** `frozen`: nothing passes up to a keyframe. */
  protected state: 'waiting' | 'open' | 'damaged' | 'frozen' = 'waiting'
  /** Since the unit that was emitted last. */
  protected lostPackets = 0
  protected missingUnits = 0
  readonly #signal: (reason: 'start' | 'loss') => void
  #signalled = false
  #anyEmitted = false

  constructor(freezes: boolean, signal: (reason: 'start' | 'loss') => void) {
    this.freezes = freezes
    this.#signal = signal
  }

  /** Whether a whole unit is to be emitted: {@link passed} must follow if so. */
  abstract judge(unit: AccessUnitBuilder, keyframe: boolean): Verdict

  /** The unit is emitted: tells what went missing before it. */
  abstract passed(unit: AccessUnitBuilder, keyframe: boolean): Passage

  /** A new source: waits for its first keyframe. */
  restart(): void {
    this.state = 'waiting'
    this.#signalled = false
    this.lostPackets = 0
    this.missingUnits = 0
    this.#anyEmitted = false
  }

  /** Packets are missing, of this unit or before it. */
  addLost(packets: number): void {
    this.lostPackets += packets
  }

  /** A unit could not be emitted. */
  addMissing(): void {
    this.missingUnits++
    if (this.state === 'waiting') this.ask('start')
  }

  /** What has been emitted was not whole, or what comes cannot be decoded at all: nothing is, up to a keyframe. */
  spoil(): void {
    this.missingUnits++
    if (this.state === 'waiting') this.ask('start')
    else {
      this.state = 'frozen'
      this.ask('loss')
    }
  }

  /** Asks for a keyframe, once until one has come. */
  protected ask(reason: 'start' | 'loss'): void {
    if (this.#signalled) return
    this.#signalled = true
    this.#signal(reason)
  }

  /** A keyframe has come. */
  protected answered(): void {
    this.#signalled = false
  }

  /** What is missing so far is told with a unit; `isHarmless` says that no picture was among it. */
  protected settle(isHarmless: boolean): Passage {
    const { lostPackets } = this
    const isTold = lostPackets + this.missingUnits > 0 && this.#anyEmitted
    this.lostPackets = 0
    this.missingUnits = 0
    this.#anyEmitted = true
    if (!isTold) return NOTHING_LOST
    return isHarmless ? { lost: undefined, harmless: lostPackets } : { lost: lostPackets, harmless: 0 }
  }
}
