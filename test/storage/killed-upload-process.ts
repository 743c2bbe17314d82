/**
 * Sends a large file to S3 through a spool, and says how far it is, until it is killed:
 * `killed-upload-process.ts DIR ENDPOINT ACCESS_KEY SECRET [FILE]`. Without a file it goes on with what waits.
 */
import { writeSync } from 'node:fs'
import { createS3Store, type S3Store } from '@rushes/storage-adapters/s3'
import { createSpool } from '@rushes/storage-adapters/spool'

/** What the process prints when a part has arrived. */
export interface UploadState {
  readonly uploadId: string
  readonly parts: readonly number[]
}

/** Says what each checkpoint holds, once it is kept. */
function telling(store: S3Store): S3Store {
  const putFile: S3Store['putFile'] = (key, path, options = {}) =>
    store.putFile(key, path, {
      ...options,
      onCheckpoint: async (checkpoint) => {
        await options.onCheckpoint?.(checkpoint)
        const { uploadId, parts } = checkpoint as { uploadId: string; parts: readonly { readonly number: number }[] }
        writeSync(
          1,
          `${JSON.stringify({ uploadId, parts: parts.map(({ number }) => number) } satisfies UploadState)}\n`,
        )
      },
    })
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = name === 'putFile' ? putFile : Reflect.get(target, name)
      return typeof value === 'function' && name !== 'putFile' ? value.bind(target) : value
    },
  })
}

const [, script, dir, endpoint, accessKeyId, secretAccessKey, file] = process.argv
if (
  script?.endsWith('killed-upload-process.ts') === true &&
  dir !== undefined &&
  accessKeyId !== undefined &&
  secretAccessKey !== undefined
) {
  const store = createS3Store({
    bucket: 'recordings',
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    partSize: 5 * 1024 * 1024,
    concurrency: 2,
    maxAttempts: 1,
  })
  const spool = await createSpool({ store: telling(store), dir, backOff: { firstMs: 20 } })
  if (file !== undefined) await spool.putFile('recording.mp4', file)
  await spool.settled()
  await spool.close()
}
