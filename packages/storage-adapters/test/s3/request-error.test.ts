import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/index.js'
import { fromS3Error, type RequestContext } from '../../src/s3/s3-errors.js'

const context: RequestContext = { service: 's3', operation: 'PutObject', subject: 'bucket calls', key: 'a' }
const answer = (code: string, status: number, message = 'Said so'): object =>
  Object.assign(new Error(message), { name: code, Code: code, $metadata: { httpStatusCode: status, requestId: 'R1' } })
const system = (code: string): object => Object.assign(new Error(`connect ${code}`), { code })

const cases: readonly [string, object, string, boolean][] = [
  ['SlowDown', answer('SlowDown', 503), 'STORE_THROTTLED', true],
  ['503 without a code', answer('', 503), 'STORE_THROTTLED', true],
  ['429', answer('Whatever', 429), 'STORE_THROTTLED', true],
  ['408', answer('Whatever', 408), 'STORE_UNAVAILABLE', true],
  ['Throttling', answer('ThrottlingException', 400), 'STORE_THROTTLED', true],
  ['ExpiredToken', answer('ExpiredToken', 400), 'STORE_CREDENTIALS_EXPIRED', true],
  ['AccessDenied', answer('AccessDenied', 403), 'STORE_ACCESS_DENIED', false],
  ['InvalidAccessKeyId', answer('InvalidAccessKeyId', 403), 'STORE_ACCESS_DENIED', false],
  ['SignatureDoesNotMatch', answer('SignatureDoesNotMatch', 403), 'STORE_ACCESS_DENIED', false],
  ['NoSuchBucket', answer('NoSuchBucket', 404), 'STORE_NO_BUCKET', false],
  ['PermanentRedirect', answer('PermanentRedirect', 301), 'STORE_NO_BUCKET', false],
  ['RequestTimeTooSkewed', answer('RequestTimeTooSkewed', 403), 'STORE_BAD_SETTINGS', true],
  ['BadDigest', answer('BadDigest', 400), 'STORE_CORRUPTED', true],
  ['InvalidDigest', answer('InvalidDigest', 400), 'STORE_CORRUPTED', true],
  ['XAmzContentChecksumMismatch', answer('XAmzContentChecksumMismatch', 400), 'STORE_CORRUPTED', true],
  ['NoSuchKey', answer('NoSuchKey', 404), 'STORE_NOT_FOUND', false],
  ['NoSuchUpload', answer('NoSuchUpload', 404), 'STORE_UNAVAILABLE', true],
  ['EntityTooLarge', answer('EntityTooLarge', 400), 'STORE_TOO_LARGE', false],
  ['QuotaExceeded', answer('QuotaExceeded', 403), 'STORE_NO_SPACE', true],
  ['InvalidStorageClass', answer('InvalidStorageClass', 400), 'STORE_BAD_SETTINGS', false],
  ['InternalError', answer('InternalError', 500), 'STORE_UNAVAILABLE', true],
  ['502 of a proxy', answer('', 502), 'STORE_UNAVAILABLE', true],
  ['ECONNREFUSED', system('ECONNREFUSED'), 'STORE_UNAVAILABLE', true],
  ['ENOTFOUND', system('ENOTFOUND'), 'STORE_UNAVAILABLE', true],
  ['a timeout', Object.assign(new Error('too long'), { name: 'TimeoutError' }), 'STORE_UNAVAILABLE', true],
  ['no credentials', Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'STORE_UNAVAILABLE', true],
]

describe('errors of the service', () => {
  for (const [name, error, code, retryable] of cases) {
    it(`${name} is ${code}`, () => expect(fromS3Error(error, context)).toMatchObject({ code, retryable, key: 'a' }))
  }

  it('of a signal are its reason', () => {
    const signal = AbortSignal.abort('enough')
    expect(fromS3Error(new Error('aborted'), { ...context, signal })).toMatchObject({
      code: 'STORE_ABORTED',
      cause: 'enough',
    })
  })

  it('that were told before stay as they are', () => {
    const error = new StoreError('STORE_NO_SPACE', 'full')
    expect(fromS3Error(error, context)).toBe(error)
  })

  it('keep what helps, and nothing that must not be seen', () => {
    const raw = Object.assign(answer('AccessDenied', 403, 'token TOKEN of key SECRET') as Error, {
      CanonicalRequest: 'x-amz-security-token:TOKEN',
      $response: { headers: { 'x-amz-bucket-region': 'eu-west-1', authorization: 'SECRET' }, body: 'TOKEN' },
    })
    const error = fromS3Error(raw, { ...context, secrets: ['TOKEN', 'SECRET'] })
    expect(error.cause).toMatchObject({
      code: 'AccessDenied',
      requestId: 'R1',
      bucketRegion: 'eu-west-1',
      statusCode: 403,
    })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/TOKEN|SECRET/)
  })
})
