import { StoreError } from './errors.js'

/** The longest key that S3 and OSS take (OSS takes 1,023), in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024
/** The longest name of a file on the file systems in use, in bytes of UTF-8. */
export const MAX_KEY_COMPONENT_BYTES = 255

const encoder = new TextEncoder()

/**
 * Checks a key by the rules that all stores share, so that what one store took can be copied to any other: components
 * between `/`, none of them empty, `.` or `..`; no control characters; text that UTF-8 can say; bounded lengths.
 * @throws StoreError `STORE_BAD_KEY`, `STORE_KEY_OUTSIDE_BASE`
 */
export function checkStoreKey(key: string): void {
  if (typeof key !== 'string' || key === '') refuse(key, 'must not be empty')
  if (key.startsWith('/')) outside(key)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(key)) refuse(key, 'must not contain control characters')
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(key)) {
    refuse(key, 'must not contain half a surrogate pair')
  }
  if (encoder.encode(key).byteLength > MAX_KEY_BYTES) refuse(key, `must have at most ${MAX_KEY_BYTES} bytes`)
  for (const component of key.split('/')) {
    if (component === '..') outside(key)
    if (component === '') refuse(key, 'must not have empty components')
    if (component === '.') refuse(key, 'must not have a component that is a dot')
    if (encoder.encode(component).byteLength > MAX_KEY_COMPONENT_BYTES) {
      refuse(key, `must have at most ${MAX_KEY_COMPONENT_BYTES} bytes between slashes`)
    }
  }
}

/** `prefix` and `name` as one key; slashes at the end of the prefix do not count, and an empty one is none. */
export function joinStoreKey(prefix: string | undefined, name: string): string {
  const base = (prefix ?? '').replace(/\/+$/, '')
  return base === '' ? name : `${base}/${name}`
}

/** A key as the path of a URL (RFC 3986 §3.3): all but the unreserved characters and the slashes is encoded. */
export function encodeStoreKey(key: string): string {
  return key
    .split('/')
    .map((component) =>
      encodeURIComponent(component).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/')
}

function refuse(key: string, rule: string): never {
  throw new StoreError('STORE_BAD_KEY', `the key ${show(key)} ${rule}`, { key })
}

function outside(key: string): never {
  throw new StoreError('STORE_KEY_OUTSIDE_BASE', `the key ${show(key)} leads out of the store`, { key })
}

function show(key: string): string {
  const text = JSON.stringify(key)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
