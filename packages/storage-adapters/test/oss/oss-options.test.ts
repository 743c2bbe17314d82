import { ConfigurationError } from '@rushes/media'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/index.js'
import { createOssStore, type OssStoreOptions } from '../../src/oss/index.js'

const SECRET = 'SecretOfTheTestsThatNobodyMaySee'
const credentials = { accessKeyId: 'LTAI-test', accessKeySecret: SECRET }
const base: OssStoreOptions = { bucket: 'recordings', region: 'cn-hangzhou', credentials, get: true }

const wrong: readonly [field: string, options: object][] = [
  ['bucket', { bucket: '' }],
  ['bucket', { bucket: 'Recordings' }],
  ['bucket', { bucket: 'a/b' }],
  ['bucket', { bucket: undefined }],
  ['region', { region: 'hangzhou' }],
  ['region', { region: 'cn-hangzhou.aliyuncs.com' }],
  ['region', { region: undefined }],
  ['endpoint', { endpoint: 'https://host/path' }],
  ['endpoint', { endpoint: 'ftp://host' }],
  ['endpoint', { endpoint: `https://user:${SECRET}@host` }],
  ['endpoint', { endpoint: '10.0.0.1:80' }],
  ['endpoint', { endpoint: 'https://[::1]' }],
  ['endpoint', { endpoint: 'not a host' }],
  ['endpoint', { cname: true }],
  ['internal', { internal: true, endpoint: 'host' }],
  ['pathStyle', { cname: true, endpoint: 'host', pathStyle: true }],
  ['secure', { endpoint: 'http://host', secure: true }],
  ['credentials', { credentials: undefined }],
  ['credentials.accessKeyId', { credentials: { ...credentials, accessKeyId: '' } }],
  ['credentials.accessKeySecret', { credentials: { ...credentials, accessKeySecret: `${SECRET}\n` } }],
  ['credentials.accessKeySecret', { credentials: { accessKeyId: 'x' } }],
  ['credentials.stsToken', { credentials: { ...credentials, stsToken: '' } }],
  ['credentials.stsToken', { credentials: { ...credentials, accessKeyId: 'STS.x' } }],
  ['credentials.expiresAtMs', { credentials: { ...credentials, expiresAtMs: Number.NaN } }],
  ['credentials.refresh', { credentials: { refresh: SECRET } }],
  ['signing.credentials.accessKeyId', { signing: { credentials: { ...credentials, accessKeyId: ' ' } } }],
  ['basePath', { basePath: '/absolute' }],
  ['basePath', { basePath: 'a/../b' }],
  ['basePath', { basePath: 'a//b' }],
  ['basePath', { basePath: '\\a' }],
  ['signatureVersion', { signatureVersion: 'v2' }],
  ['storageClass', { storageClass: 'STANDARD_IA' }],
  ['serverSideEncryption', { serverSideEncryption: 'aws:kms' }],
  ['serverSideEncryption.kmsKeyId', { serverSideEncryption: { kmsKeyId: 'a b' } }],
  ['tags', { tags: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`t${index}`, 'x'])) }],
  ['tags.a&b', { tags: { 'a&b': 'x' } }],
  ['metadata.room', { metadata: { room: 'größer' } }],
  ['metadata.a b', { metadata: { 'a b': 'x' } }],
  ['metadata', { metadata: { room: 'x'.repeat(8192) } }],
  ['partSize', { partSize: 102_399 }],
  ['partSize', { partSize: 1.5e6 + 0.5 }],
  ['concurrency', { concurrency: 0 }],
  ['urlExpiresIn', { urlExpiresIn: 604_801 }],
  ['fileBufferBytes', { fileBufferBytes: 1000 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['maxAttempts', { maxAttempts: 0 }],
]

describe('options of an OSS store', () => {
  it.each(wrong)('%s is refused: %j', (field, options) => {
    try {
      createOssStore({ ...base, ...options })
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error).toMatchObject({ field })
      expect((error as Error).message).not.toContain(SECRET)
    }
  })

  it.each([
    [{}, 'https://recordings.oss-cn-hangzhou.aliyuncs.com/a/b?'],
    [{ region: 'oss-cn-hangzhou' }, 'https://recordings.oss-cn-hangzhou.aliyuncs.com/a/b?'],
    [{ internal: true }, 'https://recordings.oss-cn-hangzhou-internal.aliyuncs.com/a/b?'],
    [{ secure: false }, 'http://recordings.oss-cn-hangzhou.aliyuncs.com/a/b?'],
    [{ endpoint: 'oss-accelerate.aliyuncs.com' }, 'https://recordings.oss-accelerate.aliyuncs.com/a/b?'],
    [{ endpoint: 'http://localhost:8080', pathStyle: true }, 'http://localhost:8080/recordings/a/b?'],
    [{ endpoint: 'cdn.example.org', cname: true }, 'https://cdn.example.org/a/b?'],
    [{ basePath: 'base/' }, 'https://recordings.oss-cn-hangzhou.aliyuncs.com/base/a/b?'],
    [{ signatureVersion: 'v1' }, 'https://recordings.oss-cn-hangzhou.aliyuncs.com/a/b?OSSAccessKeyId='],
  ] satisfies [Partial<OssStoreOptions>, string][])('%j make the URL %s', async (options, start) => {
    const { url } = await createOssStore({ ...base, ...options }).urlFor('a/b')
    expect(url.startsWith(start)).toBe(true)
  })

  it('leave no key outside of the base path', async () => {
    const component = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom('', '.', '..', '%2e%2e', '\\', 'x'.repeat(255)),
    )
    const key = fc.array(component, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
    const basePath = fc.constantFrom('', 'base', 'tenant 1/ü', 'b'.repeat(200))
    await fc.assert(
      fc.asyncProperty(basePath, key, async (prefix, name) => {
        const store = createOssStore({ ...base, basePath: prefix })
        const inside = prefix === '' ? '/' : `/${prefix}/`
        try {
          const { pathname } = new URL((await store.urlFor(name)).url)
          expect(decodeURIComponent(pathname)).toBe(inside + name)
          expect(Buffer.byteLength(pathname === '' ? '' : decodeURIComponent(pathname).slice(1))).toBeLessThanOrEqual(
            1023,
          )
          expect(decodeURIComponent(new URL(store.locationOf(name)).pathname)).toBe(inside + name)
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError)
          expect(['STORE_BAD_KEY', 'STORE_KEY_OUTSIDE_BASE']).toContain((error as StoreError).code)
        }
      }),
    )
  })
})
