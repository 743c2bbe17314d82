import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import OSS from 'ali-oss'
import { StoreError } from '../errors.js'
import { throwIfAborted } from '../store-body.js'
import { CredentialSource, type OssKeys } from './oss-credentials.js'
import { foreignError, isForeign, ossStoreError } from './oss-error.js'
import type { OssSettings } from './oss-options.js'
import { type OssExchange, type OssRequest, OssTransport } from './oss-transport.js'

/** What ali-oss takes with a call; its types know less of it than it does. */
interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly mime?: string
  readonly contentLength?: number
}

/** The headers of an answer. */
export interface Answer {
  readonly res: { readonly headers: Readonly<Record<string, string | undefined>> }
}

/** An object, as lists tell of it. */
export interface ListedObject {
  readonly name: string
  readonly size: number
  readonly lastModified: string
}

/** What is used of ali-oss. */
export interface OssApi {
  put(name: string, content: Buffer, options?: CallOptions): Promise<Answer>
  putStream(name: string, stream: Readable, options?: CallOptions): Promise<Answer>
  getStream(name: string, options?: CallOptions): Promise<Answer & { readonly stream: IncomingMessage }>
  listV2(
    query: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<{ readonly objects: readonly ListedObject[]; readonly nextContinuationToken: string | null }>
  delete(name: string, options?: CallOptions): Promise<Answer>
  initMultipartUpload(name: string, options?: CallOptions): Promise<{ readonly uploadId: string }>
  uploadPart(
    name: string,
    uploadId: string,
    number: number,
    body: Readable,
    start: number,
    end: number,
    options?: CallOptions,
  ): Promise<Answer & { readonly etag: string }>
  completeMultipartUpload(
    name: string,
    uploadId: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
    options?: CallOptions,
  ): Promise<Answer & { readonly etag: string | undefined }>
  getBucketLocation(bucket: string, options?: CallOptions): Promise<unknown>
  abortMultipartUpload(name: string, uploadId: string, options?: CallOptions): Promise<Answer>
  signatureUrlV4(method: 'GET', expires: number, request: undefined, name: string): Promise<string>
  asyncSignatureUrl(name: string, options: { readonly expires: number }, strictName: boolean): Promise<string>
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000
/** Kept sockets that may turn out to be closed, one after the other, before that counts as a failure. */
const MAX_STALE_SOCKETS = 10

/** ali-oss with keys that are renewed, requests that can be aborted and are repeated, and errors that have a class. */
export class OssClient {
  readonly #settings: OssSettings
  readonly #transport: OssTransport
  readonly #credentials: CredentialSource
  readonly #signing: CredentialSource

  constructor(settings: OssSettings) {
    this.#settings = settings
    const { timeoutMs, ca, now } = settings
    this.#transport = new OssTransport(ca === undefined ? { timeoutMs } : { timeoutMs, ca })
    this.#credentials = new CredentialSource(settings.credentials, { now, timeoutMs })
    this.#signing =
      settings.signing === undefined ? this.#credentials : new CredentialSource(settings.signing, { now, timeoutMs })
  }

  /**
   * Makes a request, and makes it again while that may help. `make` is called once for each attempt.
   * @throws StoreError
   */
  async call<Result>(
    key: string | undefined,
    signal: AbortSignal | undefined,
    make: (api: OssApi) => Promise<Result>,
  ): Promise<Result> {
    let renewed = false
    let stale = 0
    for (let attempt = 1; ; attempt += 1) {
      const exchange: OssExchange = { signal }
      let keys: OssKeys | undefined
      try {
        keys = await orAbort(this.#credentials.keys(), signal)
        const result = await make(this.#api(keys, exchange))
        if (isForeign(exchange))
          throw foreignError(exchange, this.#settings.endpoint.host, key === undefined ? {} : { key })
        return result
      } catch (error) {
        const failure = ossStoreError(error, exchange, {
          key,
          host: this.#settings.endpoint.host,
          secrets: keys === undefined ? [] : [keys.accessKeySecret, keys.stsToken ?? ''],
        })
        if (failure.code === 'STORE_CREDENTIALS_EXPIRED' && keys !== undefined) {
          // The service's clock is the one that counts. New keys are no second attempt.
          if (renewed || !this.#credentials.renewable) throw failure
          renewed = true
          this.#credentials.forget(keys)
          attempt -= 1
          continue
        }
        if (exchange.staleSocket === true && stale < MAX_STALE_SOCKETS) {
          stale += 1
          attempt -= 1
          continue
        }
        if (!failure.retryable || attempt >= this.#settings.maxAttempts) throw failure
        await pause(attempt, signal)
      }
    }
  }

  /** Whether these credentials have the right `oss:GetBucketLocation`: it tells a wrong place from wrong rights. */
  async mayAskLocation(signal: AbortSignal | undefined): Promise<boolean> {
    return this.call(undefined, signal, (api) => api.getBucketLocation(this.#settings.bucket)).then(
      () => true,
      () => false,
    )
  }

  /** A URL to read an object with, and when it ends. @throws StoreError `STORE_CANNOT_SIGN` */
  async signedUrl(key: string, name: string, expiresIn: number): Promise<{ url: string; expiresAtMs: number }> {
    const keys = await this.#signing.keys()
    const nowMs = this.#settings.now()
    const sessionEndsMs = keys.stsToken === undefined ? Number.POSITIVE_INFINITY : keys.expiresAtMs
    if (sessionEndsMs === undefined) {
      throw new StoreError(
        'STORE_CANNOT_SIGN',
        'nobody knows when the session of these credentials ends: set expiresAtMs',
        {
          key,
        },
      )
    }
    if (sessionEndsMs <= nowMs) {
      throw new StoreError('STORE_CANNOT_SIGN', 'the session of these credentials is over', { key })
    }
    const api = this.#api(keys, { signal: undefined })
    if (!this.#settings.v4) {
      const url = await api.asyncSignatureUrl(name, { expires: expiresIn }, false)
      return { url, expiresAtMs: Math.min(Number(new URL(url).searchParams.get('Expires')) * 1000, sessionEndsMs) }
    }
    const url = await api.signatureUrlV4('GET', expiresIn, undefined, name)
    const date = new URL(url).searchParams.get('x-oss-date') ?? ''
    const signedAtMs = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'))
    return { url, expiresAtMs: Math.min(signedAtMs + expiresIn * 1000, sessionEndsMs) }
  }

  close(): void {
    this.#transport.close()
  }

  /** One ali-oss for each request, which is how its HTTP client knows which request it is working for. */
  #api(keys: OssKeys, exchange: OssExchange): OssApi {
    const { bucket, region, endpoint, cname, pathStyle, v4 } = this.#settings
    const options = {
      accessKeyId: keys.accessKeyId,
      accessKeySecret: keys.accessKeySecret,
      // The interval is only there so that ali-oss does not warn: it is given nothing to renew with.
      ...(keys.stsToken === undefined ? {} : { stsToken: keys.stsToken, refreshSTSTokenInterval: 2 ** 31 }),
      bucket,
      region: `oss-${region}`,
      endpoint: endpoint.origin,
      secure: endpoint.protocol === 'https:',
      cname,
      sldEnable: pathStyle,
      authorizationV4: v4,
      // ali-oss signs by the clock of the system.
      amendTimeSkewed: this.#settings.now() - Date.now(),
      urllib: { request: (url: string, args: OssRequest) => this.#transport.request(url, args, exchange) },
    }
    return new OSS(options) as unknown as OssApi
  }
}

/** Whoever stops does not wait for keys that others may still want. */
async function orAbort<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  throwIfAborted(signal)
  if (signal === undefined) return promise
  let stop: () => void = () => {}
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: signal.reason }))
    signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
  // Many recorders that were cut off at the same time do not come back at the same time.
  const pauseMs = most / 2 + Math.random() * (most / 2)
  await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw new StoreError('STORE_ABORTED', 'the caller stopped the transfer', { cause: signal?.reason })
  })
}
