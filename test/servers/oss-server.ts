import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { crc64Decimal } from './oss-crc64.js'
import { expectedSignature, type OssRequestFacts, readCredentials } from './oss-signature.js'

/** What the server knows of an access key. */
export interface OssServerKey {
  readonly secret: string
  readonly token?: string
  readonly expiresAtMs?: number
  /** The rights, as policies name them: `oss:PutObject` covers parts too. @defaultValue all */
  readonly may?: (right: string, key: string) => boolean
}

/** How the server behaves; what a test changes while it runs is taken at the next request. */
export interface OssServerOptions {
  readonly keys: Record<string, OssServerKey>
  /** Buckets by name, each with its region. */
  readonly buckets: Record<string, string>
  readonly region?: string
  /** The bucket that the server's host is bound to, as a domain of one's own is. */
  readonly cnameBucket?: string
  readonly tls?: { readonly key: string; readonly cert: string }
  now?: () => number
  /** Called before a request is answered, once its body is there. A code makes an error of it, `'reset'` cuts it off. */
  interfere?: (request: { readonly action: string; readonly key: string }) => OssInterference | undefined
}

export type OssInterference =
  | 'reset'
  /** What was asked is done, and the connection cut before the answer. */
  | 'reset-after'
  | { readonly status: number; readonly code: string; readonly message?: string }
  /** The object is stored, and this said of its CRC. */
  | { readonly crc64: string }

export interface OssServerObject {
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly modifiedAtMs: number
  readonly etag: string
  /** Reckoned when it is first asked for. */
  crc64?: string
}

interface Upload {
  readonly id: string
  readonly object: string
  readonly headers: Readonly<Record<string, string>>
  readonly parts: Map<number, Buffer>
}

export interface OssServer {
  readonly port: number
  readonly options: OssServerOptions
  /** By `bucket/key`. */
  readonly objects: Map<string, OssServerObject>
  /** By upload id: what was begun and neither completed nor aborted. */
  readonly uploads: ReadonlyMap<string, Upload>
  /** `action key` of every request that got as far as being allowed. */
  readonly log: string[]
  close(): Promise<void>
}

interface Request extends OssRequestFacts {
  readonly action: string
  readonly parameters: ReadonlyMap<string, string>
  readonly body: Buffer
}

const REGION = 'cn-hangzhou'
const MIN_PART_BYTES = 102_400
const MAX_SKEW_MS = 900_000

/**
 * The part of OSS that uploads and reads need, in this process, on loopback: signatures V1 and V4, sessions with tokens,
 * regions, rights, multipart uploads with their limits, CRC-64, MD5, and errors as OSS words them.
 */
export async function startOssServer(options: OssServerOptions): Promise<OssServer> {
  const bucketServer = new BucketServer(options)
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => {})
    bucketServer.answer(request, response).catch(() => request.socket.destroy())
  }
  const server: Server = options.tls === undefined ? createServer(listener) : createSecureServer(options.tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    options,
    objects: bucketServer.objects,
    uploads: bucketServer.uploads,
    log: bucketServer.log,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** What OSS answers instead of doing it. */
class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly details: string
  constructor(status: number, code: string, message: string, details = '') {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

class BucketServer {
  readonly objects = new Map<string, OssServerObject>()
  readonly uploads = new Map<string, Upload>()
  readonly log: string[] = []
  readonly #options: OssServerOptions

  constructor(options: OssServerOptions) {
    this.#options = options
  }

  async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(12).toString('hex').toUpperCase()
    response.setHeader('x-oss-request-id', requestId)
    response.setHeader('server', 'AliyunOSS')
    response.setHeader('date', new Date(this.#now()).toUTCString())
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    try {
      const request = this.#read(incoming, Buffer.concat(chunks))
      this.#checkSignature(request)
      this.#checkRights(request)
      const interference = this.#options.interfere?.(request)
      if (interference === 'reset') {
        incoming.socket.resetAndDestroy()
        return
      }
      if (typeof interference === 'object' && 'status' in interference) {
        throw new Refusal(interference.status, interference.code, interference.message ?? interference.code)
      }
      this.#do(request, response, typeof interference === 'object' ? interference.crc64 : undefined)
      if (interference === 'reset-after') incoming.socket.resetAndDestroy()
      else response.end()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const xml = errorXml(error, requestId, incoming.headers.host ?? '')
      response.writeHead(error.status, {
        'content-type': 'application/xml',
        'x-oss-err': Buffer.from(xml).toString('base64'),
      })
      response.end(incoming.method === 'HEAD' ? undefined : xml)
    }
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }

  #read(incoming: IncomingMessage, body: Buffer): Request {
    const { method = '', headers, url = '/' } = incoming
    const parsed = new URL(url, 'http://host')
    // The bucket stands in the host, in the path, or behind a domain of one's own.
    const host = /^(.+)\.localhost(:|$)/.exec(headers.host ?? '')?.[1]
    const path = decodeURIComponent(parsed.pathname).slice(1)
    const [first = '', ...rest] = path.split('/')
    const bucket = this.#options.cnameBucket ?? host ?? first
    const key =
      bucket === first && this.#options.cnameBucket === undefined && host === undefined ? rest.join('/') : path
    const parameters = new Map(parsed.searchParams)
    const facts = { method, bucket, key, query: [...parsed.searchParams], headers: headers as Record<string, string> }
    return { ...facts, parameters, body, action: actionOf(method, key, parameters) }
  }

  #checkSignature(request: Request): void {
    const facts = readCredentials(request)
    if (facts === undefined) {
      throw new Refusal(403, 'AccessDenied', 'You have no right to access this object because of bucket acl.')
    }
    const key = this.#options.keys[facts.accessKeyId]
    if (key === undefined || (key.token !== undefined && facts.token === undefined)) {
      throw new Refusal(403, 'InvalidAccessKeyId', 'The OSS Access Key Id you provided does not exist in our records.')
    }
    const region = this.#options.region ?? REGION
    if (facts.version === 'v4' && (facts.region !== region || facts.product !== 'oss/aliyun_v4_request')) {
      throw new Refusal(400, 'InvalidArgument', `Invalid signing region in Authorization header.`)
    }
    const now = this.#now()
    if (
      facts.expiresAtMs === undefined ? !(Math.abs(now - facts.dateMs) <= MAX_SKEW_MS) : !(now <= facts.expiresAtMs)
    ) {
      if (facts.presigned) throw new Refusal(403, 'AccessDenied', 'Request has expired.')
      const message = 'The difference between the request time and the current time is too large.'
      throw new Refusal(403, 'RequestTimeTooSkewed', message)
    }
    if (facts.version === 'v4' && facts.presigned && (facts.expiresAtMs ?? 0) - facts.dateMs > 604_800_000) {
      throw new Refusal(400, 'AuthorizationQueryParametersError', 'x-oss-expires must be less than 604800 seconds.')
    }
    if (expectedSignature(request, facts, key.secret) !== facts.signature) {
      const message =
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
      throw new Refusal(403, 'SignatureDoesNotMatch', message, `<OSSAccessKeyId>${facts.accessKeyId}</OSSAccessKeyId>`)
    }
    if (key.token !== facts.token) {
      // A real one says no more than this either.
      throw new Refusal(403, 'InvalidSecurityToken', 'The security token you provided is invalid.')
    }
    if (key.expiresAtMs !== undefined && now >= key.expiresAtMs) {
      throw new Refusal(403, 'SecurityTokenExpired', 'The security token you provided has expired.')
    }
  }

  #checkRights({ action, bucket, key, ...request }: Request): void {
    const region = this.#options.buckets[bucket]
    if (region === undefined) throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist.')
    if (region !== (this.#options.region ?? REGION)) {
      const message =
        'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.'
      throw new Refusal(403, 'AccessDenied', message, `<Endpoint>oss-${region}.aliyuncs.com</Endpoint>`)
    }
    const { accessKeyId = '' } = readCredentials({ bucket, key, ...request }) ?? {}
    if (this.#options.keys[accessKeyId]?.may?.(rightOf(action), key) === false) {
      throw new Refusal(403, 'AccessDenied', 'You have no right to access this object.')
    }
    this.log.push(`${action} ${key}`)
  }

  #do(request: Request, response: ServerResponse, crc64: string | undefined): void {
    const { action, bucket, key, parameters, body, headers } = request
    const md5 = headers['content-md5']
    if (md5 !== undefined && createHash('md5').update(body).digest('base64') !== md5) {
      throw new Refusal(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.')
    }
    const object = `${bucket}/${key}`
    const sayCrc64 = (bytes: Buffer): void => {
      const stored = this.objects.get(object)
      const isStored = stored?.bytes === bytes
      const real = (isStored ? stored.crc64 : undefined) ?? crc64Decimal(bytes)
      if (isStored) stored.crc64 = real
      response.setHeader('x-oss-hash-crc64ecma', crc64 ?? real)
    }
    switch (action) {
      case 'oss:PutObject': {
        const stored = this.#store(object, body, headers as Record<string, string>, md5Hex(body))
        response.setHeader('etag', `"${stored.etag}"`)
        sayCrc64(body)
        return
      }
      case 'oss:InitiateMultipartUpload': {
        const id = randomBytes(16).toString('hex').toUpperCase()
        this.uploads.set(id, { id, object, headers: headers as Record<string, string>, parts: new Map() })
        xml(
          response,
          `<InitiateMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        )
        return
      }
      case 'oss:UploadPart': {
        this.#upload(request).parts.set(Number(parameters.get('partNumber')), body)
        response.setHeader('etag', `"${md5Hex(body)}"`)
        sayCrc64(body)
        return
      }
      case 'oss:CompleteMultipartUpload': {
        const upload = this.#upload(request)
        const parts = completedParts(upload, body.toString())
        const bytes = Buffer.concat(parts)
        const etag = `${md5Hex(bytes)}-${parts.length}`
        this.#store(object, bytes, upload.headers, etag)
        this.uploads.delete(upload.id)
        response.setHeader('etag', `"${etag}"`)
        sayCrc64(bytes)
        xml(
          response,
          `<CompleteMultipartUploadResult><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>"${etag}"</ETag></CompleteMultipartUploadResult>`,
        )
        return
      }
      case 'oss:AbortMultipartUpload':
        this.uploads.delete(this.#upload(request).id)
        response.statusCode = 204
        return
      case 'oss:DeleteObject':
        this.objects.delete(object)
        response.statusCode = 204
        return
      case 'oss:ListObjects':
        xml(response, this.#list(bucket, parameters))
        return
      case 'oss:GetBucketLocation':
        xml(response, `<LocationConstraint>oss-${this.#options.buckets[bucket]}</LocationConstraint>`)
        return
      case 'oss:GetObject':
        this.#get(request, response, sayCrc64)
        return
      default:
        throw new Refusal(405, 'MethodNotAllowed', `The specified method is not allowed against this resource.`)
    }
  }

  #get({ bucket, key, headers, method }: Request, response: ServerResponse, sayCrc64: (bytes: Buffer) => void): void {
    const object = this.objects.get(`${bucket}/${key}`)
    if (object === undefined) {
      throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.', `<Key>${escapeXml(key)}</Key>`)
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers['range'] ?? '')
    const end = range?.[2] ? Number(range[2]) + 1 : object.bytes.length
    const bytes = range === null ? object.bytes : object.bytes.subarray(Number(range[1]), end)
    response.statusCode = range === null ? 200 : 206
    // Of the whole object, also where a range of it is given.
    sayCrc64(object.bytes)
    response.setHeader('etag', `"${object.etag}"`)
    response.setHeader('content-length', bytes.length)
    response.setHeader('content-type', object.headers['content-type'] ?? 'application/octet-stream')
    if (method !== 'HEAD') response.write(bytes)
  }

  #list(bucket: string, parameters: ReadonlyMap<string, string>): string {
    const prefix = `${bucket}/${parameters.get('prefix') ?? ''}`
    const after = parameters.get('continuation-token') ?? ''
    const most = Number(parameters.get('max-keys') ?? 100)
    const names = [...this.objects.keys()]
      .filter((name) => name.startsWith(prefix))
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .filter((name) => after === '' || Buffer.compare(Buffer.from(name), Buffer.from(after, 'base64')) > 0)
    const page = names.slice(0, most)
    const encode = parameters.get('encoding-type') === 'url' ? encodeURIComponent : escapeXml
    const entries = page.map((name) => {
      const { bytes, etag, modifiedAtMs } = this.objects.get(name) as OssServerObject
      return `<Contents><Key>${encode(name.slice(bucket.length + 1))}</Key><LastModified>${new Date(modifiedAtMs).toISOString()}</LastModified><ETag>"${etag}"</ETag><Type>Normal</Type><Size>${bytes.length}</Size><StorageClass>Standard</StorageClass></Contents>`
    })
    const isTruncated = names.length > page.length
    const next = isTruncated
      ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>`
      : ''
    return `<ListBucketResult><Name>${bucket}</Name><IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join('')}<KeyCount>${page.length}</KeyCount></ListBucketResult>`
  }

  #store(object: string, bytes: Buffer, headers: Readonly<Record<string, string>>, etag: string): OssServerObject {
    const stored = { bytes, headers, etag, modifiedAtMs: this.#now() }
    this.objects.set(object, stored)
    return stored
  }

  #upload({ bucket, key, parameters }: Request): Upload {
    const upload = this.uploads.get(parameters.get('uploadId') ?? '')
    if (upload?.object !== `${bucket}/${key}`) {
      throw new Refusal(404, 'NoSuchUpload', 'The specified upload does not exist.')
    }
    return upload
  }
}

function actionOf(method: string, key: string, parameters: ReadonlyMap<string, string>): string {
  const isOfUpload = parameters.has('uploadId')
  switch (method) {
    case 'PUT':
      return isOfUpload ? 'oss:UploadPart' : 'oss:PutObject'
    case 'POST':
      return isOfUpload ? 'oss:CompleteMultipartUpload' : 'oss:InitiateMultipartUpload'
    case 'DELETE':
      return isOfUpload ? 'oss:AbortMultipartUpload' : 'oss:DeleteObject'
    default:
      if (key !== '') return 'oss:GetObject'
      return parameters.has('location') ? 'oss:GetBucketLocation' : 'oss:ListObjects'
  }
}

/** The right that a request needs: uploading parts is putting, throwing them away is not. */
function rightOf(action: string): string {
  const isPut = ['oss:InitiateMultipartUpload', 'oss:UploadPart', 'oss:CompleteMultipartUpload'].includes(action)
  return isPut ? 'oss:PutObject' : action
}

function completedParts(upload: Upload, text: string): Buffer[] {
  const wanted = [...text.matchAll(/<PartNumber>(\d+)<\/PartNumber>\s*<ETag>(?:"|&quot;)?([0-9A-Fa-f]+)/g)]
  let before = 0
  return wanted.map(([, number, etag], index) => {
    const part = upload.parts.get(Number(number))
    if (part === undefined || md5Hex(part) !== etag?.toUpperCase()) {
      throw new Refusal(400, 'InvalidPart', 'One or more of the specified parts could not be found.')
    }
    if (Number(number) <= before || Number(number) > 10_000) {
      throw new Refusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
    }
    before = Number(number)
    if (index < wanted.length - 1 && part.length < MIN_PART_BYTES) {
      throw new Refusal(400, 'EntityTooSmall', 'Your proposed upload smaller than the minimum allowed size.')
    }
    return part
  })
}

function errorXml({ code, message, details }: Refusal, requestId: string, host: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId><HostId>${host}</HostId>${details}</Error>`
}

function xml(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'application/xml')
  response.write(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function md5Hex(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex').toUpperCase()
}
