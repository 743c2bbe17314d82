import { amplitudeOf } from './decibels.js'
import { GainCurve } from './gain-curve.js'

/** Changes that wait for their time, at most: more than a script of hours has. The earliest then comes at once. */
const MAX_WAITING = 10_000

/** What a host sets for a participant. */
export type MixControl =
  | { readonly type: 'gain'; readonly db: number }
  | { readonly type: 'muted'; readonly on: boolean }
  | { readonly type: 'solo'; readonly on: boolean }

interface Waiting {
  readonly participantId: string
  readonly control: MixControl
  readonly position: number
}

interface Control {
  gain: number
  muted: boolean
  solo: boolean
  readonly curve: GainCurve
  /** The gains of the samples of this block, where they move. */
  readonly gains: Float64Array
  moves: boolean
}

/** Gain, mute and solo of every participant over time: known before they are there, and kept when they come again. */
export class MixControls {
  readonly #rampSamples: number
  readonly #blockSamples: number
  readonly #controls = new Map<string, Control>()
  /** By position; of equal ones the later set comes later. */
  readonly #waiting: Waiting[] = []
  #soloists = 0
  #started = false

  constructor(rampSamples: number, blockSamples: number) {
    this.#rampSamples = rampSamples
    this.#blockSamples = blockSamples
  }

  set(participantId: string, control: MixControl, position: number): void {
    let index = this.#waiting.length
    while (index > 0 && this.#waiting[index - 1]!.position > position) index--
    this.#waiting.splice(index, 0, { participantId, control, position })
    if (this.#waiting.length > MAX_WAITING) this.#apply(this.#waiting.shift()!, false)
  }

  /** Goes on to the block that starts at `position`. */
  begin(position: number): void {
    const size = this.#blockSamples
    for (const control of this.#controls.values()) control.moves = false
    let from = 0
    while (this.#waiting.length > 0 && this.#waiting[0]!.position < position + size) {
      const to = Math.max(from, this.#waiting[0]!.position - position)
      this.#fill(from, to)
      this.#apply(this.#waiting.shift()!, !this.#started && to === 0)
      from = to
    }
    this.#fill(from, size)
    this.#started = true
  }

  /** The gain of this block where it does not move, else that of each sample. */
  gainOf(participantId: string): number | Float64Array {
    const { moves, gains, curve } = this.#of(participantId)
    return moves ? gains : (curve.steady ?? gains)
  }

  #fill(from: number, to: number): void {
    for (const control of this.#controls.values()) {
      if (control.curve.steady === undefined && !control.moves) {
        control.moves = true
        // It was steady up to here in this block, and this was not written down.
        control.gains.fill(control.curve.start, 0, from)
      }
      if (control.moves) control.curve.fill(control.gains, from, to)
    }
  }

  #apply({ participantId, control }: Waiting, atOnce: boolean): void {
    const state = this.#of(participantId)
    if (control.type === 'gain') state.gain = amplitudeOf(control.db)
    else if (control.type === 'muted') state.muted = control.on
    else if (control.on !== state.solo) {
      state.solo = control.on
      this.#soloists += control.on ? 1 : -1
    }
    for (const one of this.#controls.values()) {
      const target = this.#targetOf(one)
      if (atOnce) one.curve.jump(target)
      else one.curve.aim(target)
    }
  }

  #targetOf({ gain, muted, solo }: Control): number {
    return muted || (this.#soloists > 0 && !solo) ? 0 : gain
  }

  #of(participantId: string): Control {
    let control = this.#controls.get(participantId)
    if (control === undefined) {
      const state = { gain: 1, muted: false, solo: false }
      const curve = new GainCurve(this.#rampSamples, this.#soloists > 0 ? 0 : 1)
      control = { ...state, curve, gains: new Float64Array(this.#blockSamples), moves: false }
      this.#controls.set(participantId, control)
    }
    return control
  }
}
