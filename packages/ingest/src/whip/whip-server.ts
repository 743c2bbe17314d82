import type { AddressInfo } from 'node:net'
import { ConfigurationError } from '@rushes/media'
import { fastify } from 'fastify'
import { whipEndpoint } from './whip-endpoint.js'
import type { WhipEndpointOptions } from './whip-options.js'

/** Options of `startWhipServer`. */
export interface WhipServerOptions extends WhipEndpointOptions {
  /** TCP port; 0 for any. @defaultValue 8080 */
  readonly port?: number
  /** Any but loopback lets in whoever can reach it: then `authorize`, and TLS in front. @defaultValue '127.0.0.1' */
  readonly bindAddress?: string
  /** Where publications are taken. @defaultValue '/whip' */
  readonly path?: string
}

/** A server that does nothing but WHIP. */
export interface WhipServer {
  readonly url: string
  readonly port: number
  /** Ends all sessions and stops listening. */
  close(): Promise<void>
}

/** Starts a server with a WHIP endpoint and nothing else. @throws ConfigurationError */
export async function startWhipServer(options: WhipServerOptions): Promise<WhipServer> {
  const { port = 8080, bindAddress = '127.0.0.1', path = '/whip' } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ConfigurationError('port', 'must be an integer from 0 to 65,535', port)
  }
  if (!/^(\/[\w.~-]+)+$/.test(path)) throw new ConfigurationError('path', "must be a path such as '/whip'", path)
  // Without it a publisher with an open connection could hold up the end.
  const app = fastify({ forceCloseConnections: true })
  try {
    await app.register(whipEndpoint, { ...options, prefix: path })
    await app.listen({ port, host: bindAddress })
  } catch (cause) {
    await app.close()
    if (cause instanceof ConfigurationError) throw cause
    const { message } = cause as Error
    throw Object.assign(new ConfigurationError('port', `cannot listen on ${bindAddress}: ${message}`), { cause })
  }
  const { port: chosen } = app.server.address() as AddressInfo
  const host = bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress
  return { url: `http://${host}:${chosen}${path}`, port: chosen, close: () => app.close() }
}
