import { ConfigurationError } from '@rushes/media'
import { unwrapSequenceNumber } from '@rushes/rtp-depacketizer'

/** Options of {@link NackGenerator}. All times in microseconds. */
export interface NackOptions {
  /**
   * How long a missing packet may merely be overtaken before it is asked for. @defaultValue 10_000
   */
  readonly reorderAllowanceUs?: number
  /** Requests for one packet. @defaultValue 8 */
  readonly maxTries?: number
  /**
   * Age from which a packet is no longer of use: the time for which a depacketizer waits. @defaultValue 500_000
   */
  readonly maxAgeUs?: number
  /**
   * Packets missing at a time; the oldest are given up. A thousand are half a second of 20 Mbit/s, and asking for more
   * would add a flood to a network that drops. @defaultValue 1000
   */
  readonly maxMissing?: number
}

/** What became of missing packets. */
export interface NackStats {
  /** Packets found missing. */
  readonly missing: number
  /** Of these, came after having been asked for. */
  readonly repaired: number
  /** Of these, came without having been asked for: they had been overtaken. */
  readonly reordered: number
  /** Given up, because of their age, their number or the tries. */
  readonly givenUp: number
  /** Requests: a packet asked for twice counts twice. */
  readonly requested: number
}

interface Missing {
  readonly foundUs: number
  dueUs: number
  askedUs: number
  tries: number
}

/** Until a round trip is known. */
const ASSUMED_ROUND_TRIP_US = 80_000
/** A request is not repeated faster, however short the round trip: the answer may stand in a pacer's queue. */
const MIN_RETRY_US = 20_000
/** Each further try waits longer by this. */
const BACK_OFF = 1.5
/** Requests that become due so soon go along with those that are. */
const BATCH_US = 5_000
/** A step of more is a restart (RFC 3550 appendix A.1). */
const MAX_DROPOUT = 3000

/**
 * Decides which packets of one source to ask for again, and when (RFC 4585 §6.2.1): after a short allowance for
 * reordering, then repeatedly, in steps that grow from the round trip time, until they come or are of no use.
 */
export class NackGenerator {
  readonly #allowanceUs: number
  readonly #maxTries: number
  readonly #maxAgeUs: number
  readonly #maxMissing: number
  /** By extended sequence number, in rising order. */
  readonly #missing = new Map<number, Missing>()
  #highest = 0
  #started = false
  /** No later than the first due request or the end of an age. */
  #deadlineUs = Number.POSITIVE_INFINITY
  #roundTripUs: number | undefined
  readonly #stats = { missing: 0, repaired: 0, reordered: 0, givenUp: 0, requested: 0 }

  /** @throws ConfigurationError */
  constructor(options: NackOptions = {}) {
    const { reorderAllowanceUs, maxTries, maxAgeUs, maxMissing } = checkNackOptions(options)
    this.#allowanceUs = reorderAllowanceUs
    this.#maxTries = maxTries
    this.#maxAgeUs = maxAgeUs
    this.#maxMissing = maxMissing
  }

  get stats(): NackStats {
    return this.#stats
  }

  /** Packets that are missing now. */
  get size(): number {
    return this.#missing.size
  }

  /** Smoothed round trip, from echoes or from answered requests. */
  get roundTripUs(): number | undefined {
    return this.#roundTripUs
  }

  /** Takes a measured round trip. */
  observeRoundTrip(roundTripUs: number): void {
    const known = this.#roundTripUs
    this.#roundTripUs = known === undefined ? roundTripUs : Math.round(known + (roundTripUs - known) / 8)
  }

  /** Whether the packet is being waited for: tells to whom a retransmission of unknown origin belongs. */
  isMissing(sequenceNumber: number): boolean {
    return this.#started && this.#missing.has(unwrapSequenceNumber(sequenceNumber, this.#highest))
  }

  /** A packet is there, by whatever way: from the sender, again, or restored. */
  received(sequenceNumber: number, nowUs: number): void {
    if (!this.#started) {
      this.#started = true
      this.#highest = sequenceNumber
      return
    }
    const extended = unwrapSequenceNumber(sequenceNumber, this.#highest)
    if (extended === this.#highest + 1) this.#highest = extended
    else if (extended > this.#highest) this.#gap(extended, nowUs)
    else if (this.#missing.size > 0) this.#found(extended, nowUs)
  }

  /** Begins anew with whatever comes next. */
  reset(): void {
    this.#stats.givenUp += this.#missing.size
    this.#missing.clear()
    this.#started = false
    this.#deadlineUs = Number.POSITIVE_INFINITY
  }

  /** When `due` has something to do next. */
  nextDeadline(): number | undefined {
    return Number.isFinite(this.#deadlineUs) ? this.#deadlineUs : undefined
  }

  /** The sequence numbers, modulo 2^16 and in sending order, to ask for now. */
  due(nowUs: number): number[] {
    const due: number[] = []
    if (nowUs < this.#deadlineUs) return due
    let deadlineUs = Number.POSITIVE_INFINITY
    for (const [extended, entry] of this.#missing) {
      const endUs = entry.foundUs + this.#maxAgeUs
      if (nowUs >= endUs || (entry.tries >= this.#maxTries && nowUs >= entry.dueUs)) {
        this.#missing.delete(extended)
        this.#stats.givenUp++
        continue
      }
      if (entry.dueUs <= nowUs + BATCH_US && entry.tries < this.#maxTries) {
        due.push(extended & 0xffff)
        entry.dueUs = nowUs + this.#retryUs(entry.tries)
        entry.askedUs = nowUs
        entry.tries++
        this.#stats.requested++
      }
      deadlineUs = Math.min(deadlineUs, entry.dueUs, endUs)
    }
    this.#deadlineUs = deadlineUs
    return due
  }

  #retryUs(tries: number): number {
    const firstUs = Math.max(MIN_RETRY_US, Math.round((this.#roundTripUs ?? ASSUMED_ROUND_TRIP_US) * 1.25))
    return Math.round(firstUs * BACK_OFF ** tries)
  }

  #gap(extended: number, nowUs: number): void {
    if (extended - this.#highest > MAX_DROPOUT) {
      this.reset()
      this.#started = true
      this.#highest = extended
      return
    }
    const count = extended - this.#highest - 1
    this.#stats.missing += count
    // Of a gap longer than the list the newest part is of most use.
    const from = Math.max(this.#highest + 1, extended - this.#maxMissing)
    this.#stats.givenUp += from - (this.#highest + 1)
    const dueUs = nowUs + this.#allowanceUs
    for (let missing = from; missing < extended; missing++) {
      this.#missing.set(missing, { foundUs: nowUs, dueUs, askedUs: 0, tries: 0 })
    }
    for (const oldest of this.#missing.keys()) {
      if (this.#missing.size <= this.#maxMissing) break
      this.#missing.delete(oldest)
      this.#stats.givenUp++
    }
    this.#deadlineUs = Math.min(this.#deadlineUs, dueUs)
    this.#highest = extended
  }

  #found(extended: number, nowUs: number): void {
    const entry = this.#missing.get(extended)
    if (entry === undefined) return
    this.#missing.delete(extended)
    if (entry.tries === 0) {
      this.#stats.reordered++
      return
    }
    this.#stats.repaired++
    // Which of several requests was answered cannot be known (as with TCP: Karn's algorithm).
    if (entry.tries === 1) this.observeRoundTrip(Math.max(1000, nowUs - entry.askedUs))
    if (this.#missing.size === 0) this.#deadlineUs = Number.POSITIVE_INFINITY
  }
}

/** Fills in defaults. @throws ConfigurationError */
export function checkNackOptions(options: NackOptions): Required<NackOptions> {
  return {
    reorderAllowanceUs: integer('nack.reorderAllowanceUs', options.reorderAllowanceUs, 10_000, 0),
    maxTries: integer('nack.maxTries', options.maxTries, 8, 1),
    maxAgeUs: integer('nack.maxAgeUs', options.maxAgeUs, 500_000, 1),
    maxMissing: integer('nack.maxMissing', options.maxMissing, 1000, 1),
  }
}

function integer(field: string, value: number | undefined, fallback: number, min: number): number {
  if (value === undefined) return fallback
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ConfigurationError(field, `must be an integer from ${min}`, value)
  }
  return value
}
