import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, Agent as SecureAgent } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { patienceMs } from '../slow-lines.js'

/** Answers that are read as a whole: errors, and lists of 1,000 keys of 1,023 encoded bytes. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
/** A socket that waits for its next request this long is closed by us, before the service does it in the middle of one. */
const FREE_SOCKET_MS = 15_000

/** One request: what its caller wants beyond what ali-oss knows, and what is kept of the answer. */
export interface OssExchange {
  readonly signal: AbortSignal | undefined
  status?: number
  headers?: IncomingHttpHeaders
  /** The answer of a request that failed, as far as it is text. */
  answer?: string
  /** Why there was no answer. */
  failure?: Error
  /** A socket that was kept from an earlier request was closed before anything came back. */
  staleSocket?: boolean
}

/** The arguments that ali-oss gives to its HTTP client, as far as they are looked at. */
export interface OssRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly content?: string | Buffer
  readonly stream?: Readable
  /** The answer is given as a stream. */
  readonly customResponse?: boolean
}

/** The answer as ali-oss wants it. */
export interface OssResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly data: Buffer | undefined
  readonly res: IncomingMessage | { readonly status: number; readonly headers: IncomingHttpHeaders }
}

/**
 * The HTTP client under ali-oss, in place of its own: it can be aborted, it tells why it failed, and its time limit is
 * for silence and not for the whole transfer, which for a large part on a slow line has no sensible limit.
 */
export class OssTransport {
  readonly #agent: Agent
  readonly #secureAgent: SecureAgent
  readonly #timeoutMs: number

  constructor(options: { readonly timeoutMs: number; readonly ca?: string | readonly string[] }) {
    const common = { keepAlive: true, timeout: FREE_SOCKET_MS }
    this.#agent = new Agent(common)
    this.#secureAgent = new SecureAgent({
      ...common,
      ...(options.ca === undefined ? {} : { ca: typeof options.ca === 'string' ? options.ca : [...options.ca] }),
    })
    this.#timeoutMs = options.timeoutMs
  }

  /** Makes a request of ali-oss. */
  async request(url: string, args: OssRequest, exchange: OssExchange): Promise<OssResponse> {
    try {
      const message = await this.#send(url, args, exchange)
      const { headers } = message
      const status = message.statusCode ?? 0
      exchange.status = status
      exchange.headers = headers
      if (args.customResponse === true && status < 300) return { status, headers, data: undefined, res: message }
      const data = await readAnswer(message)
      if (status >= 300) exchange.answer = data.toString('utf8')
      return { status, headers, data, res: { status, headers } }
    } catch (error) {
      exchange.failure = error as Error
      throw error
    }
  }

  close(): void {
    this.#agent.destroy()
    this.#secureAgent.destroy()
  }

  #send(
    url: string,
    { method, headers, content, stream }: OssRequest,
    exchange: OssExchange,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const secure = url.startsWith('https:')
      const timeoutMs = patienceMs(this.#timeoutMs, Number(headers['Content-Length'] ?? headers['content-length'] ?? 0))
      const request = (secure ? requestHttps : requestHttp)(url, {
        method,
        headers,
        agent: secure ? this.#secureAgent : this.#agent,
        timeout: timeoutMs,
        ...(exchange.signal === undefined ? {} : { signal: exchange.signal }),
      })
      let response: IncomingMessage | undefined
      request.on('response', (message) => {
        response = message
        resolve(message)
      })
      request.on('timeout', () => {
        // The reader is slow, and not the service.
        if (response !== undefined && response.readableLength > 0) request.socket?.setTimeout(timeoutMs)
        else request.destroy(timedOut(timeoutMs))
      })
      request.on('error', (error) => {
        exchange.staleSocket = request.reusedSocket && response === undefined && exchange.signal?.aborted !== true
        reject(error)
      })
      if (stream === undefined) request.end(content)
      // A service that has answered need not have taken everything: what went wrong then is said by its answer.
      else pipeline(stream, request, () => {})
    })
  }
}

function timedOut(timeoutMs: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`not a byte for ${timeoutMs} ms`), { code: 'ETIMEDOUT' })
}

async function readAnswer(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += (chunk as Buffer).byteLength
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
