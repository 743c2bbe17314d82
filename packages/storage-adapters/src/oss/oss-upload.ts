import { StoreError } from '../errors.js'
import type { BodyPart } from './body-part.js'
import { Crc64Chain } from './crc64.js'
import type { OssClient } from './oss-client.js'
import { isNoSuchUpload } from './oss-error.js'

/** How long tidying up behind a transfer that was stopped may hold up the caller. */
const TIDY_MS = 10_000

/** A part that has arrived. */
export interface UploadedPart {
  readonly number: number
  readonly etag: string
  readonly bytes: number
  readonly crc64: bigint
}

/** What an upload is for. */
export interface UploadTarget {
  readonly client: OssClient
  readonly key: string
  /** The key with the base path before it. */
  readonly name: string
  readonly concurrency: number
  readonly signal: AbortSignal | undefined
  readonly onProgress?: (bytes: number) => void
  /** Is fired when a part has failed, for whoever reads the source. */
  readonly failed?: AbortController
}

/** A multipart upload that is under way: parts go up side by side, and the first failure stops all of them. */
export class OssUpload {
  readonly uploadId: string
  /** Fires when the caller stops the transfer, and when a part has failed. */
  readonly signal: AbortSignal
  readonly #target: UploadTarget
  readonly #failed: AbortController
  readonly #parts = new Map<number, UploadedPart>()
  readonly #underWay = new Set<Promise<void>>()
  #failure: StoreError | undefined

  constructor(target: UploadTarget, uploadId: string, parts: readonly UploadedPart[] = []) {
    this.#target = target
    this.#failed = target.failed ?? new AbortController()
    this.uploadId = uploadId
    for (const part of parts) this.#parts.set(part.number, part)
    this.signal =
      target.signal === undefined ? this.#failed.signal : AbortSignal.any([target.signal, this.#failed.signal])
  }

  /** @throws StoreError */
  static async begin(
    target: UploadTarget,
    options: { readonly headers: Readonly<Record<string, string>>; readonly mime?: string },
  ): Promise<OssUpload> {
    const { uploadId } = await target.client.call(target.key, target.signal, (api) =>
      api.initMultipartUpload(target.name, { ...options }),
    )
    target.onProgress?.(0)
    return new OssUpload(target, uploadId)
  }

  /** No part is under way. */
  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  /** What made the upload fail, when that was not the caller. */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  get parts(): readonly UploadedPart[] {
    return [...this.#parts.values()].sort((one, other) => one.number - other.number)
  }

  /** Resolves when another part may go up. @throws StoreError the failure of an earlier part */
  async ready(): Promise<void> {
    while (this.#underWay.size >= this.#target.concurrency) await Promise.race(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Sends a part. `arrived` is told when it is there; the promise resolves when the part is not needed any more. */
  send(number: number, part: BodyPart, arrived?: () => void): Promise<void> {
    const sending = this.#send(number, part)
      .then(arrived)
      .catch((error: unknown) => {
        this.#failure ??= error as StoreError
        this.#failed.abort(error)
      })
      .finally(() => this.#underWay.delete(sending))
    this.#underWay.add(sending)
    return sending
  }

  /** Resolves when all parts that were sent are there. @throws StoreError the failure of one */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Makes an object of the parts. @throws StoreError */
  async complete(): Promise<{ readonly etag: string | undefined; readonly bytes: number }> {
    await this.settled()
    const { client, key, name, signal } = this.#target
    const parts = this.parts
    const answer = await client.call(key, signal, (api) => api.completeMultipartUpload(name, this.uploadId, parts))
    const chain = new Crc64Chain()
    let bytes = 0
    for (const part of parts) {
      chain.append(part.crc64, part.bytes)
      bytes += part.bytes
    }
    checkCrc64(key, chain.digest(), answer.res.headers)
    return { etag: answer.etag, bytes }
  }

  /** Stops what is under way and leaves the parts that have arrived, for somebody to go on with. */
  async stop(): Promise<void> {
    this.#failed.abort(this.#failure)
    await Promise.all(this.#underWay)
  }

  /** Stops what is under way and removes the parts. What cannot be removed now is left to a rule of the bucket. */
  async discard(): Promise<void> {
    await this.stop()
    const { client, key, name } = this.#target
    await discardUpload(client, key, name, this.uploadId, AbortSignal.timeout(TIDY_MS)).catch(() => {})
  }

  async #send(number: number, part: BodyPart): Promise<void> {
    const { client, key, name, onProgress } = this.#target
    const headers = { 'Content-MD5': part.md5() }
    const crc64 = part.crc64()
    const { bytes } = part
    const answer = await client.call(key, this.signal, (api) =>
      api.uploadPart(name, this.uploadId, number, part.stream(onProgress), 0, bytes, { headers }),
    )
    onProgress?.(0)
    checkCrc64(key, crc64, answer.res.headers)
    this.#parts.set(number, { number, etag: answer.etag, bytes, crc64 })
  }
}

/** Removes the parts of an upload; one that is gone is no error. @throws StoreError */
export async function discardUpload(
  client: OssClient,
  key: string,
  name: string,
  uploadId: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.call(key, signal, (api) => api.abortMultipartUpload(name, uploadId))
  } catch (error) {
    if (!isNoSuchUpload(error)) throw error
  }
}

/** @throws StoreError `STORE_CORRUPTED` when OSS has other bytes than we. */
export function checkCrc64(key: string, crc64: bigint, headers: Readonly<Record<string, string | undefined>>): void {
  const answered = headers['x-oss-hash-crc64ecma']
  if (answered !== undefined && answered !== String(crc64)) {
    throw new StoreError('STORE_CORRUPTED', `OSS has a CRC-64 of ${answered} where ${crc64} was sent`, { key })
  }
}
