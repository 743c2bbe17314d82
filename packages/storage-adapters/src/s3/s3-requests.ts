import { addAbortSignal, Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { StoreError } from '../errors.js'
import type { PutOptions } from '../store.js'
import { checkAnswer, checkAssembly, type StoredPart, unquoted } from './integrity.js'
import { objectHeaders } from './object-headers.js'
import type { Payload, PayloadDigest } from './payload.js'
import { PayloadBody } from './payload-middleware.js'
import { S3RequestError } from './request-error.js'
import type { S3Access } from './s3-client.js'
import { fromS3Error } from './s3-errors.js'
import type { S3Settings } from './s3-settings.js'

/** How long a caller who has given up waits for an upload that was just beginning, to see it ended. */
const ABORT_GRACE_MS = 2000

/** An upload in parts that is under way: where, and how its bytes are made sure of. */
export interface UploadTarget {
  /** The whole key, base path included. */
  readonly objectKey: string
  readonly uploadId: string
  readonly digest: PayloadDigest
}

/** The requests that a store makes. Keys are whole here; every error is a `StoreError`. */
export class S3Requests {
  readonly #settings: S3Settings
  readonly #access: S3Access
  readonly #onAws: boolean

  constructor(settings: S3Settings, access: S3Access) {
    this.#settings = settings
    this.#access = access
    this.#onAws = settings.endpoint === undefined
  }

  async putObject(objectKey: string, payload: Payload, options: PutOptions): Promise<{ readonly etag: string }> {
    const answer = await this.#call('PutObject', objectKey, options.signal, (client, http) =>
      client.send(
        new PutObjectCommand({
          Bucket: this.#settings.bucket,
          Key: objectKey,
          Body: new PayloadBody(payload, options.onProgress),
          ContentLength: payload.bytes,
          ...objectHeaders(this.#settings, options),
          ...digestHeaders(payload, this.#settings.digest),
        }),
        http,
      ),
    )
    return { etag: unquoted(checkAnswer(answer, payload, this.#onAws, this.keyOf(objectKey))) }
  }

  /** Begins an upload. One that begins although the signal has fired is ended at once. */
  async createUpload(objectKey: string, options: PutOptions): Promise<UploadTarget> {
    // Without the signal: what the service has begun while nobody listens, nobody could end.
    const creating = this.#createUpload(objectKey, options)
    try {
      const target = await unlessAborted(creating, options.signal)
      options.onProgress?.(0)
      return target
    } catch (error) {
      if (options.signal?.aborted === true) {
        const ended = creating.then((target) => this.abortUpload(target)).catch(() => {})
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ABORT_GRACE_MS).unref())])
      }
      throw error
    }
  }

  async #createUpload(objectKey: string, options: PutOptions): Promise<UploadTarget> {
    const { digest, bucket } = this.#settings
    const { UploadId: uploadId } = await this.#call('CreateMultipartUpload', objectKey, undefined, (client, http) =>
      client.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket,
          Key: objectKey,
          ...objectHeaders(this.#settings, options),
          ...(digest === 'MD5' ? {} : { ChecksumAlgorithm: digest }),
        }),
        http,
      ),
    )
    if (uploadId === undefined) {
      const message = 'the endpoint answers, but not as S3 does (no UploadId)'
      throw new StoreError('STORE_BAD_SETTINGS', message, { key: this.keyOf(objectKey) })
    }
    return { objectKey, uploadId, digest }
  }

  async uploadPart(
    target: UploadTarget,
    number: number,
    payload: Payload,
    { signal, onProgress }: Pick<PutOptions, 'signal' | 'onProgress'> = {},
  ): Promise<StoredPart> {
    const { objectKey, uploadId, digest } = target
    const answer = await this.#call('UploadPart', objectKey, signal, (client, http) =>
      client.send(
        new UploadPartCommand({
          Bucket: this.#settings.bucket,
          Key: objectKey,
          UploadId: uploadId,
          PartNumber: number,
          Body: new PayloadBody(payload, onProgress),
          ContentLength: payload.bytes,
          ...digestHeaders(payload, digest),
        }),
        http,
      ),
    )
    onProgress?.(0)
    const etag = checkAnswer(answer, payload, this.#onAws, this.keyOf(objectKey))
    return { number, etag, ...(digest === 'MD5' ? {} : { checksum: payload.digest(digest) }) }
  }

  /** Makes the object of its parts, given in their order. */
  async completeUpload(
    target: UploadTarget,
    parts: readonly StoredPart[],
    signal?: AbortSignal,
  ): Promise<{ readonly etag: string }> {
    const { objectKey, uploadId, digest } = target
    const answer = await this.#call('CompleteMultipartUpload', objectKey, signal, (client, http) =>
      client.send(
        new CompleteMultipartUploadCommand({
          Bucket: this.#settings.bucket,
          Key: objectKey,
          UploadId: uploadId,
          MultipartUpload: {
            Parts: parts.map(({ number, etag, checksum }) => ({
              PartNumber: number,
              ETag: etag,
              ...(checksum === undefined ? {} : { [`Checksum${digest}`]: checksum }),
            })),
          },
        }),
        http,
      ),
    )
    checkAssembly(answer, parts, digest, this.keyOf(objectKey))
    return { etag: unquoted(answer.ETag ?? '') }
  }

  /** Removes the parts of an upload. One that is gone is no error. */
  async abortUpload({ objectKey, uploadId }: Pick<UploadTarget, 'objectKey' | 'uploadId'>): Promise<void> {
    try {
      await this.#call('AbortMultipartUpload', objectKey, undefined, (client, http) =>
        client.send(
          new AbortMultipartUploadCommand({ Bucket: this.#settings.bucket, Key: objectKey, UploadId: uploadId }),
          http,
        ),
      )
    } catch (error) {
      if (!isNoSuchUpload(error)) throw error
    }
  }

  async getObject(objectKey: string, signal?: AbortSignal): Promise<Readable> {
    const { Body: body } = await this.#call('GetObject', objectKey, signal, (client, http) =>
      client.send(new GetObjectCommand({ Bucket: this.#settings.bucket, Key: objectKey }), http),
    )
    if (!(body instanceof Readable))
      throw new StoreError('STORE_UNAVAILABLE', 'the answer has no body', { key: this.keyOf(objectKey) })
    const stream = Readable.from(this.#readAll(body, objectKey, signal), { objectMode: false })
    return signal === undefined ? stream : addAbortSignal(signal, stream)
  }

  /** One page of at most 1,000 entries. */
  async listPage(prefix: string, token: string | undefined, signal?: AbortSignal): Promise<ListObjectsV2CommandOutput> {
    return this.#call('ListObjectsV2', prefix, signal, (client, http) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: this.#settings.bucket,
          Prefix: prefix,
          // XML cannot say every character that a key may have.
          EncodingType: 'url',
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        http,
      ),
    )
  }

  async deleteObject(objectKey: string, signal?: AbortSignal): Promise<void> {
    await this.#call('DeleteObject', objectKey, signal, (client, http) =>
      client.send(new DeleteObjectCommand({ Bucket: this.#settings.bucket, Key: objectKey }), http),
    )
  }

  /** The region of the bucket, as `region` should have it. */
  async bucketRegion(signal?: AbortSignal): Promise<string> {
    const { LocationConstraint: region } = await this.#call('GetBucketLocation', undefined, signal, (client, http) =>
      client.send(new GetBucketLocationCommand({ Bucket: this.#settings.bucket }), http),
    )
    // The oldest region has no name here, and Ireland an old one.
    const name: string | undefined = region
    return name === undefined || name === '' ? 'us-east-1' : name === 'EU' ? 'eu-west-1' : name
  }

  async #call<Result>(
    operation: string,
    objectKey: string | undefined,
    signal: AbortSignal | undefined,
    run: (client: S3Client, http: { abortSignal?: AbortSignal }) => Promise<Result>,
  ): Promise<Result> {
    for (let renewed = false; ; renewed = true) {
      let session: string | undefined
      try {
        // Here and not by the SDK, which would wait for STS however long after the signal.
        session = await unlessAborted(this.#access.session(), signal)
        return await run(this.#access.client, signal === undefined ? {} : { abortSignal: signal })
      } catch (error) {
        const failure = this.#failure(error, operation, objectKey, signal)
        if (failure.code !== 'STORE_CREDENTIALS_EXPIRED' || renewed || session === undefined) throw failure
        // A session can end before its time: revoked, or counted by a wrong clock.
        this.#access.drop(session)
      }
    }
  }

  #failure(
    error: unknown,
    operation: string,
    objectKey: string | undefined,
    signal: AbortSignal | undefined,
  ): StoreError {
    return fromS3Error(error, {
      service: 's3',
      operation,
      subject: `bucket ${this.#settings.bucket}`,
      secrets: this.#access.secrets,
      signal,
      ...(objectKey === undefined ? {} : { key: this.keyOf(objectKey) }),
    })
  }

  /** The key as the caller knows it. */
  keyOf(objectKey: string): string {
    const { basePath } = this.#settings
    return basePath === '' ? objectKey : objectKey.slice(basePath.length + 1)
  }

  async *#readAll(body: Readable, key: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    try {
      yield* body
    } catch (error) {
      throw this.#failure(error, 'GetObject', key, signal)
    }
  }
}

/** The upload is not known, or no more: ended by somebody else, by a rule of the bucket, or complete. */
export function isNoSuchUpload(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof S3RequestError && error.cause.code === 'NoSuchUpload'
}

/** Waits for `promise`, but not after the signal has fired. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise
  let stop: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: signal.reason }))
  })
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function digestHeaders(payload: Payload, digest: PayloadDigest): { readonly [header: string]: string } {
  return { [digest === 'MD5' ? 'ContentMD5' : `Checksum${digest}`]: payload.digest(digest) }
}
