import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import { ConfigurationError, type RecordingEvent } from '@rushes/media'
import { eventBody } from './event-body.js'
import { createOutboxNotifier, type EventFilter, type OutboxNotifier } from './outbox-notifier.js'
import type { OutboxOptions } from './outbox-options.js'
import { isPublicAddress } from './public-address.js'
import { createWebhookDeliver } from './webhook-delivery.js'
import { createWebhookTransport, type WebhookTransport } from './webhook-request.js'

/** Options of `createWebhookNotifier`. */
export interface WebhookNotifierOptions extends OutboxOptions {
  /** Where to POST: http or https. Its credentials become basic authentication, and are never logged. */
  readonly url: string | URL
  /** Signs each request; several while receivers change from one to the next: each signs. */
  readonly secret: string | readonly string[]
  /** Which events are told: a list of types or a function; default all. */
  readonly events?: EventFilter
  /** Sent along, for instance `authorization`; not to another origin after a redirect. Never logged. */
  readonly headers?: Readonly<Record<string, string>>
  /** The body for an event, by default the event as JSON. Called once per event, then journalled. */
  readonly bodyOf?: (event: RecordingEvent) => string
  /** For one attempt, redirects included, in milliseconds; default 10,000. */
  readonly timeoutMs?: number
  /** Which statuses other than 2xx are tried again; default 408, 425, 429 and 5xx. All others are given up at once. */
  readonly retryStatus?: (status: number) => boolean
  /** The longest `Retry-After` that is honoured, in milliseconds; default 15 minutes. */
  readonly maxRetryAfterMs?: number
  /** Allows receivers in private networks and on this machine; default false. */
  readonly allowPrivateAddresses?: boolean
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly ca?: string
  /** Resolves names instead of `dns.lookup`; what it gives is checked all the same. */
  readonly lookup?: LookupFunction
  /** Makes the requests instead of `node:http`; it has to check addresses itself. */
  readonly transport?: WebhookTransport
}

/** Tells a URL of recordings. */
export type WebhookNotifier = OutboxNotifier

/** Headers that are this package's or HTTP's. */
const RESERVED_HEADER = /^(rushes-.*|host|connection|content-length|transfer-encoding|expect|upgrade)$/

/**
 * Tells a URL of recordings: signed POST requests, in order per recording, tried again until they are taken or given up,
 * across restarts. Resolves when the journal has been read. Throws `ConfigurationError`.
 */
export async function createWebhookNotifier(options: WebhookNotifierOptions): Promise<WebhookNotifier> {
  const url = checkUrl(options.url, options.allowPrivateAddresses ?? false)
  const secrets = checkSecrets(options.secret)
  const { bodyOf = eventBody, allowPrivateAddresses = false, ca, lookup } = options
  const transport =
    options.transport ??
    createWebhookTransport({
      allowPrivateAddresses,
      ...(ca !== undefined && { ca }),
      ...(lookup !== undefined && { lookup }),
    })
  const deliver = createWebhookDeliver({
    url,
    secrets,
    headers: checkHeaders(options.headers ?? {}),
    timeoutMs: checkMs('timeoutMs', options.timeoutMs ?? 10_000),
    maxRetryAfterMs: checkMs('maxRetryAfterMs', options.maxRetryAfterMs ?? 900_000),
    retryStatus: options.retryStatus ?? isTemporary,
    wallNowMs: options.wallNowMs ?? Date.now,
    transport,
  })
  return createOutboxNotifier({
    ...options,
    name: 'webhook',
    deliver,
    itemsOf: (event) => [{ id: event.id, type: event.type, body: bodyOf(event) }],
  })
}

/** Request timeout, too early, too many requests, and whatever is the server's fault. */
function isTemporary(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500
}

function checkUrl(given: string | URL, allowPrivateAddresses: boolean): URL {
  // What was given is not repeated: it may hold credentials.
  if (!URL.canParse(String(given))) throw new ConfigurationError('url', 'must be an absolute URL')
  const url = new URL(given)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConfigurationError('url', 'must begin with http:// or https://')
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivateAddresses && isIP(hostname) !== 0 && !isPublicAddress(hostname)) {
    throw new ConfigurationError('url', 'must be a public address, unless allowPrivateAddresses is set', hostname)
  }
  return url
}

function checkSecrets(given: string | readonly string[]): readonly string[] {
  const secrets = typeof given === 'string' ? [given] : given
  if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every((s) => typeof s === 'string' && s !== '')) {
    throw new ConfigurationError('secret', 'must be a text or several, none of them empty')
  }
  return [...secrets]
}

function checkHeaders(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(given)) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw new ConfigurationError(`headers.${name}`, 'must be a name and a value that HTTP allows')
    }
    if (RESERVED_HEADER.test(name.toLowerCase())) throw new ConfigurationError(`headers.${name}`, 'cannot be chosen')
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
}

function checkMs(field: string, value: number): number {
  if (!(value > 0 && value <= 2_147_483_647)) throw new ConfigurationError(field, 'must be more than 0 ms', value)
  return value
}
