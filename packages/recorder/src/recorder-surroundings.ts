import type { MonotonicClock, Notifier, RecordingEvent } from '@rushes/media'
import type { NamingRule } from '@rushes/naming-rules'
import type { Store } from '@rushes/storage-adapters'
import type { Logger } from './options.js'

/** What all recordings of a recorder share. */
export interface RecorderSurroundings {
  readonly store: Store
  readonly naming: NamingRule
  /** Where files grow; beside each journal where it is not given. */
  readonly scratchDir: string | undefined
  readonly notifiers: readonly Notifier[]
  readonly clock: MonotonicClock
  readonly now: () => number
  readonly logger: Logger
  readonly statsIntervalMs: number
  readonly linkExpiresIn: number
  readonly maxAttempts: number
  /** Waits its turn: outputs are made from journals a few at a time. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>
  /** The recorder closes: what waits before another attempt gives up. */
  readonly closing: AbortSignal
}

/** Tells every notifier; resolves when all have it journalled. One that fails is logged, and fails nothing else. */
export async function notifyAll(surroundings: RecorderSurroundings, event: RecordingEvent): Promise<void> {
  const { notifiers, logger } = surroundings
  await Promise.all(
    notifiers.map(async (notifier) => {
      try {
        await notifier.notify(event)
      } catch (error) {
        logger.error('a notifier failed', { notifier: notifier.name, eventId: event.id, error })
      }
    }),
  )
}

/** Nothing is written where the host has no log. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
