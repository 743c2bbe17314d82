import { StoreError, type StoreErrorCode } from '../errors.js'
import type { OssExchange } from './oss-transport.js'

/** What OSS, or the network on the way to it, said: the `cause` of the errors of the OSS store. */
export class OssFault extends Error {
  /** The code that OSS gave, or that of the system. */
  readonly code: string | undefined
  readonly status: number | undefined
  readonly requestId: string | undefined
  /** The host at which OSS says that the bucket can be reached. */
  readonly endpoint: string | undefined
  /** The service's clock when it answered, in milliseconds since 1970-01-01T00:00Z. */
  readonly serverTimeMs: number | undefined
  /** Who answered is not OSS. */
  readonly foreign: boolean

  constructor(message: string, exchange: OssExchange, code: string | undefined) {
    super(message)
    this.name = 'OssFault'
    this.code = code
    this.status = exchange.status
    this.requestId = exchange.headers?.['x-oss-request-id'] as string | undefined
    this.endpoint = /<Endpoint>([^<]{1,255})<\/Endpoint>/.exec(exchange.answer ?? '')?.[1]
    const date = Date.parse(exchange.headers?.date ?? '')
    this.serverTimeMs = Number.isNaN(date) ? undefined : date
    this.foreign = isForeign(exchange)
  }
}

/** OSS numbers all its answers; whoever does not is a proxy, another service, or a web server. */
export function isForeign(exchange: OssExchange): boolean {
  return exchange.status !== undefined && exchange.headers?.['x-oss-request-id'] === undefined
}

const codes: Readonly<Record<string, StoreErrorCode>> = {
  AccessDenied: 'STORE_ACCESS_DENIED',
  InvalidAccessKeyId: 'STORE_ACCESS_DENIED',
  SignatureDoesNotMatch: 'STORE_ACCESS_DENIED',
  InvalidSecurityToken: 'STORE_ACCESS_DENIED',
  UserDisable: 'STORE_ACCESS_DENIED',
  FileImmutable: 'STORE_ACCESS_DENIED',
  RequestTimeTooSkewed: 'STORE_BAD_SETTINGS',
  SecurityTokenExpired: 'STORE_CREDENTIALS_EXPIRED',
  NoSuchBucket: 'STORE_NO_BUCKET',
  NoSuchKey: 'STORE_NOT_FOUND',
  SymlinkTargetNotExist: 'STORE_NOT_FOUND',
  // The upload was taken away, by a rule of the bucket or by somebody: putting again begins a new one.
  NoSuchUpload: 'STORE_UNAVAILABLE',
  RequestTimeout: 'STORE_UNAVAILABLE',
  InvalidDigest: 'STORE_CORRUPTED',
  BadDigest: 'STORE_CORRUPTED',
  InvalidPart: 'STORE_CORRUPTED',
  EntityTooLarge: 'STORE_TOO_LARGE',
  TooManyRequests: 'STORE_THROTTLED',
  SlowDown: 'STORE_THROTTLED',
}

/** What ali-oss rejected with, as a StoreError. No secret of `secrets` stands in it. */
export function ossStoreError(
  error: unknown,
  exchange: OssExchange,
  about: { readonly key: string | undefined; readonly host: string; readonly secrets: readonly string[] },
): StoreError {
  if (error instanceof StoreError) return error
  const key = about.key === undefined ? {} : { key: about.key }
  if (exchange.signal?.aborted === true) {
    return new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: exchange.signal.reason, ...key })
  }
  if (exchange.failure !== undefined) {
    const code = (exchange.failure as NodeJS.ErrnoException).code
    const fault = new OssFault(exchange.failure.message, exchange, code)
    return new StoreError('STORE_UNAVAILABLE', `${about.host} cannot be reached: ${fault.message}`, {
      cause: fault,
      ...key,
    })
  }
  if (exchange.status === undefined) {
    // No request was made: ali-oss itself refused it.
    const message = withoutSecrets(error instanceof Error ? error.message : String(error), about.secrets)
    return new StoreError('STORE_BAD_SETTINGS', `ali-oss refuses the request: ${message}`, {
      cause: new OssFault(message, exchange, undefined),
      ...key,
    })
  }
  if (isForeign(exchange)) return foreignError(exchange, about.host, key)
  const said = error as { readonly code?: string; readonly message?: string }
  const fault = new OssFault(withoutSecrets(said.message ?? '', about.secrets), exchange, said.code)
  const request = fault.requestId === undefined ? '' : ` (request ${fault.requestId})`
  const code = said.code ?? `status ${exchange.status}`
  return new StoreError(storeCode(fault), `OSS answered ${code}: ${fault.message}${request}`, { cause: fault, ...key })
}

/** Somebody answered who is not OSS. */
export function foreignError(exchange: OssExchange, host: string, key: { readonly key?: string }): StoreError {
  const fault = new OssFault(`status ${exchange.status} without x-oss-request-id`, exchange, undefined)
  // A proxy on the way says so when it cannot get through, or has waited too long for the body.
  const { status = 0 } = exchange
  const code = status >= 500 || status === 408 ? 'STORE_UNAVAILABLE' : 'STORE_BAD_SETTINGS'
  return new StoreError(code, `${host} does not answer like OSS: ${fault.message}`, { cause: fault, ...key })
}

/** True when the fault is that a multipart upload is not there. */
export function isNoSuchUpload(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof OssFault && error.cause.code === 'NoSuchUpload'
}

function storeCode({ code = '', status = 0, endpoint }: OssFault): StoreErrorCode {
  // "The bucket you are attempting to access must be addressed using the specified endpoint."
  if (code === 'AccessDenied' && endpoint !== undefined) return 'STORE_NO_BUCKET'
  const known = codes[code]
  if (known !== undefined) return known
  if (status === 429 || /LimitExceeded|Throttl/.test(code)) return 'STORE_THROTTLED'
  if (/Quota/.test(code)) return 'STORE_NO_SPACE'
  if (status >= 500 || status === 408) return 'STORE_UNAVAILABLE'
  if (status === 404) return 'STORE_NOT_FOUND'
  return status === 403 ? 'STORE_ACCESS_DENIED' : 'STORE_BAD_SETTINGS'
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let result = text
  for (const secret of secrets) if (secret !== '') result = result.replaceAll(secret, '***')
  return result.slice(0, 500)
}
