import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { NotifierError, systemCode } from './errors.js'
import { isPublicAddress } from './public-address.js'

/** Bytes of an answer's body that are read, and dropped; then the connection ends. */
const MAX_ANSWER_BYTES = 65_536

/** One POST. */
export interface WebhookRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Ends the request: it took too long, or the notifier closes. */
  readonly signal: AbortSignal
}

/** What came back. */
export interface WebhookAnswer {
  readonly status: number
  /** `Location`, as it came. */
  readonly location?: string
  /** `Retry-After`, as it came. */
  readonly retryAfter?: string
}

/** Makes one POST and follows no redirects; rejects when there is no answer. */
export type WebhookTransport = (request: WebhookRequest) => Promise<WebhookAnswer>

/** How `createWebhookTransport` reaches receivers. */
export interface WebhookTransportOptions {
  readonly allowPrivateAddresses: boolean
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly ca?: string
  /** Resolves names, with the signature of `dns.lookup`. */
  readonly lookup?: LookupFunction
}

/**
 * The transport over `node:http` and `node:https`. Addresses are checked when they are connected to, after the name was
 * resolved: a name that changes its address in between gains nothing. No connection is kept, none is shared.
 */
export function createWebhookTransport(options: WebhookTransportOptions): WebhookTransport {
  const resolve = options.lookup ?? dnsLookup
  const lookup = options.allowPrivateAddresses ? resolve : publicOnly(resolve)
  return ({ url, headers, body, signal }) => {
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    // Node does not look up what is an address already.
    if (isIP(hostname) !== 0 && !options.allowPrivateAddresses && !isPublicAddress(hostname)) {
      return Promise.reject(refused())
    }
    const payload = Buffer.from(body)
    const settings: RequestOptions = {
      method: 'POST',
      protocol: url.protocol,
      hostname,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, 'content-length': payload.byteLength },
      lookup,
      signal,
      agent: false,
      ...(url.username !== '' && { auth: `${decoded(url.username)}:${decoded(url.password)}` }),
    }
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? httpsRequest({ ...settings, ...(options.ca !== undefined && { ca: options.ca }) })
          : httpRequest(settings)
      request.on('response', (response) => {
        drain(response, () => resolve(answerOf(response)), reject)
      })
      request.on('error', reject)
      request.end(payload)
    })
  }
}

/** What went wrong with a request, in words that hold no secret. */
export function requestError(error: unknown): NotifierError {
  if (error instanceof NotifierError) return error
  return new NotifierError('WEBHOOK_UNREACHABLE', `the receiver cannot be reached: ${systemCode(error)}`)
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): WebhookAnswer {
  const { location } = headers
  const retryAfter = headers['retry-after']
  return {
    status: statusCode,
    ...(location !== undefined && { location }),
    ...(retryAfter !== undefined && { retryAfter }),
  }
}

/** Where a percent sign encodes nothing, the text is what it says. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Reads an answer to its end, or to as much as is read of any. */
function drain(response: IncomingMessage, done: () => void, failed: (error: Error) => void): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes <= MAX_ANSWER_BYTES) return
    done()
    response.destroy()
  })
  response.on('end', done)
  response.on('error', failed)
}

function refused(): NotifierError {
  return new NotifierError('WEBHOOK_ADDRESS_REFUSED', 'the receiver has an address that is not public')
}

/** A lookup that fails when any of the addresses is not public. */
function publicOnly(resolve: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      const addresses: readonly Pick<LookupAddress, 'address'>[] = typeof address === 'string' ? [{ address }] : address
      if (error === null && !addresses.every(({ address }) => isPublicAddress(address))) {
        callback(Object.assign(refused(), { errno: 0 }), '', 0)
      } else {
        callback(error, address, family)
      }
    })
  }
}
