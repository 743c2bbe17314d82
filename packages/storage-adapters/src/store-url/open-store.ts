import { readFile } from 'node:fs/promises'
import { ConfigurationError } from '@rushes/media'
import type { OssKeys, OssStoreOptions } from '../oss/index.js'
import type { S3Keys, S3StoreOptions } from '../s3/index.js'
import type { Store } from '../store.js'
import { parseStoreUrl } from './parse-store-url.js'
import type { OssStoreUrl, S3StoreUrl, StoreUrlSettings } from './store-url-settings.js'

/** Where the secrets of a store URL come from. */
export interface OpenStoreOptions {
  /** @defaultValue process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Reads `credentialsFile`. @defaultValue that of node:fs/promises */
  readonly readFile?: (path: string) => Promise<string>
}

/**
 * Makes the store that a URL names, and loads the adapter for it, which needs its SDK: `@aws-sdk/client-s3`,
 * `@aws-sdk/client-sts` and `@aws-sdk/s3-request-presigner`, or `ali-oss`.
 * Keys come from `credentialsFile` (JSON with `accessKeyId`, `secretAccessKey` or `accessKeySecret`, `sessionToken` or
 * `stsToken`, `expiresAtMs`) or from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
 * without which the AWS tools' own places are looked at; `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`,
 * `OSS_SESSION_TOKEN`. A region that the URL does not have is that of `AWS_REGION` or `OSS_REGION`.
 * @throws ConfigurationError naming the part of the URL, or the variable
 */
export async function openStore(text: string, options: OpenStoreOptions = {}): Promise<Store> {
  const settings = parseStoreUrl(text)
  const secrets: Secrets = {
    env: options.env ?? process.env,
    readFile: options.readFile ?? ((path) => readFile(path, 'utf8')),
  }
  if (settings.scheme === 's3') {
    const s3 = await s3Options(settings, secrets)
    return (await adapter(settings, import('../s3/index.js'))).createS3Store(s3)
  }
  if (settings.scheme === 'oss') {
    const oss = await ossOptions(settings, secrets)
    return (await adapter(settings, import('../oss/index.js'))).createOssStore(oss)
  }
  const { scheme: _, ...local } = settings
  return (await adapter(settings, import('../local/index.js'))).createLocalStore(local)
}

interface Secrets {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => Promise<string>
}

async function s3Options(settings: S3StoreUrl, secrets: Secrets): Promise<S3StoreOptions> {
  const { scheme: _, credentialsFile, pathStyle, roleArn, externalId, sessionName, durationSeconds, ...rest } = settings
  const keys = (await keysOf(credentialsFile, secrets, {
    accessKeyId: 'AWS_ACCESS_KEY_ID',
    secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
    sessionToken: 'AWS_SESSION_TOKEN',
  })) as S3Keys | undefined
  const credentials = keys ?? 'default'
  const role =
    roleArn === undefined ? undefined : { arn: roleArn, ...given({ externalId, sessionName, durationSeconds }) }
  const region = settings.region ?? secrets.env['AWS_REGION'] ?? secrets.env['AWS_DEFAULT_REGION']
  // The adapter checks what the texts may be.
  return { ...rest, credentials, ...given({ role, region, forcePathStyle: pathStyle }) } as S3StoreOptions
}

async function ossOptions(settings: OssStoreUrl, secrets: Secrets): Promise<OssStoreOptions> {
  const { scheme: _, credentialsFile, ...rest } = settings
  const credentials = (await keysOf(credentialsFile, secrets, {
    accessKeyId: 'OSS_ACCESS_KEY_ID',
    accessKeySecret: 'OSS_ACCESS_KEY_SECRET',
    stsToken: 'OSS_SESSION_TOKEN',
  })) as OssKeys | undefined
  if (credentials === undefined) {
    throw new ConfigurationError('OSS_ACCESS_KEY_ID', 'must be in the environment, or credentialsFile in the URL')
  }
  const region = settings.region ?? secrets.env['OSS_REGION']
  return { ...rest, credentials, ...given({ region }) } as OssStoreOptions
}

/** Keys by the names that an adapter has for them, out of a file or the environment. */
async function keysOf(
  path: string | undefined,
  { env, readFile: read }: Secrets,
  variables: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (path !== undefined) return keysOfFile(path, read, Object.keys(variables))
  const [[idField, idVariable], [secretField, secretVariable], [tokenField, tokenVariable]] = Object.entries(
    variables,
  ) as [[string, string], [string, string], [string, string]]
  const [id, secret, token] = [env[idVariable], env[secretVariable], env[tokenVariable]]
  if (!id && !secret) return undefined
  if (!id) throw new ConfigurationError(idVariable, `is needed with ${secretVariable}`)
  if (!secret) throw new ConfigurationError(secretVariable, `is needed with ${idVariable}`)
  return { [idField]: id, [secretField]: secret, ...(token ? { [tokenField]: token } : {}) }
}

async function keysOfFile(
  path: string,
  read: (path: string) => Promise<string>,
  [idField = '', secretField = '', tokenField = '']: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const text = await read(path).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'an error'
    throw new ConfigurationError('credentialsFile', `cannot be read (${code})`)
  })
  const file = parsed(text)
  const id = file['accessKeyId']
  const secret = file['secretAccessKey'] ?? file['accessKeySecret']
  const token = file['sessionToken'] ?? file['stsToken']
  if (typeof id !== 'string' || typeof secret !== 'string' || (token !== undefined && typeof token !== 'string')) {
    throw new ConfigurationError(
      'credentialsFile',
      `must be JSON with accessKeyId and ${secretField}, and may have ${tokenField}`,
    )
  }
  return given({ [idField]: id, [secretField]: secret, [tokenField]: token, expiresAtMs: file['expiresAtMs'] })
}

/** What the text is, without any of it in an error. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The parser's message shows what it read.
  }
  throw new ConfigurationError('credentialsFile', 'must be a JSON object')
}

async function adapter<Module>({ scheme }: StoreUrlSettings, loading: Promise<Module>): Promise<Module> {
  try {
    return await loading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const needed =
      scheme === 's3' ? '@aws-sdk/client-s3, @aws-sdk/client-sts and @aws-sdk/s3-request-presigner' : 'ali-oss'
    throw new ConfigurationError('scheme', `${scheme}:// needs ${needed} to be installed`)
  }
}

function given<Values extends Readonly<Record<string, unknown>>>(values: Values): Partial<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Values>
}
