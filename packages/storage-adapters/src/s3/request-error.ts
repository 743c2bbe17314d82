import type { StoreErrorCode } from '../errors.js'

/**
 * What is left of an error of the SDK: its own errors carry the answer of the service, in which a session token may
 * stand (`SignatureDoesNotMatch` repeats the request).
 */
export class S3RequestError extends Error {
  /** Which service refused, or `network` when none answered. */
  readonly service: 's3' | 'sts' | 'network'
  readonly operation: string
  /** The code of the service or of the system: `AccessDenied`, `ECONNREFUSED`. */
  readonly code: string
  readonly statusCode?: number
  readonly requestId?: string
  /** The host that could not be found or reached. */
  readonly host?: string
  /** The region in which the bucket is, when the service said so. */
  readonly bucketRegion?: string

  constructor(message: string, facts: Omit<S3RequestError, keyof Error>) {
    super(message)
    this.name = 'S3RequestError'
    this.service = facts.service
    this.operation = facts.operation
    this.code = facts.code
    if (facts.statusCode !== undefined) this.statusCode = facts.statusCode
    if (facts.requestId !== undefined) this.requestId = facts.requestId
    if (facts.host !== undefined) this.host = facts.host
    if (facts.bucketRegion !== undefined) this.bucketRegion = facts.bucketRegion
  }
}

const codes: Readonly<Partial<Record<StoreErrorCode, readonly string[]>>> = {
  STORE_THROTTLED: [
    'SlowDown',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'BandwidthLimitExceeded',
    'ServiceUnavailable',
  ],
  STORE_CREDENTIALS_EXPIRED: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'CredentialsExpired'],
  STORE_ACCESS_DENIED: [
    'AccessDenied',
    'AccessDeniedException',
    'AccountProblem',
    'AllAccessDisabled',
    'Forbidden',
    'InvalidAccessKeyId',
    'InvalidClientTokenId',
    'InvalidSecurity',
    'InvalidToken',
    'NotSignedUp',
    'SignatureDoesNotMatch',
    'UnauthorizedAccess',
    'UnrecognizedClientException',
  ],
  STORE_NO_BUCKET: [
    'AuthorizationHeaderMalformed',
    'IllegalLocationConstraintException',
    'MovedPermanently',
    'NoSuchBucket',
    'PermanentRedirect',
  ],
  STORE_CORRUPTED: [
    'BadDigest',
    'InvalidDigest',
    'InvalidPart',
    'XAmzContentChecksumMismatch',
    'XAmzContentSHA256Mismatch',
  ],
  STORE_NOT_FOUND: ['NoSuchKey', 'NoSuchVersion', 'NotFound'],
  STORE_NO_SPACE: ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientCapacity'],
  STORE_TOO_LARGE: ['EntityTooLarge'],
  STORE_BAD_KEY: ['KeyTooLongError', 'XMinioInvalidObjectName'],
  STORE_UNAVAILABLE: [
    'IncompleteBody',
    'InternalError',
    // The upload was ended by somebody else, or by a rule of the bucket: from the start it works again.
    'NoSuchUpload',
    'OperationAborted',
    'RequestTimeout',
    'RequestTimeoutException',
    'ServiceFailure',
    'TemporaryRedirect',
    'TimeoutError',
  ],
}

const byServiceCode = new Map<string, StoreErrorCode>(
  Object.entries(codes).flatMap(([code, names]) => names.map((name) => [name, code as StoreErrorCode] as const)),
)

/** The clock of this machine is wrong. */
export function isClockSkew(error: S3RequestError): boolean {
  return (
    ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'].includes(error.code) ||
    // STS says it in words: "Signature expired: 20261121T… is now earlier than …", "Signature not yet current".
    (error.service === 'sts' && /signature (expired|not yet current)/i.test(error.message))
  )
}

/** The class to which an error of the service belongs. */
export function storeCodeOf(error: S3RequestError): StoreErrorCode {
  if (isClockSkew(error)) return 'STORE_BAD_SETTINGS'
  // A role, or the right to assume it, is missing: what STS calls "not found" is no object.
  if (error.service === 'sts' && (error.statusCode === 404 || error.code === 'NoSuchEntity'))
    return 'STORE_ACCESS_DENIED'
  const known = byServiceCode.get(error.code)
  if (known !== undefined) return known
  // The SDK has no code for it.
  if (/region is missing/i.test(error.message)) return 'STORE_BAD_SETTINGS'
  if (error.service === 'network') return 'STORE_UNAVAILABLE'
  const status = error.statusCode ?? 0
  if (status === 429 || status === 503) return 'STORE_THROTTLED'
  if (status === 507) return 'STORE_NO_SPACE'
  // 408: a server, or a proxy on the way, whose patience with a slow line is shorter than ours.
  return status >= 500 || status === 408 ? 'STORE_UNAVAILABLE' : 'STORE_BAD_SETTINGS'
}
