import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { PutFileOptions, Store, Stored } from './store.js'
import { withFileStream } from './with-file-stream.js'

/** Puts a finished local file into any store; with `move` the file is removed once it is stored. */
export async function putFile(store: Store, key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
  if (store.putFile !== undefined) return store.putFile(key, path, options)
  const file = createReadStream(path, { highWaterMark: 1_048_576 })
  const stored = await withFileStream(file, (body) => store.put(key, body, options))
  if (options.move === true) await rm(path)
  return stored
}
