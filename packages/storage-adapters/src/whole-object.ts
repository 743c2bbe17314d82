import { StoreError } from './errors.js'
import type { Store } from './store.js'

/**
 * An object as a whole, in memory: for playlists and manifests.
 * @throws StoreError of `get`; `STORE_TOO_LARGE` beyond `maxBytes` (default 64 MiB); `STORE_ACCESS_DENIED` when the
 * store cannot read at all.
 */
export async function getWhole(
  store: Store,
  key: string,
  options: { readonly maxBytes?: number; readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  if (store.get === undefined) {
    throw new StoreError('STORE_ACCESS_DENIED', `the store ${store.name} cannot be read from`, { key })
  }
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of await store.get(key, options.signal === undefined ? {} : { signal: options.signal })) {
    bytes += (chunk as Uint8Array).byteLength
    if (bytes > maxBytes) {
      throw new StoreError('STORE_TOO_LARGE', `the object ${key} is larger than ${maxBytes} bytes`, { key })
    }
    chunks.push(chunk as Uint8Array)
  }
  const whole = new Uint8Array(bytes)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}
