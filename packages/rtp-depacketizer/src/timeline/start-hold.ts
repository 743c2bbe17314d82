import type { AccessUnit, AudioFrame, Emit, SourceItem, TimedStage } from '@rushes/media'

/** How long the beginning of a track may wait, and how much of it. */
export interface StartHoldOptions {
  /** In arrival time, from the first unit that waits. */
  readonly maxUs: number
  /** Of all tracks together. */
  readonly maxBytes: number
  /** Whether what is known of a track's clock by now will do. Asked while something waits, when it may have changed. */
  readonly isKnown: (trackId: string) => boolean
  /** Whether its clock is still known for each unit that waits: a source that restarts again and again is forgotten. */
  readonly isRemembered: (trackId: string) => boolean
}

/** Counters of a {@link StartHold}. */
export interface StartHoldStats {
  /** Units that wait now, and their bytes. */
  heldUnits: number
  heldBytes: number
  /** How often a beginning was let go: with all clocks known, or because the time or the memory was used up. */
  known: number
  overdue: number
  full: number
}

/** Memory of a unit beside its payload, roughly; so that a flood of tiny ones is bounded too. */
const UNIT_OVERHEAD_BYTES = 512

/**
 * Keeps the first units of each live track until its sender has told where they belong. Arrival tells that only roughly
 * (browsers play their sound out a tenth of a second later than the picture), and the first report of sound comes seconds
 * after the media.
 *
 * Tracks that begin while others wait join them, and all go on together, in the order in which they came: once the clocks
 * of all of them are known, or when the bounds are reached. Then a track is open for good: its units pass at once. A track
 * that begins later waits in the same way, unless that was in vain before.
 */
export class StartHold implements TimedStage<SourceItem, SourceItem> {
  readonly #options: StartHoldOptions
  readonly #open = new Set<string>()
  /** Those that have units here; whether they have ended, so that no report is to be expected. */
  readonly #waiting = new Map<string, { ended: boolean }>()
  #held: SourceItem[] = []
  #deadlineUs: number | undefined
  readonly #stats: StartHoldStats = { heldUnits: 0, heldBytes: 0, known: 0, overdue: 0, full: 0 }

  constructor(options: StartHoldOptions) {
    this.#options = options
  }

  get stats(): Readonly<StartHoldStats> {
    return this.#stats
  }

  /** Time is looked at by `tick` alone: call it before, with the item's arrival. Reports pass. */
  push(item: SourceItem, emit: Emit<SourceItem>): void {
    if (item.type === 'sender-report') {
      emit(item)
      this.#look(emit)
    } else if (item.type === 'track-end') this.#end(item, emit)
    else if (this.#open.has(item.trackId)) emit(item)
    else this.#begin(item, emit)
  }

  tick(nowUs: number, emit: Emit<SourceItem>): void {
    if (this.#deadlineUs === undefined || nowUs < this.#deadlineUs) return
    this.#stats.overdue++
    this.#letGo(emit)
  }

  nextDeadline(): number | undefined {
    return this.#deadlineUs
  }

  flush(emit: Emit<SourceItem>): void {
    this.#letGo(emit)
  }

  #begin(unit: AccessUnit | AudioFrame, emit: Emit<SourceItem>): void {
    const { trackId, arrivalUs } = unit
    const isNew = !this.#waiting.has(trackId)
    const bytes = bytesOf(unit)
    const { maxBytes, isRemembered } = this.#options
    const isFull = this.#stats.heldBytes + bytes > maxBytes || !isRemembered(trackId)
    if (isFull) {
      this.#waiting.set(trackId, { ended: false })
      this.#stats.full++
      this.#letGo(emit)
    }
    // Without arrival there is no bound in time.
    if (isFull || (isNew && (arrivalUs === undefined || this.#isInVain()))) {
      this.#open.add(trackId)
      emit(unit)
      return
    }
    this.#held.push(unit)
    this.#stats.heldUnits++
    this.#stats.heldBytes += bytes
    if (!isNew || arrivalUs === undefined) return
    this.#deadlineUs ??= arrivalUs + this.#options.maxUs
    this.#waiting.set(trackId, { ended: false })
    this.#look(emit)
  }

  /** Who was waited for, and has reported nothing since, is not waited for again. */
  #isInVain(): boolean {
    if (this.#stats.overdue === 0 || this.#waiting.size > 0) return false
    for (const trackId of this.#open) if (this.#options.isKnown(trackId)) return false
    return true
  }

  #end(item: SourceItem, emit: Emit<SourceItem>): void {
    const waiting = this.#waiting.get(item.trackId)
    if (waiting === undefined) {
      emit(item)
      return
    }
    this.#held.push(item)
    waiting.ended = true
    this.#look(emit)
  }

  #look(emit: Emit<SourceItem>): void {
    if (this.#waiting.size === 0) return
    for (const [trackId, { ended }] of this.#waiting) if (!ended && !this.#options.isKnown(trackId)) return
    this.#stats.known++
    this.#letGo(emit)
  }

  #letGo(emit: Emit<SourceItem>): void {
    const held = this.#held
    this.#held = []
    this.#deadlineUs = undefined
    this.#stats.heldUnits = 0
    this.#stats.heldBytes = 0
    for (const trackId of this.#waiting.keys()) this.#open.add(trackId)
    this.#waiting.clear()
    for (const item of held) emit(item)
  }
}

function bytesOf(unit: AccessUnit | AudioFrame): number {
  if (unit.type === 'audio-frame') return UNIT_OVERHEAD_BYTES + unit.data.byteLength
  let bytes = UNIT_OVERHEAD_BYTES
  for (const pieces of unit.pieces ?? [unit.nalUnits]) for (const piece of pieces) bytes += piece.byteLength
  return bytes
}
