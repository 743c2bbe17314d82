import { StoreError } from '../errors.js'
import { isClockSkew, S3RequestError, storeCodeOf } from './request-error.js'

/** What was asked for when an error came. */
export interface RequestContext {
  readonly service: 's3' | 'sts'
  readonly operation: string
  /** What it was about, for people: `bucket calls`, `role arn:…`. */
  readonly subject: string
  readonly key?: string
  readonly signal?: AbortSignal | undefined
  /** Never shown, even when a service repeats them. */
  readonly secrets?: readonly string[]
}

/** A `StoreError` for whatever the SDK threw. Its `cause` is an `S3RequestError`, or the reason of the signal. */
export function fromS3Error(error: unknown, context: RequestContext): StoreError {
  if (error instanceof StoreError) return error
  const key = context.key === undefined ? {} : { key: context.key }
  if (context.signal?.aborted === true) {
    return new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: context.signal.reason, ...key })
  }
  const cause = requestErrorOf(error, context)
  const code = storeCodeOf(cause)
  const what = `${context.operation} (${context.subject})`
  const status = cause.statusCode === undefined ? '' : `, HTTP ${cause.statusCode}`
  const message =
    cause.service === 'network'
      ? `${what} failed: ${cause.code}: ${cause.message}`
      : `${what} was refused: ${cause.code}${cause.message === '' ? '' : `: ${cause.message}`}${status}`
  return new StoreError(code, message, {
    cause,
    ...key,
    // The SDK has learned from the refusal how wrong the clock is, and a service that finds keys may find them later.
    ...(isClockSkew(cause) || cause.code === 'CredentialsProviderError' ? { retryable: true } : {}),
  })
}

/** What may be kept of an error of the SDK. */
function requestErrorOf(error: unknown, context: RequestContext): S3RequestError {
  const fields = isRecord(error) ? error : {}
  const metadata = isRecord(fields['$metadata']) ? fields['$metadata'] : {}
  const response = isRecord(fields['$response']) ? fields['$response'] : {}
  const headers = isRecord(response['headers']) ? response['headers'] : {}
  const nested = isRecord(fields['Error']) ? fields['Error'] : {}
  const statusCode = numberOf(metadata['httpStatusCode']) ?? numberOf(response['statusCode'])
  // An error of the SDK's own making has no answer behind it; `Code` stands in the answers of the service only.
  const answered =
    textOf(fields['Code']) ?? textOf(nested['Code']) ?? (statusCode === undefined ? undefined : nameOf(fields))
  const code = answered ?? textOf(fields['code']) ?? nameOf(fields) ?? 'UnknownError'
  const text = textOf(fields['message']) ?? textOf(nested['Message']) ?? (error instanceof Error ? '' : String(error))
  const requestId = textOf(metadata['requestId']) ?? textOf(fields['RequestId'])
  const host = textOf(fields['hostname']) ?? textOf(fields['address'])
  const bucketRegion = textOf(headers['x-amz-bucket-region']) ?? textOf(fields['Region'])
  return new S3RequestError(scrubbed(text === 'UnknownError' ? '' : text, context.secrets ?? []), {
    service: statusCode === undefined ? 'network' : context.service,
    operation: context.operation,
    code: statusCode !== undefined && code === 'UnknownError' ? `HTTP ${statusCode}` : code,
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(host === undefined ? {} : { host }),
    ...(bucketRegion === undefined ? {} : { bucketRegion }),
  })
}

/** Text of a service, short and without what must not be shown. */
function scrubbed(text: string, secrets: readonly string[]): string {
  let clean = text.replace(/\s+/g, ' ').trim()
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '(secret)')
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean
}

function nameOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  const name = textOf(fields['name'])
  return name === 'Error' || name === 'Unknown' ? undefined : name
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
