import { statfs } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { type MonotonicClock, monotonicClock } from '@rushes/media'
import type {
  JournalAdmission,
  JournalBudget,
  JournalBudgetOptions,
  JournalPressure,
  JournalRefusal,
} from './journal-budget.js'
import { type JournalStep, type JournalStepRule, reliefBytes, stepsTaken } from './journal-steps.js'
import { measureFolder, removeTake } from './remove-take.js'
import { readSession } from './take.js'

/** A recording that begins should not end for want of space before so long. */
const ADMIT_SECONDS = 600
/** Where there was nothing to delete, the host is asked again after so long. */
const ASK_AGAIN_US = 10_000_000
/** Everything is measured anew so often, because others may delete takes. */
const MEASURE_US = 300_000_000
/** Tracks that are counted one by one; the rest are counted together. */
const MAX_REFUSALS = 10_000

interface Taken {
  readonly cause: JournalPressure['cause']
  readonly since: string
  /** What had been refused before. */
  readonly before: ReadonlyMap<string, JournalRefusal>
}

/** The budget behind `createJournalBudget`. */
export class DiskBudget implements JournalBudget {
  readonly dir: string
  readonly #options: JournalBudgetOptions
  readonly #rules: readonly JournalStepRule[]
  readonly #clock: MonotonicClock
  readonly #taken = new Map<JournalStep, Taken>()
  readonly #refused = new Map<string, JournalRefusal>()
  #usedBytes = 0
  #freeBytes = Number.POSITIVE_INFINITY
  /** Written since the free space was looked at. */
  #sinceLookBytes = 0
  /** Below this a further step is taken: so that a packet costs one comparison. */
  #lowBytes = 0
  #stopsVideo = false
  #stopsMedia = false
  #lookedUs = Number.NEGATIVE_INFINITY
  #measuredUs = Number.NEGATIVE_INFINITY
  #askedUs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #deleting: Promise<void> | undefined

  constructor(options: JournalBudgetOptions, rules: readonly JournalStepRule[]) {
    this.dir = resolve(options.dir)
    this.#options = options
    this.#rules = rules
    this.#clock = options.clock ?? monotonicClock
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get leftBytes(): number {
    return Math.max(0, Math.min(this.#budgetLeft(), this.#diskLeft()))
  }

  get steps(): readonly JournalStep[] {
    return [...this.#taken.keys()]
  }

  get refused(): readonly JournalRefusal[] {
    return [...this.#refused.values()]
  }

  async admit(options: { readonly bytesPerSecond?: number } = {}): Promise<JournalAdmission> {
    await this.#look(false).catch(() => {})
    const { leftBytes } = this
    const neededBytes = (options.bytesPerSecond ?? 0) * ADMIT_SECONDS
    if (!this.#taken.has('refuse-recordings') && leftBytes >= neededBytes) return { ok: true, leftBytes }
    const message = `the journal in ${this.dir} has ${leftBytes} bytes left: no new recording`
    return { ok: false, leftBytes, neededBytes, message }
  }

  refresh(): Promise<void> {
    return this.#look(true)
  }

  stops(kind: 'audio' | 'video'): boolean {
    return this.#stopsMedia || (kind === 'video' && this.#stopsVideo)
  }

  account(bytes: number): void {
    this.#usedBytes += bytes
    this.#sinceLookBytes += bytes
    if (this.leftBytes < this.#lowBytes) this.#judge()
  }

  countRefused(dir: string, trackId: string, bytes: number): void {
    const full = this.#refused.size >= MAX_REFUSALS
    const key = full ? '' : `${dir}\0${trackId}`
    const before = this.#refused.get(key) ?? {
      dir: full ? this.dir : dir,
      trackId: full ? '' : trackId,
      packets: 0,
      bytes: 0,
    }
    this.#refused.set(key, { ...before, packets: before.packets + 1, bytes: before.bytes + bytes })
  }

  poll(): void {
    this.#look(false).catch(() => {
      // The last known space counts until the system answers again; what is written is subtracted from it.
    })
  }

  #budgetLeft(): number {
    return (this.#options.maxBytes ?? Number.POSITIVE_INFINITY) - this.#usedBytes
  }

  #diskLeft(): number {
    return this.#freeBytes - (this.#options.minFreeBytes ?? 1_073_741_824) - this.#sinceLookBytes
  }

  #look(everything: boolean): Promise<void> {
    const nowUs = this.#clock.nowUs()
    const due = nowUs - this.#lookedUs >= (this.#options.pollMs ?? 1000) * 1000
    if (this.#looking === undefined && !everything && !due) return Promise.resolve()
    // Whoever asks for everything gets a look that began after the question.
    if (this.#looking !== undefined) return everything ? this.#looking.then(() => this.#look(true)) : this.#looking
    const measure = everything || (this.#options.maxBytes !== undefined && nowUs - this.#measuredUs >= MEASURE_US)
    this.#lookedUs = nowUs
    this.#looking = this.#lookOnce(measure, nowUs).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookOnce(measure: boolean, nowUs: number): Promise<void> {
    const usedBefore = this.#usedBytes
    const sinceBefore = this.#sinceLookBytes
    if (measure) {
      const bytes = await measureFolder(this.dir)
      // What came in while it was counted may or may not be in the count: it is added, to be on the safe side.
      this.#usedBytes = bytes + Math.max(0, this.#usedBytes - usedBefore)
      this.#measuredUs = nowUs
    }
    this.#freeBytes = await (this.#options.freeBytes ?? freeBytesOf)(this.dir)
    this.#sinceLookBytes -= sinceBefore
    this.#judge()
  }

  /** Takes and undoes steps as the space demands. */
  #judge(): void {
    const { leftBytes } = this
    const taken = stepsTaken(this.#rules, new Set(this.#taken.keys()), leftBytes)
    for (const { step } of this.#rules) {
      const before = this.#taken.get(step)
      if (taken.has(step) && before === undefined) {
        const cause = this.#budgetLeft() <= this.#diskLeft() ? 'max-bytes' : 'free-space'
        this.#taken.set(step, { cause, since: this.#wallTime(), before: new Map(this.#refused) })
        this.#report('begun', step, `${descriptions[step]}: ${leftBytes} bytes are left for the journal`)
      } else if (!taken.has(step) && before !== undefined) {
        this.#report('ended', step, `there is room again, ${leftBytes} bytes: no more "${descriptions[step]}"`)
        this.#taken.delete(step)
      }
    }
    this.#stopsVideo = this.#taken.has('stop-video')
    this.#stopsMedia = this.#taken.has('stop-media')
    this.#lowBytes = 0
    for (const { step, belowBytes } of this.#rules) {
      if (!this.#taken.has(step)) this.#lowBytes = Math.max(this.#lowBytes, belowBytes)
    }
    if (this.#taken.has('delete-takes')) this.#deleteSoon()
  }

  #deleteSoon(): void {
    const nowUs = this.#clock.nowUs()
    if (this.#deleting !== undefined || this.#options.deletable === undefined) return
    if (nowUs - this.#askedUs < ASK_AGAIN_US) return
    this.#askedUs = nowUs
    this.#deleting = this.#deleteTakes()
      .catch((error: unknown) => {
        this.#report('delete-failed', 'delete-takes', `nothing could be deleted: ${(error as Error).message}`, {
          error,
        })
      })
      .finally(() => {
        this.#deleting = undefined
      })
  }

  async #deleteTakes(): Promise<void> {
    const rule = this.#rules.find(({ step }) => step === 'delete-takes')
    const wantedBytes = reliefBytes(rule?.belowBytes ?? 0)
    for (const take of await this.#deletable()) {
      if (this.leftBytes >= wantedBytes) return
      try {
        const bytes = await measureFolder(take, 0)
        await removeTake(take)
        this.#usedBytes -= bytes
        this.#report('take-deleted', 'delete-takes', `deleted to make room: ${take}, ${bytes} bytes`, { take })
      } catch (error) {
        this.#report('delete-failed', 'delete-takes', `cannot be deleted: ${take}`, { take, error })
        continue
      }
      await this.refresh()
    }
  }

  /** What the host allows, as far as it lies in the journal and is finished, the oldest first. */
  async #deletable(): Promise<readonly string[]> {
    const found: { readonly dir: string; readonly startedAt: number }[] = []
    for (const candidate of (await this.#options.deletable?.()) ?? []) {
      const dir = resolve(this.dir, candidate)
      if (!dir.startsWith(this.dir + sep)) continue
      const session = await readSession(dir).catch(() => undefined)
      if (session !== undefined && session.finished !== false) {
        found.push({ dir, startedAt: Date.parse(session.startedAt) })
      }
    }
    return found.sort((one, other) => one.startedAt - other.startedAt).map(({ dir }) => dir)
  }

  #report(
    type: JournalPressure['type'],
    step: JournalStep,
    message: string,
    more: { readonly take?: string; readonly error?: unknown } = {},
  ): void {
    const at = this.#wallTime()
    const { cause, since, before } = this.#taken.get(step) ?? { cause: 'free-space', since: at, before: new Map() }
    const refused: JournalRefusal[] = []
    for (const [key, { dir, trackId, packets, bytes }] of this.#refused) {
      const old = before.get(key) ?? { packets: 0, bytes: 0 }
      if (packets > old.packets)
        refused.push({ dir, trackId, packets: packets - old.packets, bytes: bytes - old.bytes })
    }
    const { take, error } = more
    const named = { ...(take === undefined ? {} : { take }), ...(error instanceof Error ? { error } : {}) }
    const { onPressure } = this.#options
    const pressure: JournalPressure = {
      type,
      step,
      cause,
      since,
      at,
      leftBytes: this.leftBytes,
      refused,
      ...named,
      message,
    }
    // Later: a writer that is in the middle of a packet must not meet an error of the host.
    if (onPressure !== undefined) queueMicrotask(() => onPressure(pressure))
  }

  #wallTime(): string {
    return new Date((this.#options.now ?? Date.now)()).toISOString()
  }
}

const descriptions: Readonly<Record<JournalStep, string>> = {
  'refuse-recordings': 'new recordings are refused',
  'delete-takes': 'takes whose outputs are done are deleted',
  'stop-video': 'video is not journalled',
  'stop-media': 'only events are journalled',
}

async function freeBytesOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}
