import { bodyPieces, type Store } from '@rushes/storage-adapters'
import { checkPlaylistUpdate, type Finding } from '@rushes/testkit'

/** A store whose growing playlists are watched as a player would see them. */
export interface WatchedStore extends Store {
  /** Lines that changed once public, and playlists that named what was not there yet; by the key of the playlist. */
  readonly violations: ReadonlyMap<string, readonly Finding[]>
}

export function watchStore(store: Store): WatchedStore {
  const violations = new Map<string, Finding[]>()
  const playlists = new Map<string, string>()
  const stored = new Set<string>()
  const report = (key: string, found: readonly Finding[]): void => {
    violations.set(key, [...(violations.get(key) ?? []), ...found])
  }
  return {
    name: store.name,
    capabilities: { get: false, list: false, delete: false, signedUrls: false },
    locationOf: (key) => store.locationOf(key),
    urlFor: (key, options) => store.urlFor(key, options),
    probe: (options) => store.probe(options),
    violations,
    async put(key, body, options) {
      if (key.endsWith('.m3u8')) {
        const text = Buffer.concat(bodyPieces(body) ?? []).toString()
        const before = playlists.get(key)
        report(key, before === undefined ? [] : checkPlaylistUpdate(before, text))
        const folder = key.slice(0, key.lastIndexOf('/') + 1)
        for (const uri of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
          if (!stored.has(folder + uri))
            report(key, [{ rule: 'not-stored', message: `names ${uri}, which is not stored` }])
        }
        playlists.set(key, text)
      }
      const result = await store.put(key, body, options)
      stored.add(key)
      return result
    },
  }
}
