import { StoreError } from '../errors.js'
import type { StoreBody } from '../store.js'
import { readBody } from '../store-body.js'
import { BodyPart } from './body-part.js'
import { MAX_PART_BYTES, MAX_PARTS } from './oss-options.js'
import { OssUpload, type UploadTarget } from './oss-upload.js'

/** Parts after which they grow by another `partSize`, so that 10,000 of them reach 55,000 times as far. */
const PARTS_OF_ONE_SIZE = 1_000

/** How many bytes part `number` (from 1) of a stream of unknown length has. */
export function streamPartBytes(number: number, partSize: number): number {
  return Math.min(partSize * (1 + Math.floor((number - 1) / PARTS_OF_ONE_SIZE)), MAX_PART_BYTES)
}

/** What became of a body: one part that nothing was done with yet, or an object made of several. */
export type StreamUploadResult =
  | { readonly single: BodyPart }
  | { readonly etag: string | undefined; readonly bytes: number }

/**
 * Reads a body to its end. One that fits into a part is given back as that part; of a longer one an upload is made, with
 * `concurrency` + 1 parts in memory. When anything fails nothing of it is left in the bucket.
 * @throws StoreError
 */
export async function uploadStream(
  to: UploadTarget,
  body: StoreBody,
  options: {
    readonly partSize: number
    readonly headers: Readonly<Record<string, string>>
    readonly mime?: string
    readonly seen: (chunk: Uint8Array) => void
  },
): Promise<StreamUploadResult> {
  const { partSize, seen, ...begin } = options
  const failed = new AbortController()
  const target: UploadTarget = { ...to, failed }
  let upload: OssUpload | undefined
  let number = 1
  let part = new BodyPart()

  const sendPart = async (): Promise<void> => {
    if (number > MAX_PARTS) {
      throw new StoreError('STORE_TOO_LARGE', `the body has more than ${MAX_PARTS} parts: set a larger partSize`, {
        key: target.key,
      })
    }
    upload ??= await OssUpload.begin(target, begin)
    await upload.ready()
    void upload.send(number, part)
    number += 1
    part = new BodyPart()
  }
  const take = async (chunk: Uint8Array): Promise<void> => {
    seen(chunk)
    let offset = 0
    while (offset < chunk.byteLength) {
      // Only when more comes: a body that ends with its first part is put in one request.
      const free = streamPartBytes(number, partSize) - part.bytes
      if (free === 0) {
        await sendPart()
        continue
      }
      part.push(chunk.subarray(offset, offset + free))
      offset += free
    }
  }

  try {
    // A source that hangs is not waited for when the upload has failed.
    const signal = to.signal === undefined ? failed.signal : AbortSignal.any([to.signal, failed.signal])
    await readBody(body, signal, take)
    if (upload === undefined) return { single: part }
    await sendPart()
    return await upload.complete()
  } catch (error) {
    const failure = upload?.failure ?? error
    await upload?.discard()
    throw failure
  }
}
