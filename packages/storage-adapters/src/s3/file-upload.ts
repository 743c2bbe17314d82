import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { StoreError } from '../errors.js'
import type { FileBuffers } from '../file-buffers.js'
import type { PutFileOptions } from '../store.js'
import { throwIfAborted } from '../store-body.js'
import type { Uploaded } from './body-upload.js'
import type { StoredPart } from './integrity.js'
import { PartQueue } from './part-queue.js'
import { partSizeFor } from './part-size.js'
import { Payload } from './payload.js'
import { isNoSuchUpload, type S3Requests } from './s3-requests.js'
import type { S3Settings } from './s3-settings.js'
import { parseCheckpoint, type UploadCheckpoint } from './upload-checkpoint.js'

/**
 * Puts a local file; a large one in parts, of which a checkpoint tells which have arrived. With `onCheckpoint` what has
 * arrived stays in the store when the transfer fails; without it nothing does.
 */
export async function uploadFile(
  requests: S3Requests,
  settings: S3Settings,
  objectKey: string,
  path: string,
  options: PutFileOptions,
  buffers: FileBuffers,
): Promise<Uploaded> {
  throwIfAborted(options.signal)
  const handle = await open(path, 'r').catch((cause: unknown) => cannotRead(path, requests.keyOf(objectKey), cause))
  try {
    const file = await inspect(handle, path, requests.keyOf(objectKey))
    const upload = new FileUpload(requests, settings, objectKey, file, options, buffers)
    if (file.size <= settings.multipartThreshold) return await upload.putWhole()
    const resumed = await upload.resumable()
    try {
      return await upload.putParts(resumed ?? (await upload.begin()))
    } catch (error) {
      if (resumed === undefined || !isNoSuchUpload(error)) throw error
      // The service has forgotten it: a rule of the bucket ends uploads that take too long.
      return await upload.putParts(await upload.begin())
    }
  } finally {
    await handle.close()
  }
}

interface SourceFile {
  readonly handle: FileHandle
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
}

class FileUpload {
  readonly #requests: S3Requests
  readonly #settings: S3Settings
  readonly #objectKey: string
  readonly #file: SourceFile
  readonly #options: PutFileOptions
  readonly #buffers: FileBuffers

  constructor(
    requests: S3Requests,
    settings: S3Settings,
    objectKey: string,
    file: SourceFile,
    options: PutFileOptions,
    buffers: FileBuffers,
  ) {
    this.#requests = requests
    this.#settings = settings
    this.#objectKey = objectKey
    this.#file = file
    this.#options = options
    this.#buffers = buffers
  }

  async putWhole(): Promise<Uploaded> {
    // It may have been larger, or another one, when the transfer began.
    const stale = this.#options.resumeFrom === undefined ? undefined : parseCheckpoint(this.#options.resumeFrom)
    if (stale !== undefined) await this.#abandon(stale)
    const { size } = this.#file
    const buffer = await this.#buffers.take(size, this.#options.signal, () => this.#options.onProgress?.(0))
    try {
      const payload = new Payload([await this.#read(buffer, 0)])
      await this.#checkUnchanged()
      const { etag } = await this.#requests.putObject(this.#objectKey, payload, this.#options)
      return { bytes: size, etag, ...(this.#options.sha256 === true ? { sha256: hexSha256(payload) } : {}) }
    } finally {
      this.#buffers.give(buffer)
    }
  }

  /** The earlier transfer, when it was of this file to this place; one of this place but not of this file is ended. */
  async resumable(): Promise<UploadCheckpoint | undefined> {
    const kept = this.#options.resumeFrom === undefined ? undefined : parseCheckpoint(this.#options.resumeFrom)
    if (kept === undefined || kept.bucket !== this.#settings.bucket || kept.objectKey !== this.#objectKey)
      return undefined
    if (kept.size === this.#file.size && kept.mtimeMs === this.#file.mtimeMs) return kept
    await this.#abandon(kept)
    return undefined
  }

  async begin(): Promise<UploadCheckpoint> {
    const { size, mtimeMs } = this.#file
    const { uploadId, digest } = await this.#requests.createUpload(this.#objectKey, this.#options)
    const { bucket } = this.#settings
    const partSize = partSizeFor(size, this.#settings.partSize)
    const started = {
      version: 1,
      bucket,
      objectKey: this.#objectKey,
      uploadId,
      digest,
      partSize,
      size,
      mtimeMs,
    } as const
    const checkpoint = { ...started, parts: [] }
    await this.#options.onCheckpoint?.(checkpoint)
    return checkpoint
  }

  async putParts(start: UploadCheckpoint): Promise<Uploaded> {
    const { onCheckpoint, onProgress, signal, sha256 } = this.#options
    const progress = onProgress === undefined ? {} : { onProgress }
    const { partSize, size } = start
    const parts = new Map(start.parts.map((part) => [part.number, part]))
    const hash = sha256 === true ? createHash('sha256') : undefined
    const queue = new PartQueue(this.#settings.concurrency, signal)
    try {
      for (let number = 1; (number - 1) * partSize < size; number += 1) {
        if (parts.has(number) && hash === undefined) continue
        const offset = (number - 1) * partSize
        const buffer = await this.#buffers.take(Math.min(partSize, size), queue.signal, () => {
          // With a part under way it is that one which must move.
          if (queue.isIdle) onProgress?.(0)
        })
        let isOut = true
        const giveBack = (): void => {
          if (isOut) this.#buffers.give(buffer)
          isOut = false
        }
        try {
          const bytes = await this.#read(buffer.subarray(0, Math.min(partSize, size - offset)), offset)
          throwIfAborted(signal)
          hash?.update(bytes)
          if (parts.has(number)) {
            giveBack()
            continue
          }
          const send = (at: number, payload: Payload, stop: AbortSignal): Promise<StoredPart> =>
            this.#requests.uploadPart(start, at, payload, { signal: stop, ...progress }).finally(giveBack)
          await queue.add(number, new Payload([bytes]), send, (part) => {
            parts.set(part.number, part)
            void onCheckpoint?.({ ...start, parts: inOrder(parts) })
          })
        } catch (error) {
          giveBack()
          throw error
        }
      }
      await queue.finish()
      await this.#checkUnchanged()
      const { etag } = await this.#requests.completeUpload(start, inOrder(parts), signal)
      return { bytes: size, etag, ...(hash === undefined ? {} : { sha256: hash.digest('hex') }) }
    } catch (error) {
      // Before those that are stopped now fail as well.
      const failure = queue.failure === undefined ? error : queue.failure.error
      await queue.cancel()
      if (onCheckpoint === undefined || changed(error)) await this.#abandon(start)
      throwIfAborted(signal)
      throw failure
    }
  }

  async #abandon(upload: UploadCheckpoint): Promise<void> {
    // Without the right to, a rule of the bucket has to.
    await this.#requests.abortUpload(upload).catch(() => {})
  }

  async #read(into: Buffer, offset: number): Promise<Buffer> {
    const { handle, path } = this.#file
    let filled = 0
    while (filled < into.byteLength) {
      const { bytesRead } = await handle
        .read(into, filled, into.byteLength - filled, offset + filled)
        .catch((cause: unknown) => cannotRead(path, this.#requests.keyOf(this.#objectKey), cause))
      if (bytesRead === 0) throw new FileChangedError(path, this.#requests.keyOf(this.#objectKey))
      filled += bytesRead
    }
    return into
  }

  async #checkUnchanged(): Promise<void> {
    const { handle, path, size, mtimeMs } = this.#file
    const now = await inspect(handle, path, this.#requests.keyOf(this.#objectKey))
    if (now.size !== size || now.mtimeMs !== mtimeMs)
      throw new FileChangedError(path, this.#requests.keyOf(this.#objectKey))
  }
}

class FileChangedError extends StoreError {
  constructor(path: string, key: string) {
    super('STORE_BODY_FAILED', `${path} was changed while it was stored`, { key })
    this.name = 'StoreError'
  }
}

function changed(error: unknown): boolean {
  return error instanceof FileChangedError
}

function inOrder(parts: ReadonlyMap<number, StoredPart>): readonly StoredPart[] {
  return [...parts.values()].sort((one, other) => one.number - other.number)
}

function hexSha256(payload: Payload): string {
  return Buffer.from(payload.digest('SHA256'), 'base64').toString('hex')
}

async function inspect(handle: FileHandle, path: string, key: string): Promise<SourceFile> {
  const info = await handle.stat().catch((cause: unknown) => cannotRead(path, key, cause))
  if (!info.isFile()) cannotRead(path, key, new Error('it is not a file'))
  return { handle, path, size: info.size, mtimeMs: info.mtimeMs }
}

function cannotRead(path: string, key: string, cause: unknown): never {
  throw new StoreError('STORE_BODY_FAILED', `${path} cannot be read`, { cause, key })
}
