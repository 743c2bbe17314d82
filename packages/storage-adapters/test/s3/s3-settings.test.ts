import { describe, expect, it } from 'vitest'
import { createS3Store, type S3StoreOptions } from '../../src/s3/index.js'
import { resolveS3Settings } from '../../src/s3/s3-settings.js'

const keys = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'the-secret-of-the-test' }
const arn = 'arn:aws:iam::123456789012:role/recorder'
const role = (changes: object): Partial<S3StoreOptions> => ({ role: { arn, ...changes } })

const wrong: readonly [string, object][] = [
  ['bucket', { bucket: '' }],
  ['bucket', { bucket: undefined }],
  ['bucket', { bucket: 'Upper-Case' }],
  ['bucket', { bucket: 'with/slash' }],
  ['bucket', { bucket: 'a..?' }],
  ['basePath', { basePath: '/absolute' }],
  ['basePath', { basePath: 'a/../b' }],
  ['basePath', { basePath: 'a//b' }],
  ['basePath', { basePath: 5 }],
  ['region', { region: 'EU West' }],
  ['endpoint', { endpoint: 'example.org' }],
  ['endpoint', { endpoint: 'ftp://example.org' }],
  ['endpoint', { endpoint: 'https://user:password@example.org' }],
  ['forcePathStyle', { forcePathStyle: 'yes' }],
  ['credentials', { credentials: 'none' }],
  ['credentials.accessKeyId', { credentials: { ...keys, accessKeyId: '' } }],
  ['credentials.secretAccessKey', { credentials: { ...keys, secretAccessKey: 'the-secret-of-the-test\n' } }],
  ['credentials.secretAccessKey', { credentials: { accessKeyId: 'AKIAEXAMPLE' } }],
  ['credentials.sessionToken', { credentials: { ...keys, sessionToken: ' ' } }],
  ['credentials.expiresAtMs', { credentials: { ...keys, expiresAtMs: Number.NaN } }],
  ['role.arn', role({ arn: 'recorder' })],
  ['role.arn', role({ arn: 'arn:aws:iam::123456789012:user/recorder' })],
  ['role.externalId', role({ externalId: 'x' })],
  ['role.externalId', role({ externalId: 'a b' })],
  ['role.sessionName', role({ sessionName: 'x' })],
  ['role.durationSeconds', role({ durationSeconds: 60 })],
  ['role.endpoint', role({ endpoint: 'sts' })],
  ['credentials.accessKeyId', { ...role({}), credentials: { secretAccessKey: 'x' } as never }],
  ['signing.credentials.secretAccessKey', { signing: { credentials: { accessKeyId: 'x' } } }],
  ['urlExpiresIn', { urlExpiresIn: 604_801 }],
  ['storageClass', { storageClass: 'cheap' }],
  ['serverSideEncryption', { serverSideEncryption: true }],
  ['serverSideEncryption.kmsKeyId', { serverSideEncryption: { kmsKeyId: 'a key' } }],
  ['tags', { tags: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`tag${index}`, ''])) }],
  ['tags.long', { tags: { long: 'x'.repeat(257) } }],
  ['metadata.ümlaut', { metadata: { ümlaut: 'x' } }],
  ['metadata.line', { metadata: { line: 'a\r\nb: c' } }],
  ['metadata', { metadata: { a: 'x'.repeat(2048) } }],
  ['acl', { acl: 'everybody' }],
  ['checksums', { checksums: 'never' }],
  ['checksumAlgorithm', { checksumAlgorithm: 'MD4' }],
  ['signBodies', { signBodies: 'always' }],
  ['partSize', { partSize: 1024 }],
  ['partSize', { partSize: 6 * 1024 ** 3 }],
  ['multipartThreshold', { multipartThreshold: -1 }],
  ['concurrency', { concurrency: 0 }],
  ['maxAttempts', { maxAttempts: 0 }],
  ['requestTimeoutMs', { requestTimeoutMs: 0.5 }],
  ['idleTimeoutMs', { idleTimeoutMs: 0 }],
]

describe('options', () => {
  for (const [field, options] of wrong) {
    it(`${field} is named: ${JSON.stringify(options)}`, () => {
      const given = { bucket: 'calls', credentials: keys, ...options } as S3StoreOptions
      let thrown: unknown
      try {
        createS3Store(given)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'BAD_CONFIGURATION', field })
      expect(String(thrown)).not.toContain('the-secret')
      expect(String(thrown)).not.toContain('password@')
    })
  }

  it('have the defaults that are documented', () => {
    expect(resolveS3Settings({ bucket: 'calls' })).toMatchObject({
      forcePathStyle: false,
      basePath: '',
      credentials: 'default',
      get: false,
      list: false,
      delete: false,
      urlExpiresIn: 43_200,
      digest: 'CRC32',
      signBodies: 'without-tls',
      partSize: 8 * 1024 ** 2,
      multipartThreshold: 16 * 1024 ** 2,
      concurrency: 4,
      requestTimeoutMs: Infinity,
      idleTimeoutMs: 60_000,
      maxAttempts: 3,
    })
    const elsewhere = resolveS3Settings({ bucket: 'Old_Bucket', endpoint: 'http://127.0.0.1:9000', basePath: 'a/b//' })
    expect(elsewhere).toMatchObject({ digest: 'MD5', region: 'us-east-1', basePath: 'a/b' })
  })

  it('name the store without its secrets', () => {
    expect(createS3Store({ bucket: 'calls', basePath: 'eu', credentials: keys }).name).toBe('s3 calls/eu')
    expect(createS3Store({ bucket: 'calls', credentials: keys }).name).toBe('s3 calls')
    const store = createS3Store({ bucket: 'calls', basePath: 'eu', credentials: keys })
    expect(store.locationOf('room 1/ü.mp4')).toBe('s3://calls/eu/room%201/%C3%BC.mp4')
    expect(() => store.locationOf('../x')).toThrow(expect.objectContaining({ code: 'STORE_KEY_OUTSIDE_BASE' }))
    const deep = createS3Store({
      bucket: 'calls',
      basePath: `${'x'.repeat(200)}/${'y'.repeat(200)}`,
      credentials: keys,
    })
    const long = Array.from({ length: 4 }, () => 'z'.repeat(200)).join('/')
    expect(() => deep.locationOf(long)).toThrow(expect.objectContaining({ code: 'STORE_BAD_KEY' }))
  })
})
