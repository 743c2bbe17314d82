import type { DeliveryOutcome } from './delivery.js'
import type { Settled } from './delivery-schedule.js'
import { NotifierError, systemCode } from './errors.js'
import type { OutboxSettings } from './outbox-options.js'
import type { OutboxStats } from './outbox-stats.js'

/** What an attempt was made of. */
interface Attempted {
  readonly id: string
  readonly type: string
  readonly lane: string
  /** Attempts that failed, this one included. */
  readonly attempts: number
}

/** What an outbox tells the host: counters, reports, warnings. Codes and numbers, never what a receiver said. */
export class OutboxReports {
  readonly #name: string
  readonly #settings: Pick<OutboxSettings, 'onDelivery' | 'onProblem' | 'logger'>
  readonly #stats: OutboxStats
  #journalFails = false

  /** Counts in `stats`. */
  constructor(name: string, settings: OutboxSettings, stats: OutboxStats) {
    this.#name = name
    this.#settings = settings
    this.#stats = stats
  }

  /** The journal has failed, and nobody has said since that it works. */
  get journalFails(): boolean {
    return this.#journalFails
  }

  attempt(
    { id, type, lane: recordingId, attempts }: Attempted,
    outcome: DeliveryOutcome,
    settled: Settled,
    { nowMs, durationMs }: { readonly nowMs: number; readonly durationMs: number },
  ): void {
    const { state } = settled
    if (state === 'delivered') this.#stats.delivered += 1
    else if (state === 'failed') this.#stats.failed += 1
    else this.#stats.retries += 1
    const facts = { id, recordingId, type, attempt: state === 'delivered' ? attempts + 1 : attempts }
    const error = outcome.status === 'delivered' ? undefined : outcome.error
    if (error !== undefined) {
      const { code, message } = error
      if (state === 'failed') {
        this.#log('error', `${this.#name}: given up: ${message}`, { ...facts, code, because: settled.because })
      } else {
        this.#log('warn', `${this.#name}: will be tried again: ${message}`, { ...facts, code })
      }
    }
    this.#call(() =>
      this.#settings.onDelivery?.({
        ...facts,
        state,
        durationMs,
        ...(state === 'waiting' && { retryInMs: settled.dueMs - nowMs }),
        ...(state === 'failed' && { because: settled.because }),
        ...(error && { error }),
      }),
    )
  }

  /** Told once, until the journal works again. */
  journalFailed(error: unknown, what: string): NotifierError {
    this.#stats.journalFailures += 1
    const message = `${this.#name}: the journal ${what}: ${systemCode(error)}`
    const failure = new NotifierError('NOTIFIER_JOURNAL_FAILED', message)
    if (!this.#journalFails) this.#tell(failure)
    this.#journalFails = true
    return failure
  }

  journalWorks(): void {
    this.#journalFails = false
  }

  overflow(id: string): void {
    this.#stats.refused += 1
    const message = `${this.#name}: ${id} is not queued: too much is undelivered`
    this.#tell(new NotifierError('NOTIFIER_OVERFLOW', message))
  }

  #tell(error: NotifierError): void {
    this.#log('error', error.message, { code: error.code })
    this.#call(() => this.#settings.onProblem?.(error))
  }

  #log(level: 'warn' | 'error', message: string, facts: object): void {
    this.#call(() => this.#settings.logger?.[level](message, facts))
  }

  /** The host's code must not stop a delivery. */
  #call(callback: () => void): void {
    try {
      callback()
    } catch {
      this.#stats.callbackErrors += 1
    }
  }
}
