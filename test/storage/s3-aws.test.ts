import { storeContract } from '@rushes/storage-adapters/contract'
import { createS3Store, type S3StoreOptions } from '@rushes/storage-adapters/s3'
import { describe, expect, it } from 'vitest'

// Against a bucket of AWS itself, for whoever has one: set RUSHES_AWS_BUCKET and RUSHES_AWS_REGION. Credentials come from
// where the AWS tools look; with RUSHES_AWS_ROLE_ARN (and RUSHES_AWS_EXTERNAL_ID) they assume that role. They need to
// put, get, list and delete below `rushes-test/`. It costs some requests and leaves nothing.
const { env } = process
const bucket = env['RUSHES_AWS_BUCKET']

describe.skipIf(bucket === undefined)('a bucket of AWS', () => {
  const roleArn = env['RUSHES_AWS_ROLE_ARN']
  const externalId = env['RUSHES_AWS_EXTERNAL_ID']
  const region = env['RUSHES_AWS_REGION']
  const options: S3StoreOptions = {
    bucket: bucket ?? 'none',
    ...(region === undefined ? {} : { region }),
    ...(roleArn === undefined ? {} : { role: { arn: roleArn, ...(externalId === undefined ? {} : { externalId }) } }),
    get: true,
    list: true,
    delete: true,
  }
  const run = `rushes-test/${Date.now().toString(36)}`
  let count = 0

  storeContract({
    name: 'S3 of AWS',
    describe,
    it,
    capabilities: { signedUrls: true, resume: true, progress: true },
    create: async () => {
      count += 1
      const store = createS3Store({ ...options, basePath: `${run}/${count}` })
      return {
        store,
        dispose: async () => {
          for await (const { key } of store.list?.() ?? []) await store.delete?.(key)
          await store.close()
        },
      }
    },
  })

  it('URLs work', async () => {
    const store = createS3Store({ ...options, basePath: run })
    await store.put('url.txt', new TextEncoder().encode('text'), { contentType: 'text/plain' })
    const { url } = await store.urlFor('url.txt', { expiresIn: 60 })
    expect(await (await fetch(url)).text()).toBe('text')
    await store.delete?.('url.txt')
  })

  it('another region, an unknown key and a wrong external id are told', async () => {
    const elsewhere = region === 'eu-central-1' ? 'eu-west-1' : 'eu-central-1'
    const probe = (changes: Partial<S3StoreOptions>): Promise<unknown> =>
      createS3Store({ ...options, basePath: run, ...changes }).probe({ name: 'test-file.json' })
    expect(await probe({ region: elsewhere })).toMatchObject({
      field: 'region',
      hint: expect.stringContaining(region ?? ''),
    })
    const nobody = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) }
    expect(await probe({ credentials: nobody })).toMatchObject({ field: 'credentials.accessKeyId' })
    if (roleArn === undefined || externalId === undefined) return
    expect(await probe({ role: { arn: roleArn, externalId: 'wrong' } })).toMatchObject({
      field: 'role.externalId',
    })
  })
})
