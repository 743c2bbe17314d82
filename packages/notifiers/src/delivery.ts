import type { NotifierError } from './errors.js'

/** What is handed to a receiver. */
export interface Delivery {
  /** Unique within the recording; receivers drop what they have seen. */
  readonly id: string
  readonly recordingId: string
  /** The type of the event. */
  readonly type: string
  /** The exact text: the same at each attempt, also after a restart. */
  readonly body: string
}

/** How an attempt ended. */
export type DeliveryOutcome =
  | { readonly status: 'delivered' }
  /** May succeed later; not before `retryAfterMs`, where the receiver said so. */
  | { readonly status: 'retry'; readonly error: NotifierError; readonly retryAfterMs?: number }
  /** Trying again is useless. */
  | { readonly status: 'rejected'; readonly error: NotifierError }

/**
 * Brings a delivery to its receiver. `attempt` counts from 1, across restarts. Must end soon after `signal` fired, which
 * happens when the notifier closes: the delivery stays in the journal then, unless the outcome is `delivered`.
 */
export type Deliver = (delivery: Delivery, attempt: number, signal: AbortSignal) => Promise<DeliveryOutcome>

/** What is told of each attempt. */
export interface DeliveryReport {
  readonly id: string
  readonly recordingId: string
  readonly type: string
  /** From 1, across restarts. */
  readonly attempt: number
  /** `waiting`: it will be tried again, in `retryInMs`. `failed`: it was given up. */
  readonly state: 'delivered' | 'waiting' | 'failed'
  /** Of this attempt, in milliseconds. */
  readonly durationMs: number
  readonly retryInMs?: number
  /** `failed`: the receiver refused it for good, or there were enough attempts, or it became too old. */
  readonly because?: 'rejected' | 'attempts' | 'age'
  /** Why this attempt failed. */
  readonly error?: NotifierError
}

/** Where warnings go; `console` is one. Secrets never go there. */
export interface NotifierLogger {
  warn(message: string, facts: object): void
  error(message: string, facts: object): void
}
