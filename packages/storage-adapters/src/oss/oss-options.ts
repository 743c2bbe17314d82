import { isIP } from 'node:net'
import { ConfigurationError } from '@rushes/media'
import { checkStoreKey } from '../store-key.js'
import { brokenKeyRule, type OssCredentials, type OssKeys } from './oss-credentials.js'

/** The least and the most that OSS takes as a part of a multipart upload; the last one may be smaller. */
const MIN_PART_BYTES = 102_400
export const MAX_PART_BYTES: number = 5 * 1024 ** 3
/** How many parts an upload may have. */
export const MAX_PARTS = 10_000
/** How long a URL that is signed by V4 can live, in seconds. */
export const MAX_V4_URL_SECONDS = 604_800

/** Encryption by OSS: with its own key, or with one of KMS (the account's default one unless `kmsKeyId` says which). */
export type OssEncryption = 'AES256' | 'SM4' | { readonly kmsKeyId?: string }

/** Where an OSS store keeps its objects, and how. */
export interface OssStoreOptions {
  readonly bucket: string
  /** Region of the bucket: `cn-hangzhou`, or with the prefix of its hosts, `oss-cn-hangzhou`. */
  readonly region: string
  /** Host, with or without scheme, instead of the region's: `oss-accelerate.aliyuncs.com`. @defaultValue by `region` and `internal` */
  readonly endpoint?: string
  /** Use the region's host inside Alibaba Cloud. @defaultValue false */
  readonly internal?: boolean
  /** `endpoint` is a domain of one's own that is bound to the bucket. @defaultValue false */
  readonly cname?: boolean
  /** Put the bucket into the path and not into the host: for servers that only look like OSS. @defaultValue false */
  readonly pathStyle?: boolean
  /** HTTPS; a scheme in `endpoint` must say the same. @defaultValue true */
  readonly secure?: boolean
  /** Certificates (PEM) to trust instead of the system's. @defaultValue those of Node */
  readonly ca?: string | readonly string[]
  readonly credentials: OssCredentials
  /** Stands before every key; nothing outside is ever touched. @defaultValue none */
  readonly basePath?: string
  /** V1 is for services that do not know V4 yet. @defaultValue 'v4' */
  readonly signatureVersion?: 'v1' | 'v4'
  /**
   * Bytes of a part of a multipart upload, 100 KiB to 5 GiB. What is larger than one part goes up in parts. Of streams
   * the parts grow by this much after each 1,000, of files as their size asks for. @defaultValue 8 MiB
   */
  readonly partSize?: number
  /** Parts of one upload that are under way at the same time; each is in memory. @defaultValue 3 */
  readonly concurrency?: number
  /** @defaultValue the bucket's */
  readonly storageClass?: 'Standard' | 'IA' | 'Archive' | 'ColdArchive' | 'DeepColdArchive'
  /** @defaultValue the bucket's */
  readonly serverSideEncryption?: OssEncryption
  /** Tags of every object, at most 10. Needs the right `oss:PutObjectTagging`. @defaultValue none */
  readonly tags?: Readonly<Record<string, string>>
  /** User metadata of every object (`x-oss-meta-…`): visible ASCII, at most 8 KiB. @defaultValue none */
  readonly metadata?: Readonly<Record<string, string>>
  /** Life of signed URLs, in seconds; V4 knows at most 604,800. @defaultValue 43,200 */
  readonly urlExpiresIn?: number
  /** Keys that sign URLs, when those that put may not read. @defaultValue `credentials`, where `get` is true */
  readonly signing?: { readonly credentials: OssCredentials }
  /** The credentials may read objects (`oss:GetObject`). @defaultValue false */
  readonly get?: boolean
  /** The credentials may list the bucket (`oss:ListObjects`). @defaultValue false */
  readonly list?: boolean
  /** The credentials may delete objects (`oss:DeleteObject`). @defaultValue false */
  readonly delete?: boolean
  /**
   * Bytes of files that are held while they are sent, of all `putFile` together: many large files take turns. One part
   * goes however large it is. @defaultValue 33,554,432
   */
  readonly fileBufferBytes?: number
  /**
   * Milliseconds without a byte in either direction after which a request has failed; with a body more, as much as it
   * needs at 1 kB/s, for what the system has taken is out of sight (half an hour at most). @defaultValue 30,000
   */
  readonly timeoutMs?: number
  /** How often a request is made before its failure is told; 1 under a spool, which has its own patience. @defaultValue 3 */
  readonly maxAttempts?: number
  /** Milliseconds since 1970-01-01T00:00Z. @defaultValue Date.now */
  readonly now?: () => number
}

/** The options with their defaults, and in the shape in which they are used. */
export interface OssSettings {
  readonly bucket: string
  /** Without the prefix `oss-`. */
  readonly region: string
  readonly endpoint: URL
  readonly endpointGiven: boolean
  readonly internal: boolean
  readonly cname: boolean
  readonly pathStyle: boolean
  readonly ca: string | readonly string[] | undefined
  readonly credentials: OssCredentials
  readonly signing: OssCredentials | undefined
  readonly basePath: string
  readonly v4: boolean
  readonly partSize: number
  readonly concurrency: number
  readonly fileBufferBytes: number
  /** What every new object gets. */
  readonly objectHeaders: Readonly<Record<string, string>>
  readonly urlExpiresIn: number
  readonly rights: { readonly get: boolean; readonly list: boolean; readonly delete: boolean }
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly now: () => number
}

/** @throws ConfigurationError naming the option; it never repeats a secret. */
export function ossSettings(options: OssStoreOptions): OssSettings {
  const { bucket, region, basePath = '' } = options
  if (typeof bucket !== 'string' || !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new ConfigurationError('bucket', 'must have 3 to 63 lower-case letters, digits and inner hyphens', bucket)
  }
  if (typeof region !== 'string' || !/^[a-z]{2,}(-[a-z0-9]+)+$/.test(region)) {
    throw new ConfigurationError('region', 'must be the id of a region, such as cn-hangzhou', region)
  }
  const standardRegion = region.replace(/^oss-/, '')
  checkCredentials('credentials', options.credentials)
  if (options.signing !== undefined) checkCredentials('signing.credentials', options.signing.credentials)
  const base = basePath.replace(/\/+$/, '')
  if (base !== '') checkBasePath(base)
  oneOf('signatureVersion', options.signatureVersion, ['v1', 'v4'])
  oneOf('storageClass', options.storageClass, ['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'])
  const v4 = options.signatureVersion !== 'v1'
  const cname = options.cname ?? false
  if (cname && options.endpoint === undefined) throw new ConfigurationError('endpoint', 'is needed with cname')
  if (cname && options.pathStyle === true) throw new ConfigurationError('pathStyle', 'has no sense with cname')
  return {
    bucket,
    region: standardRegion,
    endpoint: endpointOf(options, standardRegion),
    endpointGiven: options.endpoint !== undefined,
    internal: options.internal ?? false,
    cname,
    pathStyle: options.pathStyle ?? false,
    ca: options.ca,
    credentials: options.credentials,
    signing: options.signing?.credentials,
    basePath: base,
    v4,
    partSize: integer('partSize', options.partSize ?? 8 * 1024 * 1024, MIN_PART_BYTES, MAX_PART_BYTES),
    concurrency: integer('concurrency', options.concurrency ?? 3, 1, 100),
    fileBufferBytes: integer('fileBufferBytes', options.fileBufferBytes ?? 32 * 1024 ** 2, 1024 ** 2, 2 ** 40),
    objectHeaders: objectHeaders(options),
    urlExpiresIn: integer('urlExpiresIn', options.urlExpiresIn ?? 43_200, 1, v4 ? MAX_V4_URL_SECONDS : 10 ** 9),
    rights: { get: options.get ?? false, list: options.list ?? false, delete: options.delete ?? false },
    timeoutMs: integer('timeoutMs', options.timeoutMs ?? 30_000, 1, 2 ** 31 - 1),
    maxAttempts: integer('maxAttempts', options.maxAttempts ?? 3, 1, 100),
    now: options.now ?? Date.now,
  }
}

function checkCredentials(field: string, credentials: OssCredentials): void {
  if (typeof credentials !== 'object' || credentials === null) throw new ConfigurationError(field, 'is needed')
  if ('refresh' in credentials) {
    if (typeof credentials.refresh !== 'function')
      throw new ConfigurationError(`${field}.refresh`, 'must be a function')
    return
  }
  const broken = brokenKeyRule(credentials)
  if (broken !== undefined) throw new ConfigurationError(`${field}.${broken.field}`, broken.rule)
  const { expiresAtMs }: OssKeys = credentials
  if (expiresAtMs !== undefined && !(Number.isFinite(expiresAtMs) && expiresAtMs > 0)) {
    throw new ConfigurationError(`${field}.expiresAtMs`, 'must be milliseconds since 1970', expiresAtMs)
  }
}

function checkBasePath(base: string): void {
  try {
    checkStoreKey(base)
  } catch (error) {
    throw new ConfigurationError('basePath', `must be a key itself: ${(error as Error).message}`)
  }
  if (base.startsWith('\\')) throw new ConfigurationError('basePath', 'must not start with a backslash', base)
}

function endpointOf(options: OssStoreOptions, region: string): URL {
  const { endpoint, secure = true } = options
  const scheme = secure ? 'https' : 'http'
  if (endpoint === undefined)
    return new URL(`${scheme}://oss-${region}${options.internal ? '-internal' : ''}.aliyuncs.com`)
  if (options.internal === true) throw new ConfigurationError('internal', 'has no sense with an endpoint')
  const text = typeof endpoint === 'string' && /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `${scheme}://${endpoint}`
  if (!URL.canParse(text)) throw new ConfigurationError('endpoint', 'must be a host or a URL')
  const url = new URL(text)
  // What it held is not repeated: it may be a secret.
  if (url.username !== '' || url.password !== '') throw new ConfigurationError('endpoint', 'must not hold credentials')
  if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError('endpoint', 'must be http or https, and a host alone', endpoint)
  }
  if (options.secure !== undefined && options.secure !== (url.protocol === 'https:')) {
    throw new ConfigurationError('secure', `must agree with the scheme of the endpoint ${url.origin}`, options.secure)
  }
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) {
    throw new ConfigurationError('endpoint', 'must be a host name: OSS does not go by addresses', endpoint)
  }
  return url
}

function objectHeaders({
  storageClass,
  serverSideEncryption,
  tags = {},
  metadata = {},
}: OssStoreOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  if (storageClass !== undefined) headers['x-oss-storage-class'] = storageClass
  if (typeof serverSideEncryption === 'object') {
    headers['x-oss-server-side-encryption'] = 'KMS'
    const { kmsKeyId } = serverSideEncryption
    if (kmsKeyId !== undefined) {
      if (!/^[\x21-\x7e]+$/.test(kmsKeyId)) {
        throw new ConfigurationError('serverSideEncryption.kmsKeyId', 'must be visible ASCII', kmsKeyId)
      }
      headers['x-oss-server-side-encryption-key-id'] = kmsKeyId
    }
  } else if (serverSideEncryption !== undefined) {
    oneOf('serverSideEncryption', serverSideEncryption, ['AES256', 'SM4'])
    headers['x-oss-server-side-encryption'] = serverSideEncryption
  }
  const pairs = Object.entries(tags)
  if (pairs.length > 10) throw new ConfigurationError('tags', 'must be 10 at most', pairs.length)
  for (const [name, value] of pairs) {
    if (!/^[\w +\-=.:/]{1,128}$/.test(name) || !/^[\w +\-=.:/]{0,256}$/.test(value)) {
      throw new ConfigurationError(
        `tags.${name}`,
        'must be letters, digits, spaces and + - = . _ : /, 128 and 256 at most',
      )
    }
  }
  if (pairs.length > 0) {
    headers['x-oss-tagging'] = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
  }
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[a-z0-9][a-z0-9-]*$/i.test(name) || !/^[\x20-\x7e]*$/.test(value)) {
      throw new ConfigurationError(`metadata.${name}`, 'must be letters, digits and hyphens, and hold visible ASCII')
    }
    bytes += name.length + value.length
    headers[`x-oss-meta-${name.toLowerCase()}`] = value
  }
  if (bytes > 8192) throw new ConfigurationError('metadata', 'must have 8,192 bytes at most', bytes)
  return headers
}

function oneOf(field: string, value: string | undefined, values: readonly string[]): void {
  if (value !== undefined && !values.includes(value)) {
    throw new ConfigurationError(field, `must be one of ${values.join(', ')}`, value)
  }
}

function integer(field: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ConfigurationError(field, `must be a whole number from ${least} to ${most}`, value)
  }
  return value
}
