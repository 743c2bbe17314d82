import { createHash } from 'node:crypto'
import { StoreError } from '../errors.js'
import type { PutOptions, StoreBody } from '../store.js'
import { bodyPieces, readBody, throwIfAborted } from '../store-body.js'
import { PartQueue } from './part-queue.js'
import { MAX_PARTS, partSizeAt, partSizeFor } from './part-size.js'
import { Payload } from './payload.js'
import type { S3Requests, UploadTarget } from './s3-requests.js'
import type { S3Settings } from './s3-settings.js'

/** What came of an upload. */
export interface Uploaded {
  readonly bytes: number
  readonly etag: string
  readonly sha256?: string
}

/**
 * Puts a body: in one request when it is small, otherwise in parts that are sent while the next are read. What has
 * begun and fails is aborted, so that nothing of it stays.
 */
export async function uploadBody(
  requests: S3Requests,
  settings: S3Settings,
  objectKey: string,
  body: StoreBody,
  options: PutOptions,
): Promise<Uploaded> {
  const upload = new BodyUpload(requests, settings, objectKey, options, knownSize(body))
  try {
    await readBody(body, upload.signal, (chunk) => upload.take(chunk))
    return await upload.end()
  } catch (error) {
    throw await upload.fail(error)
  }
}

class BodyUpload {
  readonly #requests: S3Requests
  readonly #settings: S3Settings
  readonly #objectKey: string
  readonly #options: PutOptions
  readonly #size: number | undefined
  readonly #queue: PartQueue
  readonly #hash: ReturnType<typeof createHash> | undefined
  #target: UploadTarget | undefined
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #number = 1
  #bytes = 0

  constructor(
    requests: S3Requests,
    settings: S3Settings,
    objectKey: string,
    options: PutOptions,
    size: number | undefined,
  ) {
    this.#requests = requests
    this.#settings = settings
    this.#objectKey = objectKey
    this.#options = options
    this.#size = size
    this.#queue = new PartQueue(settings.concurrency, options.signal)
    this.#hash = options.sha256 === true ? createHash('sha256') : undefined
  }

  get signal(): AbortSignal {
    return this.#queue.signal
  }

  async take(chunk: Uint8Array): Promise<void> {
    this.#hash?.update(chunk)
    this.#bytes += chunk.byteLength
    let rest = chunk
    // A part goes when there is more than fits into it: a body that ends just there is one request.
    while (this.#pieceBytes + rest.byteLength > this.#limit) {
      const fits = this.#limit - this.#pieceBytes
      this.#keep(rest.subarray(0, fits))
      rest = rest.subarray(fits)
      await this.#sendPart()
    }
    this.#keep(rest)
  }

  async end(): Promise<Uploaded> {
    const etag = this.#target === undefined ? await this.#putWhole() : await this.#complete(this.#target)
    return {
      bytes: this.#bytes,
      etag,
      ...(this.#hash === undefined ? {} : { sha256: this.#hash.digest('hex') }),
    }
  }

  /** Tidies up, and gives the error that the caller shall see. */
  async fail(error: unknown): Promise<unknown> {
    // Before those that are stopped now fail as well.
    const first = this.#queue.failure
    await this.#queue.cancel()
    // The rights may not reach so far: then a rule of the bucket has to remove what is left.
    if (this.#target !== undefined) await this.#requests.abortUpload(this.#target).catch(() => {})
    if (this.#options.signal?.aborted === true) {
      return this.#abortError(error)
    }
    return first === undefined ? error : first.error
  }

  // The reader of the body saw our signal, and not that of the caller.
  #abortError(error: unknown): unknown {
    try {
      throwIfAborted(this.#options.signal)
      return error
    } catch (aborted) {
      return aborted
    }
  }

  get #limit(): number {
    const { partSize, multipartThreshold } = this.#settings
    if (this.#size === undefined) return partSizeAt(this.#number, partSize)
    return this.#size <= multipartThreshold ? this.#size : partSizeFor(this.#size, partSize)
  }

  #keep(piece: Uint8Array): void {
    if (piece.byteLength === 0) return
    this.#pieces.push(piece)
    this.#pieceBytes += piece.byteLength
  }

  #takePayload(): Payload {
    const payload = new Payload(this.#pieces)
    this.#pieces = []
    this.#pieceBytes = 0
    return payload
  }

  async #sendPart(): Promise<void> {
    if (this.#number > MAX_PARTS) {
      const message = `the object is larger than ${MAX_PARTS} parts can hold`
      throw new StoreError('STORE_TOO_LARGE', message, { key: this.#requests.keyOf(this.#objectKey) })
    }
    const options = { ...this.#options, signal: this.signal }
    this.#target ??= await this.#requests.createUpload(this.#objectKey, options)
    const target = this.#target
    await this.#queue.add(this.#number, this.#takePayload(), (number, payload, signal) =>
      this.#requests.uploadPart(target, number, payload, { ...this.#options, signal }),
    )
    this.#number += 1
  }

  async #complete(target: UploadTarget): Promise<string> {
    await this.#sendPart()
    const { etag } = await this.#requests.completeUpload(target, await this.#queue.finish(), this.signal)
    return etag
  }

  async #putWhole(): Promise<string> {
    const options = { ...this.#options, signal: this.signal }
    const { etag } = await this.#requests.putObject(this.#objectKey, this.#takePayload(), options)
    await this.#queue.settle()
    return etag
  }
}

function knownSize(body: StoreBody): number | undefined {
  const pieces = bodyPieces(body)
  // Something else than bytes among them is found when it is read.
  return pieces?.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.byteLength : 0), 0)
}
