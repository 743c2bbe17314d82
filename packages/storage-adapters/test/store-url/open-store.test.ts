import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '@rushes/media'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openStore } from '../../src/store-url/open-store.js'

const SECRET = 'SecretOfTheTestsThatNobodyMaySee'
const aws = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: SECRET }
const oss = { OSS_ACCESS_KEY_ID: 'LTAI-test', OSS_ACCESS_KEY_SECRET: SECRET }

async function refusal(promise: Promise<unknown>): Promise<ConfigurationError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(`${(error as Error).message} ${String((error as Error).cause)}`).not.toContain(SECRET)
  return error as ConfigurationError
}

describe('opening a store by its URL', () => {
  it('makes a folder', async () => {
    const root = await mkdtemp(join(tmpdir(), 'rushes-open-'))
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    const store = await openStore(`${pathToFileURL(root).href}/a%20b?urlBase=https://example.org/r`, { env: {} })
    await store.put('key', new Uint8Array(3))
    expect(store.locationOf('key')).toBe(pathToFileURL(join(root, 'a b', 'key')).href)
    expect(await store.urlFor('key')).toEqual({ url: 'https://example.org/r/key' })
  })

  it('makes a bucket of S3', async () => {
    const store = await openStore('s3://calls/base?region=eu-west-1&get=1', { env: aws })
    expect(store.locationOf('a b')).toBe('s3://calls/base/a%20b')
    expect(store.capabilities).toMatchObject({ get: true, list: false, delete: false, signedUrls: true })
    const { url } = await store.urlFor('key')
    expect(url).toContain('eu-west-1')
    expect(url).toContain('AKIATEST')
    expect(url).not.toContain(SECRET)
    await store.close?.()
  })

  it('makes a bucket of S3 by its role, and takes the region of the environment', async () => {
    const url = 's3://calls?roleArn=arn:aws:iam::123456789012:role/recorder&externalId=tenant-1&sessionName=me'
    const store = await openStore(url, { env: { ...aws, AWS_REGION: 'eu-west-1' } })
    expect(store.locationOf('key')).toBe('s3://calls/key')
    await store.close?.()
    expect((await refusal(openStore(url.replace('tenant-1', 'x'), { env: aws }))).field).toBe('role.externalId')
  })

  it('makes a bucket of OSS', async () => {
    for (const [url, env] of [
      ['oss://calls/base?region=cn-hangzhou&get=1&internal=1', oss],
      ['oss://calls/base?get=1&internal=1', { ...oss, OSS_REGION: 'cn-hangzhou' }],
    ] as const) {
      const store = await openStore(url, { env })
      expect(store.locationOf('a b')).toBe('oss://calls/base/a%20b')
      const signed = await store.urlFor('key')
      expect(signed.url).toMatch(/^https:\/\/calls\.oss-cn-hangzhou-internal\.aliyuncs\.com\/base\/key\?.*LTAI-test/)
      await store.close?.()
    }
  })

  it('takes keys from a file, by the names of either service', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rushes-open-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'keys.json')
    await writeFile(path, JSON.stringify({ accessKeyId: 'FROMFILE', accessKeySecret: SECRET }))
    const file = `credentialsFile=${encodeURIComponent(path)}&get=1`
    const first = await openStore(`oss://calls?region=cn-hangzhou&${file}`, { env: oss })
    expect((await first.urlFor('key')).url).toContain('FROMFILE')
    const second = await openStore(`s3://calls?region=eu-west-1&${file}`, { env: aws })
    expect((await second.urlFor('key')).url).toContain('FROMFILE')
    const session = {
      accessKeyId: 'STS.x',
      secretAccessKey: SECRET,
      sessionToken: 'T',
      expiresAtMs: 32_503_680_000_000,
    }
    const third = await openStore('oss://calls?region=cn-hangzhou&credentialsFile=/keys&get=1', {
      env: {},
      readFile: async () => JSON.stringify(session),
    })
    expect((await third.urlFor('key', { expiresIn: 60 })).url).toContain('x-oss-security-token=T')
    for (const store of [first, second, third]) await store.close?.()
  })

  it.each([
    ['s3://calls', { AWS_ACCESS_KEY_ID: 'x' }, 'AWS_SECRET_ACCESS_KEY'],
    ['s3://calls', { AWS_SECRET_ACCESS_KEY: SECRET }, 'AWS_ACCESS_KEY_ID'],
    ['oss://calls?region=cn-hangzhou', {}, 'OSS_ACCESS_KEY_ID'],
    ['oss://calls?region=cn-hangzhou', { OSS_ACCESS_KEY_ID: 'x' }, 'OSS_ACCESS_KEY_SECRET'],
    ['oss://calls?region=cn-hangzhou', { ...oss, OSS_ACCESS_KEY_SECRET: `${SECRET}\n` }, 'credentials.accessKeySecret'],
    ['oss://calls', oss, 'region'],
    ['oss://calls?region=cn-hangzhou&storageClass=Cold', oss, 'storageClass'],
    ['file:///tmp?urlBase=nowhere', {}, 'urlBase'],
  ])('%s is refused', async (url, env, field) => {
    expect((await refusal(openStore(url, { env }))).field).toBe(field)
  })

  it.each([
    ['', /JSON object/],
    [`"${SECRET}"`, /JSON object/],
    [`{"secret": ${SECRET}}`, /JSON object/],
    ['{}', /accessKeyId/],
    [`{"accessKeyId":"x","accessKeySecret":["${SECRET}"]}`, /accessKeySecret/],
  ])('a file of keys that is none is refused', async (text, message) => {
    const options = { env: {}, readFile: async () => text }
    const error = await refusal(openStore('oss://calls?region=cn-hangzhou&credentialsFile=/keys', options))
    expect(error).toMatchObject({ field: 'credentialsFile', message: expect.stringMatching(message) })
  })

  it('says why a file of keys cannot be read', async () => {
    const error = await refusal(openStore('oss://calls?region=cn-hangzhou&credentialsFile=/no/such/file', { env: {} }))
    expect(error).toMatchObject({ field: 'credentialsFile', message: expect.stringContaining('ENOENT') })
  })

  it('loads no SDK before one is needed', () => {
    const source = pathToFileURL(join(import.meta.dirname, '../../src/store-url/open-store.ts')).href
    const script = `
      const { openStore } = await import(${JSON.stringify(source)})
      const { createRequire } = await import('node:module')
      const { cache } = createRequire(import.meta.url)
      const isLoaded = () => Object.keys(cache).some((path) => path.includes('ali-oss'))
      await openStore('file:///tmp', { env: {} })
      const before = isLoaded()
      await openStore('oss://calls?region=cn-hangzhou', { env: ${JSON.stringify(oss)} })
      console.log(before, isLoaded())`
    const args = ['--import', 'tsx', '--conditions=@rushes/source', '--input-type=module', '--eval', script]
    const cwd = join(import.meta.dirname, '../../../..')
    expect(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }).trim()).toBe('false true')
  })
})
