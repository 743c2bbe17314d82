import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  checkStoreKey,
  encodeStoreKey,
  type PutFileOptions,
  type PutOptions,
  probeStore,
  readBody,
  type Store,
  type StoreBody,
  type StoreCapabilities,
  type Stored,
  StoreError,
} from '@rushes/storage-adapters'

const PART_BYTES = 65_536

/** A store on an `OutageServer`: checks what arrived by its MD5, sends larger files in parts and goes on with them. */
export class OutageStore implements Store {
  readonly name = 'outage'
  readonly capabilities: StoreCapabilities = { get: true, list: false, delete: true, signedUrls: false, resume: true }
  readonly #port: number
  readonly #timeoutMs: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(port: number, timeoutMs = 1000) {
    this.#port = port
    this.#timeoutMs = timeoutMs
  }

  locationOf(key: string): string {
    checkStoreKey(key)
    return `outage:///${encodeStoreKey(key)}`
  }

  async urlFor(key: string): Promise<{ readonly url: string }> {
    return { url: this.locationOf(key) }
  }

  probe(options: Parameters<Store['probe']>[0]): ReturnType<Store['probe']> {
    return probeStore(this, options, () => ({}))
  }

  async put(key: string, body: StoreBody, options: PutOptions = {}): Promise<Stored> {
    const chunks: Uint8Array[] = []
    await readBody(body, options.signal, (chunk) => void chunks.push(chunk.slice()))
    const bytes = Buffer.concat(chunks)
    await this.#send('PUT', `/o/${encodeStoreKey(key)}`, key, bytes, options.signal)
    return { bytes: bytes.byteLength, location: this.locationOf(key) }
  }

  async putFile(key: string, path: string, options: PutFileOptions = {}): Promise<Stored> {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (size <= PART_BYTES) return await this.put(key, await file.readFile(), options)
      const given = options.resumeFrom as { readonly id: string; readonly done: number } | undefined
      const id = given?.id ?? (await this.#send('POST', `/u/${encodeStoreKey(key)}`, key, Buffer.alloc(0))).toString()
      for (let part = given?.done ?? 0; part * PART_BYTES < size; part += 1) {
        const block = Buffer.alloc(Math.min(PART_BYTES, size - part * PART_BYTES))
        await file.read(block, 0, block.byteLength, part * PART_BYTES)
        await this.#send('PUT', `/u/${id}/${part}`, key, block, options.signal)
        void options.onCheckpoint?.({ id, done: part + 1 })
      }
      await this.#send('POST', `/u/${id}`, key, Buffer.alloc(0), options.signal)
      return { bytes: size, location: this.locationOf(key) }
    } finally {
      await file.close()
    }
  }

  async get(key: string): Promise<Readable> {
    const outgoing = request({ port: this.#port, path: `/o/${encodeStoreKey(key)}`, agent: this.#agent })
    outgoing.end()
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    if (incoming.statusCode === 200) return incoming
    incoming.resume()
    throw new StoreError('STORE_NOT_FOUND', `there is no object ${key}`, { key })
  }

  async delete(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#send('DELETE', `/o/${encodeStoreKey(key)}`, key, undefined, options.signal)
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }

  async #send(method: string, path: string, key: string, body?: Buffer, signal?: AbortSignal): Promise<Buffer> {
    try {
      const outgoing = request({
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        timeout: this.#timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
      outgoing.end(body)
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
      const answer = await buffer(incoming)
      const status = incoming.statusCode ?? 0
      if (status === 503) throw new StoreError('STORE_THROTTLED', `${key}: 503`, { key })
      if (status !== 200) throw new StoreError('STORE_ACCESS_DENIED', `${key}: ${status}`, { key })
      const { etag } = incoming.headers
      const isWhole =
        etag === undefined ||
        etag ===
          `"${createHash('md5')
            .update(body ?? '')
            .digest('hex')}"`
      // The tag of what was put together from parts is the server's own affair here.
      if (!isWhole && method === 'PUT') throw new StoreError('STORE_CORRUPTED', `${key}: other bytes arrived`, { key })
      return answer
    } catch (error) {
      if (error instanceof StoreError) throw error
      throw new StoreError('STORE_UNAVAILABLE', `${key}: ${String(error)}`, { cause: error, key })
    }
  }
}
