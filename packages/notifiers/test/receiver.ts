import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request that arrived as a whole. */
export interface Received {
  readonly body: string
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly atMs: number
  /** `recordingId:sequence`. */
  readonly id: string
}

/** What a receiver answers; without it, 200. */
export type Answer = (received: Received, response: ServerResponse) => void

/** An HTTP server on the loopback, ended after the test. */
export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  answer: Answer | undefined
  stop(): Promise<void>
}

export async function startReceiver(
  options: { port?: number; tls?: { key: string; cert: string } } = {},
): Promise<Receiver> {
  const receiver: Omit<Receiver, 'url' | 'port' | 'stop'> = { received: [], answer: undefined }
  const listener: RequestListener = (request, response) => {
    void bodyOf(request).then((body) => {
      const received = {
        body,
        headers: request.headers,
        path: request.url ?? '',
        atMs: Date.now(),
        id: String(request.headers['rushes-event-id']),
      }
      receiver.received.push(received)
      if (receiver.answer === undefined) response.end('ok')
      else receiver.answer(received, response)
    })
  }
  const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  onTestFinished(stop)
  const scheme = options.tls === undefined ? 'http' : 'https'
  return Object.assign(receiver, { port, url: `${scheme}://127.0.0.1:${port}/hook`, stop })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    // The sender broke off.
  }
  return Buffer.concat(chunks).toString()
}
