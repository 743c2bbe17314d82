import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that came in whole. */
export interface SeenRequest {
  readonly method: string
  /** Decoded, without the first slash: `bucket/key`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What is answered instead of what S3 would answer. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Answers a request, or leaves it to the server; `hang` never answers, `cut` breaks the connection. */
export type Answering = (request: SeenRequest) => Answer | 'hang' | 'cut' | undefined

/** A server that answers as S3 does, without looking at signatures, and whose answers a test may change. */
export interface S3LikeServer {
  readonly endpoint: string
  /** By `bucket/key`. */
  readonly objects: Map<string, Buffer>
  readonly uploads: Map<string, Map<number, Buffer>>
  readonly seen: SeenRequest[]
  answering: Answering
  readonly close: () => Promise<void>
}

/** An error as S3 says it. */
export function s3Error(
  status: number,
  code: string,
  extra = '',
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Said by the test</Message>${extra}<RequestId>REQ1</RequestId><HostId>host</HostId></Error>`
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body }
}

/** Starts one on the loopback. */
export async function startS3LikeServer(answering: Answering = () => undefined): Promise<S3LikeServer> {
  const objects = new Map<string, Buffer>()
  const uploads = new Map<string, Map<number, Buffer>>()
  const seen: SeenRequest[] = []
  const http = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://host')
      const request: SeenRequest = {
        method: incoming.method ?? '',
        path: decodeURIComponent(url.pathname).slice(1),
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
      }
      seen.push(request)
      const answer = server.answering(request) ?? usualAnswer(request, objects, uploads)
      if (answer === 'hang') return
      if (answer === 'cut') {
        incoming.socket.resetAndDestroy()
        return
      }
      response.writeHead(answer.status, answer.headers)
      response.end(request.method === 'HEAD' ? undefined : answer.body)
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const server: S3LikeServer = {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    objects,
    uploads,
    seen,
    answering,
    close: async () => {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
  return server
}

function usualAnswer(
  { method, path, query, body }: SeenRequest,
  objects: Map<string, Buffer>,
  uploads: Map<string, Map<number, Buffer>>,
): Answer {
  const uploadId = query.get('uploadId')
  const parts = uploadId === null ? undefined : uploads.get(uploadId)
  if (uploadId !== null && parts === undefined) return s3Error(404, 'NoSuchUpload')
  if (method === 'POST' && query.has('uploads')) {
    const id = `upload-${uploads.size + 1}`
    uploads.set(id, new Map())
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
  }
  if (method === 'PUT' && parts !== undefined) {
    parts.set(Number(query.get('partNumber')), body)
    return { status: 200, headers: { etag: `"${md5(body)}"` } }
  }
  if (method === 'POST' && parts !== undefined && uploadId !== null) {
    const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) =>
      Number(number),
    )
    const bodies = numbers.map((number) => parts.get(number) ?? Buffer.alloc(0))
    objects.set(path, Buffer.concat(bodies))
    uploads.delete(uploadId)
    const etag = md5(Buffer.concat(bodies.map((part) => Buffer.from(md5(part), 'hex'))))
    return xml(
      `<CompleteMultipartUploadResult><ETag>"${etag}-${numbers.length}"</ETag></CompleteMultipartUploadResult>`,
    )
  }
  if (method === 'DELETE') {
    if (uploadId === null) objects.delete(path)
    else uploads.delete(uploadId)
    return { status: 204 }
  }
  if (method === 'PUT') {
    objects.set(path, body)
    return { status: 200, headers: { etag: `"${md5(body)}"` } }
  }
  if (query.has('location')) return xml('<LocationConstraint>eu-west-1</LocationConstraint>')
  if (query.get('list-type') === '2') {
    const bucket = path.replace(/\/$/, '')
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(bucket.length + 1))
    const contents = keys.map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`)
    return xml(`<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`)
  }
  const object = objects.get(path)
  return object === undefined ? s3Error(404, 'NoSuchKey') : { status: 200, body: object.toString('latin1') }
}

function xml(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` }
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex')
}
