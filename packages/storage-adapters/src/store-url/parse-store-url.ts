import { fileURLToPath, pathToFileURL } from 'node:url'
import { ConfigurationError } from '@rushes/media'
import { StoreError } from '../errors.js'
import { checkStoreKey, encodeStoreKey } from '../store-key.js'
import { type StoreUrlSettings, storeUrlParameters } from './store-url-settings.js'

/** Names under which people write secrets into URLs. */
const secretName = /secret|token|passw|accesskey|signature|credential|^key$|^pwd$/i

/** A user before the host, a query, a fragment: with a scheme or without one, and however many slashes there are. */
const urlWithMore = /^(?:[a-z][a-z0-9+.-]*:)?[\\/]*[^\\/]*@|[?#]/i

/**
 * Reads a store URL: `file:///folder`, `s3://bucket/base?region=…`, `oss://bucket/base?region=…`. Percent-encoding is
 * decoded, and a plus is a plus. What the values mean is checked when the store is made.
 * @throws ConfigurationError naming the part that is wrong. It never repeats a value, which may be a secret.
 */
export function parseStoreUrl(text: string): StoreUrlSettings {
  const parts = typeof text === 'string' ? /^([a-z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#)?/i.exec(text) : null
  const [, scheme = '', authority = '', path = '', query = '', fragment] = parts ?? []
  if (scheme !== 'file' && scheme !== 's3' && scheme !== 'oss') {
    throw new ConfigurationError('scheme', 'must be file://, s3:// or oss://')
  }
  if (fragment !== undefined) throw new ConfigurationError('path', 'must not hold a #; write %23')
  if (authority.includes('@')) throw secretRefused('credentials', scheme)
  const parameters = readParameters(scheme, query)
  if (scheme === 'file') return { scheme, root: readRoot(authority, path), ...parameters }
  if (authority === '' || !/^[A-Za-z0-9._-]+$/.test(authority)) {
    throw new ConfigurationError('bucket', `must stand behind ${scheme}://, and no port; a host goes into endpoint`)
  }
  const basePath = readBasePath(path)
  const settings = { scheme, bucket: authority, ...(basePath === '' ? {} : { basePath }), ...parameters }
  checkTogether(settings)
  return settings as StoreUrlSettings
}

/** Writes a store URL that `parseStoreUrl` reads as the same settings. */
export function formatStoreUrl(settings: StoreUrlSettings): string {
  const values = settings as unknown as Readonly<Record<string, string | number | boolean | undefined>>
  const query = Object.keys(storeUrlParameters[settings.scheme])
    .filter((name) => values[name] !== undefined)
    .map((name) => `${name}=${formatValue(values[name])}`)
    .join('&')
  const place =
    settings.scheme === 'file'
      ? pathToFileURL(settings.root).href
      : `${settings.scheme}://${settings.bucket}${settings.basePath === undefined ? '' : `/${encodeStoreKey(settings.basePath)}`}`
  return query === '' ? place : `${place}?${query}`
}

function readParameters(scheme: StoreUrlSettings['scheme'], query: string): Record<string, string | number | boolean> {
  const known = storeUrlParameters[scheme]
  const values: Record<string, string | number | boolean> = {}
  for (const [index, pair] of (query === '' ? [] : query.split('&')).entries()) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), `parameter ${index + 1}`)
    // A name that could be a secret itself is not repeated.
    const field = /^[A-Za-z_-]{1,32}$/.test(name) ? name : `parameter ${index + 1}`
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (kind === undefined) {
      if (secretName.test(name)) throw secretRefused(field, scheme)
      const rule = `is no parameter of ${scheme}:// URLs; there are ${Object.keys(known).join(', ')}`
      throw new ConfigurationError(field, rule)
    }
    if (Object.hasOwn(values, name)) throw new ConfigurationError(name, 'must be given once')
    values[name] = readValue(name, kind, equals < 0 ? '' : decode(pair.slice(equals + 1), name))
  }
  return values
}

function readValue(name: string, kind: string, text: string): string | number | boolean {
  if (kind === 'flag') {
    if (text === '1' || text === 'true') return true
    if (text === '0' || text === 'false') return false
    throw new ConfigurationError(name, 'must be 1 or 0')
  }
  if (kind === 'integer') {
    if (!/^\d{1,15}$/.test(text)) throw new ConfigurationError(name, 'must be a whole number')
    return Number(text)
  }
  if (text === '') throw new ConfigurationError(name, 'must not be empty')
  if (kind === 'url' && urlWithMore.test(text))
    throw new ConfigurationError(name, 'must not hold credentials, a query or a fragment')
  return text
}

function readRoot(authority: string, path: string): string {
  if (authority !== '' && authority !== 'localhost') {
    throw new ConfigurationError('path', 'must be absolute and of this machine: file:///folder')
  }
  if (path === '') throw new ConfigurationError('path', 'must be there: file:///folder')
  const components = path.split('/').map((component) => decode(component, 'path'))
  if (components.includes('..')) throw new ConfigurationError('path', 'must not have the component ..')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(components.join('')))
    throw new ConfigurationError('path', 'must not hold control characters')
  try {
    return fileURLToPath(`file://${path}`)
  } catch {
    throw new ConfigurationError('path', 'must be the path of a folder')
  }
}

function readBasePath(path: string): string {
  const components = path.split('/').map((component) => decode(component, 'basePath'))
  if (components.some((component) => component.includes('/'))) {
    throw new ConfigurationError('basePath', 'must not hold an encoded slash')
  }
  const basePath = components.slice(1).join('/').replace(/\/+$/, '')
  if (basePath === '') return ''
  try {
    checkStoreKey(basePath)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new ConfigurationError(
      'basePath',
      'must be a path such as recordings/calls, without empty components, . and ..',
    )
  }
  return basePath
}

function checkTogether(settings: Readonly<Record<string, unknown>>): void {
  for (const name of ['externalId', 'sessionName', 'durationSeconds']) {
    if (settings[name] !== undefined && settings['roleArn'] === undefined) {
      throw new ConfigurationError('roleArn', `is needed with ${name}`)
    }
  }
}

function formatValue(value: string | number | boolean | undefined): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return encodeURIComponent(String(value))
}

function decode(text: string, field: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ConfigurationError(field, 'has a % that encodes nothing')
  }
}

function secretRefused(field: string, scheme: StoreUrlSettings['scheme']): ConfigurationError {
  const variables = {
    file: 'no secret at all',
    s3: 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment, or credentialsFile',
    oss: 'OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and OSS_SESSION_TOKEN in the environment, or credentialsFile',
  }
  return new ConfigurationError(field, `must not stand in a URL, which is logged and listed; use ${variables[scheme]}`)
}
