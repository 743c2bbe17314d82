import type { TransferCheckpoint } from '../store.js'
import type { StoredPart } from './integrity.js'
import { MAX_PARTS } from './part-size.js'
import type { PayloadDigest } from './payload.js'

/** Where the transfer of a file stands. What is known here need not be asked of the service (`s3:ListMultipartUploadParts`). */
export interface UploadCheckpoint extends TransferCheckpoint {
  readonly version: 1
  readonly bucket: string
  readonly objectKey: string
  readonly uploadId: string
  readonly digest: PayloadDigest
  readonly partSize: number
  /** Of the file, to notice that it is another one. */
  readonly size: number
  readonly mtimeMs: number
  readonly parts: readonly StoredPart[]
}

/** What was kept, when it can be understood: it comes from a disk. */
export function parseCheckpoint(value: TransferCheckpoint): UploadCheckpoint | undefined {
  const { version, bucket, objectKey, uploadId, digest, partSize, size, mtimeMs, parts } = value
  if (version !== 1 || !isText(bucket) || !isText(objectKey) || !isText(uploadId)) return undefined
  if (digest !== 'MD5' && digest !== 'CRC32' && digest !== 'SHA256') return undefined
  if (!isCount(partSize) || partSize === 0 || !isCount(size) || typeof mtimeMs !== 'number') return undefined
  const count = Math.ceil(size / partSize)
  if (count > MAX_PARTS || !Array.isArray(parts) || !parts.every((part) => isPart(part, count))) return undefined
  if (new Set(parts.map(({ number }) => number)).size !== parts.length) return undefined
  return { version, bucket, objectKey, uploadId, digest, partSize, size, mtimeMs, parts }
}

function isPart(value: unknown, count: number): value is StoredPart {
  if (typeof value !== 'object' || value === null) return false
  const { number, etag, checksum } = value as Record<string, unknown>
  return (
    isCount(number) && number >= 1 && number <= count && isText(etag) && (checksum === undefined || isText(checksum))
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
