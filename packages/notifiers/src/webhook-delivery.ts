import type { Deliver, DeliveryOutcome } from './delivery.js'
import { NotifierError } from './errors.js'
import { requestError, type WebhookAnswer, type WebhookTransport } from './webhook-request.js'
import { EVENT_ID_HEADER, SIGNATURE_HEADER, signWebhook, TIMESTAMP_HEADER } from './webhook-signature.js'

/** Enough for http to https and a name that moved; more is a loop. */
const MAX_REDIRECTS = 3
/** Those that may be answered with the same POST (RFC 9110 §15.4); 303 asks for a GET, which tells nobody anything. */
const REDIRECTS = new Set([301, 302, 307, 308])

/** What `createWebhookDeliver` needs; all of it checked. */
export interface WebhookTarget {
  readonly url: URL
  readonly secrets: readonly string[]
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly maxRetryAfterMs: number
  readonly retryStatus: (status: number) => boolean
  readonly wallNowMs: () => number
  readonly transport: WebhookTransport
}

/** POSTs a delivery, and says what its answer means. */
export function createWebhookDeliver(target: WebhookTarget): Deliver {
  return async ({ id, body }, _attempt, signal) => {
    const timer = new AbortController()
    const abort = (): void => timer.abort()
    const timeout = setTimeout(abort, target.timeoutMs)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    try {
      return outcomeOf(await post(target, id, body, timer.signal), target)
    } catch (error) {
      if (timer.signal.aborted) {
        const message = `no complete answer within ${target.timeoutMs} ms`
        return { status: 'retry', error: new NotifierError('WEBHOOK_TIMEOUT', message) }
      }
      const failure = requestError(error)
      return { status: failure.code === 'WEBHOOK_UNREACHABLE' ? 'retry' : 'rejected', error: failure }
    } finally {
      clearTimeout(timeout)
      signal.removeEventListener('abort', abort)
    }
  }
}

async function post(target: WebhookTarget, id: string, body: string, signal: AbortSignal): Promise<WebhookAnswer> {
  const timestampS = Math.floor(target.wallNowMs() / 1000)
  const own = {
    'content-type': 'application/json',
    'user-agent': 'rushes',
    [EVENT_ID_HEADER]: headerText(id),
    [TIMESTAMP_HEADER]: String(timestampS),
    [SIGNATURE_HEADER]: signWebhook(target.secrets, timestampS, body),
  }
  let { url } = target
  for (let redirects = 0; ; redirects += 1) {
    const headers = url.origin === target.url.origin ? { ...own, ...target.headers } : own
    const answer = await target.transport({ url, headers, body, signal })
    if (!REDIRECTS.has(answer.status)) return answer
    if (redirects === MAX_REDIRECTS) throw redirectRefused(`more than ${MAX_REDIRECTS} redirects`)
    url = nextHop(url, answer.location)
  }
}

function nextHop(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) throw redirectRefused('a redirect to no URL')
  const url = new URL(location, from)
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || from.protocol === 'https:')) {
    throw redirectRefused('a redirect to less than the protocol before it')
  }
  if (url.origin === from.origin && url.username === '') {
    url.username = from.username
    url.password = from.password
  }
  return url
}

function redirectRefused(what: string): NotifierError {
  return new NotifierError('WEBHOOK_REDIRECT_REFUSED', `${what} is not followed`)
}

function outcomeOf({ status, retryAfter }: WebhookAnswer, target: WebhookTarget): DeliveryOutcome {
  if (status >= 200 && status < 300) return { status: 'delivered' }
  const error = new NotifierError('WEBHOOK_STATUS', `the receiver answered ${status}`, { status })
  if (!target.retryStatus(status)) return { status: 'rejected', error }
  const retryAfterMs = retryAfterOf(retryAfter, target.wallNowMs())
  if (retryAfterMs === undefined) return { status: 'retry', error }
  return { status: 'retry', error, retryAfterMs: Math.min(retryAfterMs, target.maxRetryAfterMs) }
}

/** `Retry-After` (RFC 9110 §10.2.3), seconds or a date, in milliseconds from now. */
export function retryAfterOf(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

/** An id may hold what a header must not; the body has it as it is. */
function headerText(id: string): string {
  // A buffer turns halves of surrogate pairs, which have no encoding, into replacement characters.
  return encodeURI(Buffer.from(id).toString())
}
