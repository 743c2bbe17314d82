import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LossyRelay, type RelayOptions } from './lossy-relay.js'
import { loopbackPort, throughRelay, withoutCandidates } from './sdp-candidates.js'

/** Where offers go once their candidates are gone. */
export interface OfferTaker {
  /** Resolves with the answer, and with what ends the publication. */
  publish(participantId: string, offer: string): Promise<{ readonly answer: string; hangUp(): Promise<unknown> }>
}

/** What happens to the packets of each publisher. */
export type PathOptions = Omit<RelayOptions, 'serverPort'>

/** The page of publishers, and a signalling that leads their media through relays. */
export class CallServer {
  readonly #taker: OfferTaker
  readonly #path: PathOptions
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #relays = new Map<string, LossyRelay>()
  readonly #publications = new Map<string, { hangUp(): Promise<unknown> }>()

  private constructor(taker: OfferTaker, path: PathOptions) {
    this.#taker = taker
    this.#path = path
  }

  static async open(taker: OfferTaker, path: PathOptions): Promise<CallServer> {
    const server = new CallServer(taker, path)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  /** The page; offers go to `publish/` and a participant's id below it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  relayOf(participantId: string): LossyRelay {
    const relay = this.#relays.get(participantId)
    if (relay === undefined) throw new Error(`${participantId} has not published`)
    return relay
  }

  async close(): Promise<void> {
    for (const relay of this.#relays.values()) relay.close()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = /^\/publish\/([\w-]+)$/.exec(request.url ?? '')?.[1]
    try {
      if (id === undefined) {
        const page = await readFile(new URL('publisher-page.html', import.meta.url))
        response.writeHead(200, { 'content-type': 'text/html' }).end(page)
      } else if (request.method === 'POST') {
        const sdp = await this.#publish(id, await bodyOf(request))
        response.writeHead(201, { 'content-type': 'application/sdp', location: `/publish/${id}` }).end(sdp)
      } else {
        await this.#publications.get(id)?.hangUp()
        response.writeHead(200).end()
      }
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    }
  }

  async #publish(id: string, offer: string): Promise<string> {
    const publication = await this.#taker.publish(id, withoutCandidates(offer))
    this.#publications.set(id, publication)
    const { answer } = publication
    const seed = this.#path.seed + 1000 * this.#relays.size
    const relay = await LossyRelay.open({ ...this.#path, seed, serverPort: loopbackPort(answer) })
    this.#relays.set(id, relay)
    return throughRelay(answer, relay.port)
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return body
}
