import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RecordingEvent } from '@rushes/media'
import { NotifierError } from './errors.js'

/** The id of the event; the same at each attempt. */
export const EVENT_ID_HEADER = 'rushes-event-id'
/** When the attempt was made: seconds since 1970, in decimal. */
export const TIMESTAMP_HEADER = 'rushes-timestamp'
/** `v1=` and the signature in hexadecimal; several with commas between, one per secret. */
export const SIGNATURE_HEADER = 'rushes-signature'

/** More signatures than any rotation of secrets needs; the rest is not looked at. */
const MAX_SIGNATURES = 10

/** The value of `rushes-signature`: HMAC-SHA256 (RFC 2104) over timestamp, `.` and body, with each secret. */
export function signWebhook(secrets: readonly string[], timestampS: number, body: string): string {
  return secrets
    .map((secret) => `v1=${digest(secret, String(timestampS), Buffer.from(body)).toString('hex')}`)
    .join(',')
}

/** What a receiver got. */
export interface ReceivedWebhook {
  /** The body as it came, before any parser: one byte of difference and the signature is wrong. */
  readonly body: string | Uint8Array
  /** The headers, as Node's `request.headers`, or as `Headers`. */
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { get(name: string): string | null }
  /** The secret, or several while they are changed: one must fit. */
  readonly secret: string | readonly string[]
  /** How old the attempt may be, or how far ahead, in seconds; default 300. */
  readonly toleranceS?: number
  /** Seconds since 1970; default now. */
  readonly nowS?: number
}

/**
 * For receivers: gives the event if the webhook was signed with the secret, lately; throws `NotifierError` otherwise
 * (`WEBHOOK_SIGNATURE_MISSING`, `WEBHOOK_SIGNATURE_WRONG`, `WEBHOOK_TIMESTAMP_OUT_OF_RANGE`, `WEBHOOK_BODY_INVALID`).
 * A webhook that is not delivered at once comes again, with a new timestamp: drop events whose `id` was seen.
 */
export function verifyWebhook(received: ReceivedWebhook): RecordingEvent {
  const { body, headers, secret, toleranceS = 300, nowS = Date.now() / 1000 } = received
  const secrets = typeof secret === 'string' ? [secret] : secret
  const timestamp = headerOf(headers, TIMESTAMP_HEADER)
  const signature = headerOf(headers, SIGNATURE_HEADER)
  if (timestamp === undefined || signature === undefined) {
    const missing = timestamp === undefined ? TIMESTAMP_HEADER : SIGNATURE_HEADER
    throw new NotifierError('WEBHOOK_SIGNATURE_MISSING', `the header ${missing} is missing`)
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (!isSigned(signature, secrets, timestamp, bytes)) {
    throw new NotifierError('WEBHOOK_SIGNATURE_WRONG', 'no signature fits the secret, the timestamp and the body')
  }
  if (!/^\d{1,12}$/.test(timestamp) || !(Math.abs(nowS - Number(timestamp)) <= toleranceS)) {
    const message = `the timestamp is not within ${toleranceS} seconds of now: a replay, or a wrong clock`
    throw new NotifierError('WEBHOOK_TIMESTAMP_OUT_OF_RANGE', message)
  }
  const event = parseEvent(bytes)
  if (event === undefined) throw new NotifierError('WEBHOOK_BODY_INVALID', 'the body is signed, but no event')
  return event
}

function isSigned(header: string, secrets: readonly string[], timestamp: string, body: Uint8Array): boolean {
  const given = header
    .split(',', MAX_SIGNATURES)
    .map((part) => /^\s*v1=([0-9a-f]{64})\s*$/.exec(part)?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) => Buffer.from(hex, 'hex'))
  let found = false
  for (const secret of secrets) {
    // An empty secret is one that was never set, and anybody could sign with it.
    if (secret === '') continue
    const wanted = digest(secret, timestamp, body)
    // No early end: the time must not tell which one fitted.
    for (const signature of given) if (timingSafeEqual(signature, wanted)) found = true
  }
  return found
}

function digest(secret: string, timestamp: string, body: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}

function headerOf(headers: ReceivedWebhook['headers'], name: string): string | undefined {
  if ('get' in headers && typeof headers.get === 'function') return headers.get(name) ?? undefined
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && value !== undefined) return typeof value === 'string' ? value : value[0]
  }
  return undefined
}

function parseEvent(body: Uint8Array): RecordingEvent | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return isEvent(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isEvent(value: unknown): value is RecordingEvent {
  if (typeof value !== 'object' || value === null) return false
  const event: Partial<Record<string, unknown>> = { ...value }
  const texts = ['id', 'recordingId', 'roomId', 'type', 'at']
  return texts.every((key) => typeof event[key] === 'string') && typeof event['data'] === 'object'
}
