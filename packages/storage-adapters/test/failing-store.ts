import { checkStoreKey, readBody, type Store, StoreError, type StoreErrorCode } from '../src/index.js'

/** A store like `store`, whose puts fail by `failure` while that says so, after the body has been read. */
export function failingStore(store: Store, failure: () => StoreErrorCode | undefined): Store {
  const put: Store['put'] = async (key, body, options = {}) => {
    const code = failure()
    if (code === undefined) return store.put(key, body, options)
    checkStoreKey(key)
    await readBody(body, options.signal, () => {})
    throw new StoreError(code, `the store fails with ${code}`, { key })
  }
  const { get, list, delete: remove } = store
  return {
    name: `failing ${store.name}`,
    capabilities: store.capabilities,
    locationOf: (key) => `failing:${store.locationOf(key)}`,
    put: async (...args) => ({ ...(await put(...args)), location: `failing:${store.locationOf(args[0])}` }),
    urlFor: (key) => store.urlFor(key),
    probe: (options) => store.probe(options),
    ...(get && { get: get.bind(store) }),
    ...(list && { list: list.bind(store) }),
    ...(remove && { delete: remove.bind(store) }),
  }
}
