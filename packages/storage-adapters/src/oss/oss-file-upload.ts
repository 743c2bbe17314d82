import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { StoreError } from '../errors.js'
import type { FileBuffers } from '../file-buffers.js'
import type { PutFileOptions, TransferCheckpoint } from '../store.js'
import { throwIfAborted } from '../store-body.js'
import { BodyPart } from './body-part.js'
import { isNoSuchUpload } from './oss-error.js'
import { MAX_PARTS } from './oss-options.js'
import { discardUpload, OssUpload, type UploadedPart, type UploadTarget } from './oss-upload.js'

/** A file is read in blocks, so that hashing one does not hold up everything else for long. */
const READ_BYTES = 1_048_576

/** What a checkpoint of this store says. */
interface FileCheckpoint {
  readonly store: 'oss'
  readonly bucket: string
  readonly name: string
  readonly uploadId: string
  readonly bytes: number
  readonly modifiedAtMs: number
  readonly partSize: number
  readonly parts: readonly { readonly number: number; readonly etag: string; readonly crc64: string }[]
}

/** How a file goes up. */
export interface FileUploadOptions {
  readonly bucket: string
  readonly partSize: number
  readonly headers: Readonly<Record<string, string>>
  readonly mime?: string
  readonly sha256: boolean
  /** Memory of all files of the store together. */
  readonly buffers: FileBuffers
  readonly onCheckpoint: PutFileOptions['onCheckpoint'] | undefined
  readonly resumeFrom: TransferCheckpoint | undefined
}

/** Parts of a file of that size: as configured, or as large as 10,000 of them ask for, in whole MiB. */
export function filePartBytes(fileBytes: number, partSize: number): number {
  const least = Math.ceil(fileBytes / MAX_PARTS)
  return least <= partSize ? partSize : Math.ceil(least / READ_BYTES) * READ_BYTES
}

/**
 * Puts a local file in parts, in memory that all files share. With `onCheckpoint` what has arrived stays when the
 * transfer fails or is stopped, for `resumeFrom`; without it nothing is left.
 * @throws StoreError
 */
export async function uploadFile(
  target: UploadTarget,
  path: string,
  options: FileUploadOptions,
): Promise<{ readonly etag: string | undefined; readonly bytes: number; readonly sha256?: string }> {
  const file = await open(path, 'r').catch((cause: unknown) => unreadable(path, target.key, cause))
  try {
    const before = readCheckpoint(options.resumeFrom)
    const goesOn = before !== undefined && (await fits(before, target, options, file))
    if (before !== undefined && !goesOn) await abandonUpload(target, options.bucket, before)
    try {
      return await transfer(target, path, file, options, goesOn ? before : undefined)
    } catch (error) {
      // What was to be gone on with is gone itself, by a rule of the bucket for example.
      if (!goesOn || !isNoSuchUpload(error)) throw error
      return await transfer(target, path, file, options, undefined)
    }
  } finally {
    await file.close()
  }
}

/**
 * Reads a file of so many bytes as one part, which lies in `into`.
 * @throws StoreError
 */
export async function readFilePart(
  target: UploadTarget,
  path: string,
  into: Buffer,
  hash: Hash | undefined,
): Promise<BodyPart> {
  const file = await open(path, 'r').catch((cause: unknown) => unreadable(path, target.key, cause))
  try {
    const part = await readRange(file, path, target, 0, into, hash)
    if ((await file.stat()).size !== into.byteLength) changed(path, target.key)
    return part
  } finally {
    await file.close()
  }
}

/** Removes what the transfer of a checkpoint has left. @throws StoreError `STORE_BAD_SETTINGS` when it is not of this bucket */
export async function abandonCheckpoint(
  target: UploadTarget,
  bucket: string,
  checkpoint: TransferCheckpoint,
): Promise<void> {
  const before = readCheckpoint(checkpoint)
  if (before === undefined || before.bucket !== bucket || before.name !== target.name) {
    throw new StoreError('STORE_BAD_SETTINGS', 'the checkpoint is not of this key in this store', { key: target.key })
  }
  await discardUpload(target.client, target.key, target.name, before.uploadId)
}

async function transfer(
  target: UploadTarget,
  path: string,
  file: FileHandle,
  options: FileUploadOptions,
  before: FileCheckpoint | undefined,
): Promise<{ readonly etag: string | undefined; readonly bytes: number; readonly sha256?: string }> {
  const { size, mtimeMs } = await file.stat()
  const partSize = before?.partSize ?? filePartBytes(size, options.partSize)
  const arrived = (before?.parts ?? []).map(
    (part): UploadedPart => ({
      number: part.number,
      etag: part.etag,
      crc64: BigInt(part.crc64),
      bytes: Math.min(partSize, size - (part.number - 1) * partSize),
    }),
  )
  const upload =
    before === undefined ? await OssUpload.begin(target, options) : new OssUpload(target, before.uploadId, arrived)
  const tell = async (): Promise<void> => {
    const { bucket, onCheckpoint } = options
    const checkpoint: FileCheckpoint = {
      store: 'oss',
      bucket,
      name: target.name,
      uploadId: upload.uploadId,
      bytes: size,
      modifiedAtMs: mtimeMs,
      partSize,
      parts: upload.parts.map(({ number, etag, crc64 }) => ({ number, etag, crc64: String(crc64) })),
    }
    await onCheckpoint?.({ ...checkpoint })
  }
  const hash = options.sha256 ? createHash('sha256') : undefined
  const there = new Set(arrived.map((part) => part.number))
  try {
    await tell()
    for (let number = 1; (number - 1) * partSize < size; number += 1) {
      const start = (number - 1) * partSize
      const bytes = Math.min(partSize, size - start)
      if (there.has(number)) {
        if (hash !== undefined) await hashRange(file, path, target, start, bytes, hash)
        continue
      }
      await upload.ready()
      const buffer = await options.buffers.take(Math.min(partSize, size), upload.signal, () => {
        // With a part under way it is that one which must move.
        if (upload.isIdle) target.onProgress?.(0)
      })
      let sent: Promise<unknown> = Promise.resolve()
      try {
        const part = await readRange(file, path, target, start, buffer.subarray(0, bytes), hash)
        sent = upload.send(number, part, () => void tell())
      } finally {
        void sent.then(() => options.buffers.give(buffer))
      }
    }
    await upload.settled()
    const after = await file.stat()
    if (after.size !== size || after.mtimeMs !== mtimeMs) changed(path, target.key)
    const { etag, bytes } = await upload.complete()
    return { etag, bytes, ...(hash === undefined ? {} : { sha256: hash.digest('hex') }) }
  } catch (error) {
    const failure = upload.failure ?? error
    const isKept = options.onCheckpoint !== undefined && !isBodyFailed(failure)
    await (isKept ? upload.stop() : upload.discard())
    throw failure
  }
}

/** Reads what fits into `into`, and makes a part of it. */
async function readRange(
  file: FileHandle,
  path: string,
  target: UploadTarget,
  start: number,
  into: Buffer,
  hash: Hash | undefined,
): Promise<BodyPart> {
  const part = new BodyPart()
  for (let offset = 0; offset < into.byteLength; ) {
    const read = await readBlock(file, path, target, start + offset, into.subarray(offset, offset + READ_BYTES))
    part.push(read)
    hash?.update(read)
    offset += read.byteLength
  }
  return part
}

/** Of a part that is there already, for the hash of the whole. */
async function hashRange(
  file: FileHandle,
  path: string,
  target: UploadTarget,
  start: number,
  bytes: number,
  hash: Hash,
): Promise<void> {
  const block = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, bytes))
  for (let offset = 0; offset < bytes; ) {
    const read = await readBlock(file, path, target, start + offset, block.subarray(0, bytes - offset))
    hash.update(read)
    offset += read.byteLength
  }
}

async function readBlock(
  file: FileHandle,
  path: string,
  { key, signal }: UploadTarget,
  position: number,
  into: Buffer,
): Promise<Buffer> {
  throwIfAborted(signal)
  const { bytesRead } = await file
    .read(into, 0, into.byteLength, position)
    .catch((cause: unknown) => unreadable(path, key, cause))
  if (bytesRead === 0) changed(path, key)
  return into.subarray(0, bytesRead)
}

async function fits(
  before: FileCheckpoint,
  target: UploadTarget,
  { bucket }: FileUploadOptions,
  file: FileHandle,
): Promise<boolean> {
  const { size, mtimeMs } = await file.stat()
  return (
    before.bucket === bucket &&
    before.name === target.name &&
    before.bytes === size &&
    before.modifiedAtMs === mtimeMs &&
    before.partSize * MAX_PARTS >= size &&
    before.parts.every((part) => (part.number - 1) * before.partSize < size)
  )
}

/** The old upload is nobody's any more; that it cannot be removed now does not stop the new one. */
async function abandonUpload(
  { client, key, name, signal }: UploadTarget,
  bucket: string,
  before: FileCheckpoint,
): Promise<void> {
  if (before.bucket === bucket && before.name === name) {
    await discardUpload(client, key, name, before.uploadId, signal).catch(() => {})
  }
}

/** A checkpoint comes from a disk: what does not look like one of ours is none. */
function readCheckpoint(checkpoint: TransferCheckpoint | undefined): FileCheckpoint | undefined {
  const { store, bucket, name, uploadId, bytes, modifiedAtMs, partSize, parts } = (checkpoint ??
    {}) as Partial<FileCheckpoint>
  const isOurs =
    store === 'oss' &&
    typeof bucket === 'string' &&
    typeof name === 'string' &&
    typeof uploadId === 'string' &&
    typeof bytes === 'number' &&
    typeof modifiedAtMs === 'number' &&
    Number.isSafeInteger(partSize) &&
    (partSize as number) > 0 &&
    Array.isArray(parts) &&
    parts.every(
      (part) =>
        Number.isSafeInteger(part?.number) &&
        part.number > 0 &&
        typeof part.etag === 'string' &&
        /^\d{1,20}$/.test(part.crc64),
    )
  return isOurs ? (checkpoint as unknown as FileCheckpoint) : undefined
}

function isBodyFailed(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_BODY_FAILED'
}

export function unreadable(path: string, key: string, cause: unknown): never {
  throw new StoreError('STORE_BODY_FAILED', `${path} cannot be read`, { cause, key })
}

function changed(path: string, key: string): never {
  throw new StoreError('STORE_BODY_FAILED', `${path} changed while it was put`, { key })
}
