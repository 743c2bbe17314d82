import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { StoreError } from '../errors.js'
import type { Payload, PayloadDigest } from './payload.js'
import { S3RequestError } from './request-error.js'

/** What a service says of the bytes that it took. */
export interface StoredAnswer {
  readonly ETag?: string | undefined
  readonly ChecksumCRC32?: string | undefined
  readonly ChecksumSHA256?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}

/** A part that was taken. */
export interface StoredPart {
  readonly number: number
  /** With the quotes that the service puts around it. */
  readonly etag: string
  /** In base64, when one was sent along. */
  readonly checksum?: string
}

/**
 * Compares what the service says of a body with our own: its checksum, or the ETag where that is an MD5 (objects that
 * are not encrypted, or encrypted by AWS with keys of S3).
 * @throws StoreError `STORE_CORRUPTED`; `STORE_BAD_SETTINGS` when there is no ETag, as no S3 would answer
 */
export function checkAnswer(answer: StoredAnswer, payload: Payload, onAws: boolean, key: string): string {
  const { ETag: etag, ChecksumCRC32: crc, ChecksumSHA256: sha } = answer
  if (etag === undefined || etag === '') {
    const cause = new S3RequestError('the answer has no ETag', {
      service: 's3',
      operation: 'PutObject',
      code: 'NoETag',
    })
    throw new StoreError('STORE_BAD_SETTINGS', 'the endpoint answers, but not as S3 does (no ETag)', { cause, key })
  }
  if (crc !== undefined && isWhole(crc)) compare('CRC32', crc, payload.digest('CRC32'), key)
  else if (sha !== undefined && isWhole(sha)) compare('SHA-256', sha, payload.digest('SHA256'), key)
  else if (isMd5(answer, onAws)) {
    compare('MD5', unquoted(etag).toLowerCase(), Buffer.from(payload.digest('MD5'), 'base64').toString('hex'), key)
  }
  return etag
}

/**
 * Compares what the service says of an object made of parts with what follows from the parts, each of which was
 * compared with its bytes before.
 * @throws StoreError `STORE_CORRUPTED`
 */
export function checkAssembly(
  answer: StoredAnswer,
  parts: readonly StoredPart[],
  digest: PayloadDigest,
  key: string,
): void {
  const given = digest === 'CRC32' ? answer.ChecksumCRC32 : digest === 'SHA256' ? answer.ChecksumSHA256 : undefined
  if (given?.endsWith(`-${parts.length}`) === true && parts.every(({ checksum }) => checksum !== undefined)) {
    const all = Buffer.concat(parts.map(({ checksum }) => Buffer.from(checksum ?? '', 'base64')))
    compare(digest, given, `${digestOfAll(all, digest)}-${parts.length}`, key)
    return
  }
  const etags = parts.map(({ etag }) => unquoted(etag))
  const etag = unquoted(answer.ETag ?? '').toLowerCase()
  if (!/^[0-9a-f]{32}-\d+$/.test(etag) || !etags.every((part) => /^[0-9a-f]{32}$/i.test(part))) return
  const md5 = createHash('md5')
    .update(Buffer.from(etags.join(''), 'hex'))
    .digest('hex')
  // Only where the service forms it so; others have tags of the same shape with another meaning.
  if (answer.ServerSideEncryption === undefined) compare('ETag', etag, `${md5}-${parts.length}`, key)
}

/** A tag without its quotes. */
export function unquoted(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1')
}

function digestOfAll(bytes: Buffer, digest: PayloadDigest): string {
  if (digest !== 'CRC32') return createHash('sha256').update(bytes).digest('base64')
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}

/** Checksums of checksums end with the number of parts. */
function isWhole(checksum: string): boolean {
  return !/-\d+$/.test(checksum)
}

function isMd5(answer: StoredAnswer, onAws: boolean): boolean {
  if (!/^[0-9a-f]{32}$/i.test(unquoted(answer.ETag ?? '')) || answer.SSECustomerAlgorithm !== undefined) return false
  return answer.ServerSideEncryption === undefined || (answer.ServerSideEncryption === 'AES256' && onAws)
}

function compare(what: string, stored: string, sent: string, key: string): void {
  if (stored === sent) return
  throw new StoreError(
    'STORE_CORRUPTED',
    `the store has other bytes than were sent: ${what} ${stored} and not ${sent}`,
    {
      key,
    },
  )
}
