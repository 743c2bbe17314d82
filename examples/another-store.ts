/** A host that swaps the storage: any object with the methods of `Store` will do. This one notes what it is given. */
import { createMemoryStore, type Store } from '@rushes/storage-adapters'

export interface AuditedStore extends Store {
  readonly log: readonly { readonly key: string; readonly contentType: string | undefined; readonly bytes: number }[]
}

export function createAuditedStore(): AuditedStore {
  const inner = createMemoryStore()
  const log: { key: string; contentType: string | undefined; bytes: number }[] = []
  return {
    name: 'audited',
    log,
    capabilities: inner.capabilities,
    async put(key, body, options) {
      const result = await inner.put(key, body, options)
      log.push({ key, contentType: options?.contentType, bytes: result.bytes })
      return result
    },
    locationOf: (key) => inner.locationOf(key),
    urlFor: (key, options) => inner.urlFor(key, options),
    probe: (options) => inner.probe(options),
  }
}
