import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { patienceMs } from '../slow-lines.js'
import type { S3Settings } from './s3-settings.js'

type AnyHandler = S3Client['config']['requestHandler']

/** What sends the requests of a client of the SDK. */
export type RequestHandler = Pick<AnyHandler, 'handle' | 'destroy' | 'metadata'> & {
  updateHttpClientConfig(key: never, value: never): void
  httpHandlerConfigs(): object
}

/** How long a connection may take to be there. */
const CONNECT_MS = 10_000
/** Bodies of like sizes have one patience; each is as large as two of the one below. */
const SMALLEST_CLASS_BYTES = 16_384

/**
 * Sends requests, and gives each as much silence as its body needs on a slow line: the SDK has one time for all. All go
 * through the same sockets.
 */
export function patientHandler(settings: Pick<S3Settings, 'requestTimeoutMs' | 'idleTimeoutMs'>): RequestHandler {
  // More than may be under way: a request that waits for a socket would count as not connected.
  const options = { keepAlive: true, maxSockets: Infinity }
  const agents = { httpAgent: new Agent(options), httpsAgent: new SecureAgent(options) }
  const handlers = new Map<number, RequestHandler>()
  const handlerFor = (bytes: number): RequestHandler => {
    const size =
      bytes === 0 ? 0 : SMALLEST_CLASS_BYTES * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / SMALLEST_CLASS_BYTES)))
    const socketTimeout = patienceMs(settings.idleTimeoutMs, size)
    let handler = handlers.get(socketTimeout)
    if (handler === undefined) {
      handler = createHandler(settings, { ...agents, socketTimeout })
      handlers.set(socketTimeout, handler)
    }
    return handler
  }
  const plain = handlerFor(0)
  return {
    ...(plain.metadata === undefined ? {} : { metadata: plain.metadata }),
    handle: (request, given) => handlerFor(Number(request.headers['content-length'] ?? 0)).handle(request, given),
    updateHttpClientConfig: (key, value) => {
      for (const handler of handlers.values()) handler.updateHttpClientConfig(key, value)
    },
    httpHandlerConfigs: () => plain.httpHandlerConfigs(),
    destroy: () => {
      agents.httpAgent.destroy()
      agents.httpsAgent.destroy()
    },
  }
}

/** The handler that the SDK makes for itself, whose class it does not give out. */
function createHandler(
  { requestTimeoutMs }: Pick<S3Settings, 'requestTimeoutMs'>,
  options: { readonly httpAgent: Agent; readonly httpsAgent: SecureAgent; readonly socketTimeout: number },
): RequestHandler {
  const { requestHandler } = new S3Client({
    requestHandler: {
      ...options,
      ...(requestTimeoutMs === Infinity ? {} : { requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }),
      connectionTimeout: Math.min(CONNECT_MS, requestTimeoutMs),
    },
  }).config
  return requestHandler as unknown as RequestHandler
}
