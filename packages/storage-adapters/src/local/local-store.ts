import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, unlink } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '@rushes/media'
import { StoreError } from '../errors.js'
import { probeStore } from '../probe-store.js'
import type {
  ProbeReport,
  PutFileOptions,
  PutOptions,
  Store,
  StoreBody,
  StoreCapabilities,
  Stored,
  StoreEntry,
  StoreUrl,
} from '../store.js'
import { bodyPieces, readBody, throwIfAborted } from '../store-body.js'
import { encodeStoreKey } from '../store-key.js'
import { linkOrCopy, syncPath, writePieces } from './file-writes.js'
import { listFolder } from './local-list.js'
import { checkLocalKey, folderOfKey, followInside, lstatIfThere, TEMPORARY_PREFIX } from './local-path.js'
import { fromSystemError, systemCode } from './system-error.js'

/** Where and how a local store keeps its objects. */
export interface LocalStoreOptions {
  /** The folder that holds everything; created when it is not there. */
  readonly root: string
  /**
   * Wait until an object and its name are on the disk, so that they outlive a power failure. Costs some milliseconds
   * per object. @defaultValue false
   */
  readonly fsync?: boolean
  /** What `urlFor` puts keys behind, when a web server shows the folder: `https://example.org/recordings`. @defaultValue `file:` URLs */
  readonly urlBase?: string
}

/** A store in a folder. */
export type LocalStore = Store & Required<Pick<Store, 'get' | 'list' | 'delete' | 'putFile'>>

/**
 * A store in a folder of this machine. An object is written under a temporary name (`.rushes-…`) in its folder and
 * then renamed, so that nobody sees half of it.
 * @throws ConfigurationError
 */
export function createLocalStore(options: LocalStoreOptions): LocalStore {
  if (typeof options.root !== 'string' || options.root === '') {
    throw new ConfigurationError('root', 'must be the path of a folder', options.root)
  }
  if (options.urlBase !== undefined && !URL.canParse(options.urlBase)) {
    throw new ConfigurationError('urlBase', 'must be an absolute URL', options.urlBase)
  }
  return new FolderStore(options)
}

class FolderStore implements LocalStore {
  readonly name: string
  readonly capabilities: StoreCapabilities = { get: true, list: true, delete: true, signedUrls: false }
  readonly #root: string
  readonly #fsync: boolean
  readonly #urlBase: string

  constructor(options: LocalStoreOptions) {
    this.#root = resolve(options.root)
    this.#fsync = options.fsync ?? false
    this.#urlBase = (options.urlBase ?? pathToFileURL(this.#root).href).replace(/\/+$/, '')
    this.name = `local ${this.#root}`
  }

  locationOf(key: string): string {
    checkLocalKey(key)
    return `${pathToFileURL(this.#root).href}/${encodeStoreKey(key)}`
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    return this.#place(key, options.signal, async (temporary) => {
      const handle = await open(temporary, 'wx')
      try {
        const hash = options.sha256 === true ? createHash('sha256') : undefined
        const bytes = await writeBody(handle, body, options.signal, (chunk) => hash?.update(chunk))
        if (this.#fsync) await handle.sync()
        return { bytes, ...(hash === undefined ? {} : { sha256: hash.digest('hex') }) }
      } finally {
        await handle.close()
      }
    })
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    const info = await lstat(path).catch((cause: unknown) => cannotRead(path, key, cause))
    if (options.sha256 === true || !info.isFile()) return this.#putFileAsStream(key, path, options)
    const stored = await this.#place(key, options.signal, async (temporary) => {
      await linkOrCopy(path, temporary, options.move === true)
      if (this.#fsync) await syncPath(temporary)
      return { bytes: info.size }
    })
    if (options.move === true) await rm(path, { force: true })
    return stored
  }

  async urlFor(key: string): Promise<StoreUrl> {
    checkLocalKey(key)
    return { url: `${this.#urlBase}/${encodeStoreKey(key)}` }
  }

  probe(options: { readonly name: string; readonly signal?: AbortSignal }): Promise<ProbeReport> {
    return probeStore(this, options, (error) => {
      const code = error instanceof StoreError ? error.code : undefined
      if (code === 'STORE_ACCESS_DENIED') {
        return { field: 'root', hint: `Let the user that this process runs as write to ${this.#root}.` }
      }
      if (code === 'STORE_NO_SPACE') return { field: 'root', hint: `Free some space on the disk of ${this.#root}.` }
      return { field: 'root', hint: `Check that ${this.#root} is a folder, or can become one.` }
    })
  }

  async get(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<Readable> {
    checkLocalKey(key)
    throwIfAborted(options.signal)
    try {
      const path = await this.#find(key)
      if (path === undefined) throw new StoreError('STORE_NOT_FOUND', `there is no object ${key}`, { key })
      const handle = await open(path, 'r')
      const stream = handle.createReadStream({ highWaterMark: 262_144 })
      return options.signal === undefined ? stream : addAbortSignal(options.signal, stream)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        throw new StoreError('STORE_NOT_FOUND', `there is no object ${key}`, { key, cause: error })
      }
      throw fromSystemError(error, key, this.#root)
    }
  }

  async *list(
    prefix = '',
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<StoreEntry, void, undefined> {
    try {
      yield* listFolder(this.#root, prefix, options.signal)
    } catch (error) {
      throw fromSystemError(error, prefix, this.#root)
    }
  }

  async delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkLocalKey(key)
    throwIfAborted(options.signal)
    try {
      const realRoot = await this.#realRoot(false)
      const folder = realRoot === undefined ? undefined : await folderOfKey(realRoot, key, false)
      if (folder === undefined) return
      const path = join(folder, basename(key))
      const info = await lstatIfThere(path)
      // A link is removed itself, not what it names. A folder is no object.
      if (info !== undefined && !info.isDirectory()) await unlink(path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw fromSystemError(error, key, this.#root)
    }
  }

  /** Lets `write` make a temporary file beside the object, and puts it into the object's place. */
  async #place(
    key: string,
    signal: AbortSignal | undefined,
    write: (temporary: string) => Promise<Pick<Stored, 'bytes' | 'sha256'>>,
  ): Promise<Stored> {
    checkLocalKey(key)
    throwIfAborted(signal)
    let temporary: string | undefined
    try {
      const folder = await folderOfKey((await this.#realRoot(true)) as string, key, true)
      const path = join(folder as string, basename(key))
      temporary = join(folder as string, TEMPORARY_PREFIX + randomBytes(12).toString('hex'))
      const written = await write(temporary)
      throwIfAborted(signal)
      await rename(temporary, path)
      if (this.#fsync) await syncPath(folder as string)
      return { ...written, location: this.locationOf(key) }
    } catch (error) {
      if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {})
      throw fromSystemError(error, key, this.#root)
    }
  }

  async #realRoot(create: boolean): Promise<string | undefined> {
    try {
      return await realpath(this.#root)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      if (!create) return undefined
      await mkdir(this.#root, { recursive: true })
      return realpath(this.#root)
    }
  }

  async #find(key: string): Promise<string | undefined> {
    const realRoot = await this.#realRoot(false)
    const folder = realRoot === undefined ? undefined : await folderOfKey(realRoot, key, false)
    if (realRoot === undefined || folder === undefined) return undefined
    const path = join(folder, basename(key))
    const info = await lstatIfThere(path)
    if (info?.isSymbolicLink() === true) return followInside(realRoot, path, key)
    return info?.isFile() === true ? path : undefined
  }

  async #putFileAsStream(key: string, path: string, options: PutFileOptions): Promise<Stored> {
    const handle = await open(path, 'r').catch((cause: unknown) => cannotRead(path, key, cause))
    const stored = await this.put(key, handle.createReadStream({ highWaterMark: 1_048_576 }), options)
    if (options.move === true) await rm(path, { force: true })
    return stored
  }
}

function cannotRead(path: string, key: string, cause: unknown): never {
  throw new StoreError('STORE_BODY_FAILED', `${path} cannot be read`, { cause, key })
}

async function writeBody(
  handle: FileHandle,
  body: StoreBody,
  signal: AbortSignal | undefined,
  seen: (chunk: Uint8Array) => void,
): Promise<number> {
  let bytes = 0
  const pieces = bodyPieces(body)
  if (pieces !== undefined && pieces.length > 1 && pieces.every((piece) => piece instanceof Uint8Array)) {
    for (const piece of pieces) {
      seen(piece)
      bytes += piece.byteLength
    }
    await writePieces(handle, pieces)
    return bytes
  }
  await readBody(body, signal, async (chunk) => {
    seen(chunk)
    bytes += chunk.byteLength
    if (chunk.byteLength > 0) await writePieces(handle, [chunk])
  })
  return bytes
}
