import type { S3Client } from '@aws-sdk/client-s3'
import type { Payload } from './payload.js'

/**
 * What stands in a command for its payload. The SDK would join pieces, or take a stream that it cannot send twice and
 * sends in a framing that some stores refuse (aws-chunked).
 */
export class PayloadBody extends Uint8Array {
  readonly #payload: Payload
  readonly #onProgress: ((bytes: number) => void) | undefined

  constructor(payload: Payload, onProgress?: (bytes: number) => void) {
    super(0)
    this.#payload = payload
    this.#onProgress = onProgress
  }

  /** What is sent, for one attempt. */
  content(): ReturnType<Payload['body']> {
    return this.#payload.body(this.#onProgress)
  }

  get payload(): Payload {
    return this.#payload
  }
}

/** The part of the SDK's request that is looked at. */
interface HttpRequestLike {
  readonly protocol: string
  headers: Record<string, string>
  body?: unknown
}

/**
 * Lets a client send `PayloadBody`: the hash that is signed is set before the request is signed, and the body itself
 * after that, anew for each attempt.
 */
export function sendPayloads(client: S3Client, signBodies: 'without-tls' | 'never'): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as HttpRequestLike
      if (request.body instanceof PayloadBody) {
        const { payload } = request.body
        request.headers['content-length'] = String(payload.bytes)
        // TLS and the checksum guard the body already: hashing it once more would cost more than all else together.
        request.headers['x-amz-content-sha256'] =
          request.protocol === 'https:' || signBodies === 'never'
            ? 'UNSIGNED-PAYLOAD'
            : Buffer.from(payload.digest('SHA256'), 'base64').toString('hex')
      }
      return next(args)
    },
    { step: 'build', name: 'rushesPayloadHash', override: true },
  )
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as HttpRequestLike
      if (!(request.body instanceof PayloadBody)) return next(args)
      return next({ ...args, request: { ...request, body: request.body.content() } })
    },
    // Low: behind retries and signing.
    { step: 'finalizeRequest', priority: 'low', name: 'rushesPayloadBody', override: true },
  )
}
