import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { PutFileOptions, Store, Stored } from './store.js'

/** Puts a finished local file into any store; with `move` the file is removed once it is stored. */
export async function putFile(store: Store, key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
  if (store.putFile !== undefined) return store.putFile(key, path, options)
  const stored = await store.put(key, createReadStream(path, { highWaterMark: 1_048_576 }), options)
  if (options.move === true) await rm(path)
  return stored
}
