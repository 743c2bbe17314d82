import { ConfigurationError } from '@rushes/media'
import { checkStoreKey } from '../store-key.js'
import { MAX_PART_BYTES, MIN_PART_BYTES } from './part-size.js'
import type { S3ChecksumAlgorithm, S3Credentials, S3Identity, S3Keys, S3Role, S3StoreOptions } from './s3-options.js'

/** Options that were checked, with every default filled in. */
export interface S3Settings extends S3StoreOptions {
  readonly forcePathStyle: boolean
  /** Without slashes at its ends; empty for none. */
  readonly basePath: string
  readonly credentials: S3Credentials
  readonly get: boolean
  readonly list: boolean
  readonly delete: boolean
  readonly urlExpiresIn: number
  /** What is sent along with each request and compared with its answer. */
  readonly digest: S3ChecksumAlgorithm | 'MD5'
  readonly partSize: number
  readonly multipartThreshold: number
  readonly concurrency: number
  readonly fileBufferBytes: number
  readonly signBodies: 'without-tls' | 'never'
  readonly requestTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly maxAttempts: number
  readonly now: () => number
}

/** The longest life of a signed URL (Signature Version 4), in seconds. */
export const MAX_URL_SECONDS = 604_800

const MIB = 1024 * 1024

/** @throws ConfigurationError naming the option that is wrong */
export function resolveS3Settings(options: S3StoreOptions): S3Settings {
  checkBucket(options)
  const basePath = checkedBasePath(options.basePath)
  checkText('region', options.region, /^[a-z0-9-]{1,64}$/, 'must be the name of a region, such as eu-west-1')
  checkUrl('endpoint', options.endpoint)
  checkIdentity('', options)
  if (options.signing !== undefined) checkIdentity('signing.', options.signing)
  checkObjectSettings(options)
  const partSize = integer('partSize', options.partSize ?? 8 * MIB, MIN_PART_BYTES, MAX_PART_BYTES)
  const checksums = options.checksums ?? (options.endpoint === undefined ? 'when-supported' : 'when-required')
  oneOf('checksums', checksums, ['when-supported', 'when-required'])
  const algorithm = options.checksumAlgorithm ?? 'CRC32'
  oneOf('checksumAlgorithm', algorithm, ['CRC32', 'SHA256'])
  const signBodies = options.signBodies ?? 'without-tls'
  oneOf('signBodies', signBodies, ['without-tls', 'never'])
  return {
    ...options,
    ...(options.region === undefined && options.endpoint !== undefined ? { region: 'us-east-1' } : {}),
    forcePathStyle: flag('forcePathStyle', options.forcePathStyle),
    basePath,
    credentials: options.credentials ?? 'default',
    get: flag('get', options.get),
    list: flag('list', options.list),
    delete: flag('delete', options.delete),
    urlExpiresIn: integer('urlExpiresIn', options.urlExpiresIn ?? 43_200, 1, MAX_URL_SECONDS),
    signBodies,
    digest: checksums === 'when-required' ? 'MD5' : algorithm,
    partSize,
    multipartThreshold: integer('multipartThreshold', options.multipartThreshold ?? 16 * MIB, 0, MAX_PART_BYTES),
    concurrency: integer('concurrency', options.concurrency ?? 4, 1, 64),
    fileBufferBytes: integer('fileBufferBytes', options.fileBufferBytes ?? 32 * MIB, MIB, 2 ** 40),
    requestTimeoutMs:
      options.requestTimeoutMs === undefined
        ? Infinity
        : integer('requestTimeoutMs', options.requestTimeoutMs, 1, 86_400_000),
    idleTimeoutMs: integer('idleTimeoutMs', options.idleTimeoutMs ?? 60_000, 1, 86_400_000),
    maxAttempts: integer('maxAttempts', options.maxAttempts ?? 3, 1, 100),
    now: options.now ?? Date.now,
  }
}

/** True for keys, which are given as they are. */
export function isKeys(credentials: S3Credentials): credentials is S3Keys {
  return credentials !== 'default'
}

function checkBucket({ bucket, endpoint }: S3StoreOptions): void {
  // Other stores, and old buckets of AWS, are not so strict.
  const rule = endpoint === undefined ? /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ : /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/
  checkText('bucket', bucket ?? '', rule, 'must be the name of a bucket: 3 to 63 of a-z, 0-9, dot and hyphen')
}

function checkedBasePath(basePath: string | undefined): string {
  if (basePath === undefined || basePath === '') return ''
  const trimmed = typeof basePath === 'string' ? basePath.replace(/\/+$/, '') : basePath
  try {
    checkStoreKey(trimmed)
  } catch {
    throw new ConfigurationError('basePath', 'must be a path such as recordings/calls, without . and ..', basePath)
  }
  return trimmed
}

// Never with what was given: it may be a secret in the wrong place.
function checkIdentity(place: string, { credentials = 'default', role }: S3Identity): void {
  if (typeof credentials !== 'object' && credentials !== 'default') {
    throw new ConfigurationError(`${place}credentials`, 'must be keys or default')
  }
  if (isKeys(credentials)) checkKeys(`${place}credentials`, credentials)
  if (role !== undefined) checkRole(`${place}role`, role)
}

function checkRole(role: string, given: S3Role): void {
  if (typeof given !== 'object' || given === null) throw new ConfigurationError(role, 'must be { arn, externalId }')
  const { arn: roleArn, externalId, sessionName, durationSeconds, endpoint, region } = given
  const arn = /^arn:aws[a-z-]*:iam::[A-Za-z0-9_-]*:role\/[\w+=,.@/-]{1,576}$/
  checkText(`${role}.arn`, roleArn ?? '', arn, 'must be the ARN of a role: arn:aws:iam::<account>:role/<name>')
  checkText(
    `${role}.externalId`,
    externalId,
    /^[\w+=,.@:/-]{2,1224}$/,
    'must be 2 to 1,224 of A-Z, a-z, 0-9 and _+=,.@:/-',
  )
  checkText(`${role}.sessionName`, sessionName, /^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 of A-Z, a-z, 0-9 and _+=,.@-')
  if (durationSeconds !== undefined) integer(`${role}.durationSeconds`, durationSeconds, 900, 43_200)
  checkUrl(`${role}.endpoint`, endpoint)
  checkText(`${role}.region`, region, /^[a-z0-9-]{1,64}$/, 'must be the name of a region, such as eu-west-1')
}

function checkKeys(field: string, keys: S3Keys | null): void {
  if (keys === null) throw new ConfigurationError(field, 'must be keys or default')
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = keys
  const known = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  for (const [name, value] of Object.entries(known)) {
    // A newline or a blank at the end is the commonest mistake of all.
    if (typeof value !== 'string' || value === '' || /\s/.test(value)) {
      throw new ConfigurationError(`${field}.${name}`, 'must be text that is not empty and has no white space')
    }
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    throw new ConfigurationError(`${field}.expiresAtMs`, 'must be milliseconds since 1970', expiresAtMs)
  }
}

function checkObjectSettings(options: S3StoreOptions): void {
  checkText('storageClass', options.storageClass, /^[A-Z0-9_]{1,64}$/, 'must be a storage class such as STANDARD_IA')
  const { serverSideEncryption: encryption, tags = {}, metadata = {}, acl } = options
  if (encryption !== undefined && encryption !== 'AES256') {
    if (typeof encryption !== 'object' || encryption === null) {
      throw new ConfigurationError('serverSideEncryption', 'must be AES256 or { kmsKeyId }', encryption)
    }
    checkText(
      'serverSideEncryption.kmsKeyId',
      encryption.kmsKeyId,
      /^[\w:/-]{1,2048}$/,
      'must be an ARN, an id or an alias',
    )
  }
  const pairs = Object.entries(tags)
  if (pairs.length > 10) throw new ConfigurationError('tags', 'must be at most 10', pairs.length)
  for (const [name, value] of pairs) {
    if (name === '' || name.length > 128 || typeof value !== 'string' || value.length > 256) {
      throw new ConfigurationError(`tags.${name}`, 'must have 1 to 128 characters and a value of at most 256')
    }
  }
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) {
    if (!/^[a-z0-9-]+$/i.test(name) || typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) {
      throw new ConfigurationError(
        `metadata.${name}`,
        'must be a name of letters, digits and hyphens, and a value in ASCII',
      )
    }
    bytes += name.length + value.length
  }
  if (bytes > 2048) throw new ConfigurationError('metadata', 'must have at most 2,048 bytes', bytes)
  const acls = ['private', 'bucket-owner-full-control', 'bucket-owner-read', 'authenticated-read', 'public-read']
  if (acl !== undefined) oneOf('acl', acl, acls)
}

function checkText(field: string, value: string | undefined, rule: RegExp, says: string): void {
  if (value === undefined) return
  if (typeof value !== 'string' || !rule.test(value)) throw new ConfigurationError(field, says, value)
}

function checkUrl(field: string, value: string | undefined): void {
  if (value === undefined) return
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(field, 'must be a URL such as https://s3.example.org')
  }
  if (url.username !== '' || url.password !== '') throw new ConfigurationError(field, 'must not hold a password')
}

function integer(field: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new ConfigurationError(field, `must be an integer from ${least} to ${most}`, value)
}

function flag(field: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ConfigurationError(field, 'must be true or false', value)
  return value ?? false
}

function oneOf(field: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw new ConfigurationError(field, `must be one of ${values.join(', ')}`, value)
}
