import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Duplex, Transform, type TransformCallback } from 'node:stream'

/** What the proxy does to connections, from the next one on. Bytes are counted per connection. */
export type Fault =
  | { readonly mode: 'pass' }
  /** Each chunk waits so long, in both directions. */
  | { readonly mode: 'latency'; readonly ms: number }
  /** So many bytes per second and connection towards the server. */
  | { readonly mode: 'throttle'; readonly bytesPerSecond: number }
  /** Reset once so many bytes have gone towards the server. */
  | { readonly mode: 'reset'; readonly afterBytes: number }
  /** Reset once so many bytes of the answers have come back: what was sent has arrived, and nobody knows. */
  | { readonly mode: 'half-response'; readonly afterBytes: number }
  /** Reset at once, as a host without the service does. */
  | { readonly mode: 'refuse' }
  /** Accepted, read, and never answered. */
  | { readonly mode: 'blackhole' }
  /** Flips a bit of the byte at this place of what goes towards the server. */
  | { readonly mode: 'corrupt'; readonly atByte: number }
  /** Changes the checksums in the heads of the answers (ETag, Content-MD5, x-amz-checksum-*). */
  | { readonly mode: 'wrong-checksum' }
  /** Answers every connection by itself, in HTTP. */
  | {
      readonly mode: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
    }

/** What S3 says when it is asked too often. */
export const SLOW_DOWN: Fault = {
  mode: 'answer',
  status: 503,
  headers: { 'Content-Type': 'application/xml', 'Retry-After': '1' },
  body: '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
}

/** A running proxy. */
export interface FaultProxy {
  readonly port: number
  /** Connections accepted so far. */
  readonly accepted: number
  /**
   * Changes the fault; those connections that are open end with a reset, unless `keepOpen`. `share` (0 to 1) of the new
   * connections meet it, the others pass.
   */
  set(fault: Fault, options?: { readonly keepOpen?: boolean; readonly share?: number }): void
  close(): Promise<void>
}

/** Starts a TCP proxy on the loopback whose faults can be changed while it runs. */
export async function startFaultProxy(options: {
  readonly upstreamPort: number
  readonly upstreamHost?: string
  readonly port?: number
  /** Numbers from 0 to less than 1, for `share`. @defaultValue `Math.random` */
  readonly random?: () => number
}): Promise<FaultProxy> {
  const proxy = new TcpProxy(options)
  await proxy.listen(options.port ?? 0)
  return proxy
}

class TcpProxy implements FaultProxy {
  readonly #server: Server
  readonly #upstream: { readonly host: string; readonly port: number }
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  #fault: Fault = { mode: 'pass' }
  #share = 1
  accepted = 0
  port = 0

  constructor(options: Parameters<typeof startFaultProxy>[0]) {
    this.#upstream = { host: options.upstreamHost ?? '127.0.0.1', port: options.upstreamPort }
    this.#random = options.random ?? Math.random
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    const address = this.#server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
  }

  set(fault: Fault, { keepOpen = false, share = 1 }: { keepOpen?: boolean; share?: number } = {}): void {
    this.#fault = fault
    this.#share = share
    if (!keepOpen) for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(client: Socket): void {
    this.accepted += 1
    const fault: Fault = this.#share < 1 && this.#random() >= this.#share ? { mode: 'pass' } : this.#fault
    this.#sockets.add(client)
    client.on('close', () => this.#sockets.delete(client))
    client.on('error', () => {})
    if (fault.mode === 'refuse') client.resetAndDestroy()
    else if (fault.mode === 'blackhole') client.resume()
    else if (fault.mode === 'answer') answer(client, fault)
    else this.#pass(client, fault)
  }

  #pass(client: Socket, fault: Fault): void {
    const server = connect({ ...this.#upstream, allowHalfOpen: true })
    const cut = (): void => {
      client.resetAndDestroy()
      server.destroy()
    }
    server.on('error', cut)
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    join(client, server, towardsServer(fault, cut))
    join(server, client, towardsClient(fault, cut))
  }
}

/** Unlike `pipeline`, the end of one direction leaves the other one alone. */
function join(from: Duplex, to: Duplex, through: Transform | undefined): void {
  if (through === undefined) {
    from.pipe(to)
    return
  }
  through.on('error', () => {})
  from.pipe(through).pipe(to)
}

function answer(client: Socket, { status, body = '', headers = {} }: Fault & { mode: 'answer' }): void {
  // The request is read to its end: a client that is still writing would see a reset instead of the answer.
  client.resume()
  client.once('data', () => {
    const head = Object.entries({ ...headers, 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' })
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    client.end(`HTTP/1.1 ${status} Fault\r\n${lines}\r\n${body}`)
  })
}

function towardsServer(fault: Fault, cut: () => void): Transform | undefined {
  let bytes = 0
  switch (fault.mode) {
    case 'latency':
      return delaying(() => fault.ms)
    case 'throttle':
      return delaying((chunk) => (chunk.byteLength / fault.bytesPerSecond) * 1000)
    case 'reset':
      return changing((chunk) => {
        bytes += chunk.byteLength
        if (bytes <= fault.afterBytes) return chunk
        cut()
        return undefined
      })
    case 'corrupt':
      return changing((chunk) => {
        const place = fault.atByte - bytes
        bytes += chunk.byteLength
        if (place >= 0 && place < chunk.byteLength) chunk.writeUInt8((chunk[place] as number) ^ 0x10, place)
        return chunk
      })
    default:
      return undefined
  }
}

function towardsClient(fault: Fault, cut: () => void): Transform | undefined {
  let bytes = 0
  switch (fault.mode) {
    case 'latency':
      return delaying(() => fault.ms)
    case 'half-response':
      return changing((chunk) => {
        const rest = fault.afterBytes - bytes
        bytes += chunk.byteLength
        if (chunk.byteLength <= rest) return chunk
        // What is left goes out before the reset.
        setImmediate(cut)
        return chunk.subarray(0, Math.max(0, rest))
      })
    case 'wrong-checksum':
      return changing((chunk) => {
        const text = chunk.toString('latin1')
        const changed = text.replace(/^((?:etag|content-md5|x-amz-checksum-\w+):\s*"?)(\w)/gim, (_, name, first) => {
          return `${name}${first === '0' ? '1' : '0'}`
        })
        return Buffer.from(changed, 'latin1')
      })
    default:
      return undefined
  }
}

function changing(change: (chunk: Buffer) => Buffer | undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      const changed = change(chunk)
      callback(null, changed === undefined || changed.byteLength === 0 ? undefined : changed)
    },
  })
}

function delaying(waitMs: (chunk: Buffer) => number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback) {
      setTimeout(callback, waitMs(chunk), null, chunk)
    },
  })
}
