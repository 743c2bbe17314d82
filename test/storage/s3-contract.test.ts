import { storeContract } from '@rushes/storage-adapters/contract'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRadosgw, type Radosgw, startRadosgw } from '../servers/radosgw.js'

const maxBodyBytes = Number(process.env['RUSHES_CONTRACT_BYTES'] ?? 64 * 1024 * 1024)

describe.skipIf(!hasRadosgw && !process.env['CI'])('a store in a bucket', () => {
  let server: Radosgw
  let count = 0

  beforeAll(async () => {
    // Four large objects, and some room.
    server = await startRadosgw({ gibibytes: 4 + Math.ceil((4 * maxBodyBytes) / 1024 ** 3) })
    await server.createBucket('recordings')
  })
  afterAll(() => server?.stop())

  for (const checksums of ['when-required', 'when-supported'] as const) {
    storeContract({
      name: `S3 (${checksums})`,
      describe,
      it,
      maxBodyBytes,
      capabilities: { signedUrls: true, resume: true, progress: true },
      create: async () => {
        count += 1
        const store = createS3Store({
          bucket: 'recordings',
          endpoint: server.endpoint,
          forcePathStyle: true,
          // A prefix of its own for each test.
          basePath: `contract/${count}`,
          credentials: server.owner,
          get: true,
          list: true,
          delete: true,
          checksums,
        })
        return {
          store,
          dispose: async () => {
            expect(await server.openUploads('recordings')).toEqual([])
            await store.close()
          },
        }
      },
    })
  }
})
