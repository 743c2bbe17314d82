import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** Objects beyond this are known by size and MD5 only. */
const KEEP_BYTES = 1_048_576

/** An object as the server has it. */
export interface ServedObject {
  readonly bytes: number
  readonly md5: string
  readonly body?: Buffer
}

interface Upload {
  readonly key: string
  readonly parts: Map<number, Buffer>
}

/**
 * A small object store by HTTP: PUT, GET and DELETE of `/o/<key>`, and uploads in parts (`POST /u/<key>`,
 * `PUT /u/<id>/<n>`, `POST /u/<id>`). It is the strictest of all readers: with each playlist that arrives it looks whether
 * everything is there that the playlist names.
 */
export class OutageServer {
  readonly objects = new Map<string, ServedObject>()
  /** Times that an object was stored, by key. */
  readonly arrivals = new Map<string, number>()
  /** Playlists that named what was not there, or had fewer lines than before. */
  readonly violations: string[] = []
  readonly uploads = new Map<string, Upload>()
  partsReceived = 0
  partsRepeated = 0
  /** Milliseconds that each part takes. */
  partDelayMs = 0
  readonly #server: Server
  #nextUpload = 0

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, ...rest] = (request.url ?? '').split('/').map(decodeURIComponent)
    // A body that was cut off rejects here: nothing of it is stored.
    const body = await buffer(request)
    const path = rest.join('/')
    if (kind === 'o' && request.method === 'PUT') this.#answer(response, this.#store(path, body).md5)
    else if (kind === 'o' && request.method === 'DELETE') {
      this.objects.delete(path)
      this.#answer(response)
    } else if (kind === 'o') {
      const found = this.objects.get(path)
      response.writeHead(found === undefined ? 404 : 200).end(found?.body)
    } else if (kind === 'u') await this.#upload(request, response, path, body)
    else response.writeHead(400).end()
  }

  async #upload(request: IncomingMessage, response: ServerResponse, path: string, body: Buffer): Promise<void> {
    if (request.method === 'PUT') {
      const [id = '', part = ''] = path.split('/')
      const upload = this.uploads.get(id)
      if (upload === undefined) {
        response.writeHead(404).end()
        return
      }
      await new Promise((resolve) => setTimeout(resolve, this.partDelayMs))
      this.partsReceived += 1
      if (upload.parts.has(Number(part))) this.partsRepeated += 1
      upload.parts.set(Number(part), body)
      this.#answer(response, md5Of(body))
      return
    }
    const upload = this.uploads.get(path)
    if (upload === undefined) {
      const id = `upload-${this.#nextUpload}`
      this.#nextUpload += 1
      this.uploads.set(id, { key: path, parts: new Map() })
      response.writeHead(200).end(id)
      return
    }
    const parts = [...upload.parts].sort(([one], [other]) => one - other).map(([, part]) => part)
    const stored = this.#store(upload.key, Buffer.concat(parts))
    this.uploads.delete(path)
    this.#answer(response, stored.md5)
  }

  #store(key: string, body: Buffer): ServedObject {
    const object: ServedObject = {
      bytes: body.byteLength,
      md5: md5Of(body),
      ...(body.byteLength <= KEEP_BYTES ? { body } : {}),
    }
    if (key.endsWith('.m3u8')) this.#check(key, body.toString())
    this.objects.set(key, object)
    this.arrivals.set(key, (this.arrivals.get(key) ?? 0) + 1)
    return object
  }

  #check(key: string, text: string): void {
    const named = namedBy(key, text)
    const before = this.objects.get(key)?.body
    if (before !== undefined && namedBy(key, before.toString()).length > named.length) {
      this.violations.push(`${key} went backwards`)
    }
    for (const each of named) if (!this.objects.has(each)) this.violations.push(`${key} names ${each}`)
  }

  #answer(response: ServerResponse, md5?: string): void {
    response.writeHead(200, md5 === undefined ? {} : { ETag: `"${md5}"` }).end()
  }
}

/** The keys of what a playlist names. */
export function namedBy(key: string, text: string): string[] {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return names.map((name) => folder + name)
}

/** Lower-case hexadecimal. */
export function md5Of(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex')
}
