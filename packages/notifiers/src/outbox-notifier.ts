import { ConfigurationError, type Notifier, type RecordingEvent, type RecordingEventType } from '@rushes/media'
import type { Deliver } from './delivery.js'
import { endsRecording, eventBody } from './event-body.js'
import { Outbox, type OutboxItem } from './outbox.js'
import { type OutboxOptions, outboxSettings } from './outbox-options.js'
import type { OutboxStats } from './outbox-stats.js'

/** Which events are told: these types, or those for which a function says so. */
export type EventFilter = readonly RecordingEventType[] | ((event: RecordingEvent) => boolean)

/** Options of `createOutboxNotifier`. */
export interface OutboxNotifierOptions extends OutboxOptions {
  /** The kind of notifier, for logs; a journal belongs to one kind. */
  readonly name: string
  /** Brings one delivery to its receiver. */
  readonly deliver: Deliver
  /** Which events are told; default all. */
  readonly events?: EventFilter
  /** What is delivered for an event, by default one item: its id, and the event as JSON. None: nothing. */
  readonly itemsOf?: (event: RecordingEvent) => readonly OutboxItem[]
}

/** A notifier over an outbox. */
export interface OutboxNotifier extends Notifier {
  /** A snapshot of its counters. */
  readonly stats: OutboxStats
}

/**
 * A notifier of one's own: `deliver` says how, the outbox sees to the journal, the order, and the attempts. Webhooks,
 * mail and hook scripts are made with it. Resolves when the journal has been read; what is undelivered goes on at once.
 * Throws `ConfigurationError`.
 */
export async function createOutboxNotifier(options: OutboxNotifierOptions): Promise<OutboxNotifier> {
  const { name, deliver, itemsOf = wholeEvent } = options
  const selects = selector(options.events)
  const outbox = await Outbox.open(name, outboxSettings(options), deliver)
  return {
    name,
    get stats() {
      return outbox.stats
    },
    async notify(event) {
      const items = selects(event) ? itemsOf(event) : []
      const ends = endsRecording(event)
      if (items.length > 0 || ends) await outbox.add(event.recordingId, items, ends)
    },
    close: ({ timeoutMs = 0 } = {}) => outbox.close(timeoutMs),
  }
}

function selector(events: EventFilter | undefined): (event: RecordingEvent) => boolean {
  if (events === undefined) return () => true
  if (typeof events === 'function') return events
  if (!Array.isArray(events)) throw new ConfigurationError('events', 'must be a list of event types, or a function')
  const types = new Set<string>(events)
  return (event) => types.has(event.type)
}

function wholeEvent(event: RecordingEvent): readonly OutboxItem[] {
  return [{ id: event.id, type: event.type, body: eventBody(event) }]
}
