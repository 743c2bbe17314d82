import type { StoreEntry } from './store.js'

/**
 * Several lists as one, in the order of the keys' UTF-8 bytes, in which each of them is. Of a key that is in more than
 * one the entry that was modified last is taken, or else that of the earlier list.
 */
export async function* mergeLists(
  lists: readonly AsyncIterable<StoreEntry>[],
): AsyncGenerator<StoreEntry, void, undefined> {
  const iterators = lists.map((list) => list[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map(nextOf))
    for (;;) {
      let least: Head | undefined
      for (const head of heads) {
        if (head !== undefined && (least === undefined || Buffer.compare(head.bytes, least.bytes) < 0)) least = head
      }
      if (least === undefined) return
      let { entry } = least
      for (const [index, head] of heads.entries()) {
        if (head === undefined || !head.bytes.equals(least.bytes)) continue
        if ((head.entry.modifiedAtMs ?? 0) > (entry.modifiedAtMs ?? 0)) entry = head.entry
        heads[index] = await nextOf(iterators[index] as AsyncIterator<StoreEntry>)
      }
      yield entry
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()))
  }
}

interface Head {
  readonly entry: StoreEntry
  readonly bytes: Buffer
}

async function nextOf(iterator: AsyncIterator<StoreEntry>): Promise<Head | undefined> {
  const next = await iterator.next()
  return next.done === true ? undefined : { entry: next.value, bytes: Buffer.from(next.value.key) }
}
