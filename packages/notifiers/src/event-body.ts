import type { RecordingEvent } from '@rushes/media'
import { NotifierError } from './errors.js'

const TOP_LEVEL = ['id', 'recordingId', 'roomId', 'sequence', 'type', 'at', 'recordingTimeUs', 'data']

/**
 * The event as JSON, the same text for the same content: first the keys of `RecordingEvent` in their order, below them
 * every object's keys sorted. Throws `NOTIFIER_BAD_EVENT` for what JSON cannot say.
 */
export function eventBody(event: RecordingEvent): string {
  try {
    const plain: unknown = JSON.parse(JSON.stringify(event))
    return JSON.stringify(isObject(plain) ? ordered(plain, TOP_LEVEL) : plain)
  } catch {
    throw new NotifierError('NOTIFIER_BAD_EVENT', `event ${event.id} cannot be written as JSON`)
  }
}

/** Whether a recording ends with this event: nothing is expected after it. */
export function endsRecording(event: RecordingEvent): boolean {
  return event.type === 'READY' || (event.type === 'ERROR' && event.data['fatal'] === true)
}

function ordered(value: Record<string, unknown>, first: readonly string[]): Record<string, unknown> {
  const rest = Object.keys(value).filter((key) => !first.includes(key))
  const keys = [...first.filter((key) => Object.hasOwn(value, key)), ...rest.sort()]
  return Object.fromEntries(keys.map((key) => [key, below(value[key])]))
}

function below(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(below)
  return isObject(value) ? ordered(value, []) : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
