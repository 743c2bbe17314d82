import type { StoreEntry } from '../store.js'

/** What the spool knows of a key that the store does not know yet: an object, or that there is none (any more). */
export type LocalFact = StoreEntry | { readonly key: string; readonly bytes: undefined }

/** The store's list with what waits in the spool, in the order of the keys' bytes. */
export async function* mergeLists(
  stored: AsyncIterable<StoreEntry>,
  facts: readonly LocalFact[],
): AsyncGenerator<StoreEntry, void, undefined> {
  const local = facts
    .map((fact) => ({ fact, bytes: Buffer.from(fact.key) }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes))
  let index = 0
  for await (const entry of stored) {
    const bytes = Buffer.from(entry.key)
    let isKnown = false
    for (; index < local.length; index += 1) {
      const next = local[index]
      const order = next === undefined ? 1 : Buffer.compare(next.bytes, bytes)
      if (next === undefined || order > 0) break
      if (next.fact.bytes !== undefined) yield next.fact
      if (order === 0) isKnown = true
    }
    if (!isKnown) yield entry
  }
  for (; index < local.length; index += 1) {
    const fact = local[index]?.fact
    if (fact?.bytes !== undefined) yield fact
  }
}
