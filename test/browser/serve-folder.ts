import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
  '.ts': 'video/mp2t',
}

export interface FolderServer {
  readonly origin: string
  close(): Promise<void>
}

/** Serves files below `root` on loopback, with byte ranges, and `pages` by their path. */
export async function serveFolder(root: string, pages: ReadonlyMap<string, string>): Promise<FolderServer> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    const page = pages.get(path)
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': CONTENT_TYPES[extname(path)] ?? CONTENT_TYPES['.html'] })
      response.end(page)
      return
    }
    const file = join(root, normalize(path))
    stat(file).then(
      ({ size }) => {
        const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
        const start = Number(range?.[1] ?? 0)
        const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1
        response.writeHead(range === null ? 200 : 206, {
          'content-type': CONTENT_TYPES[extname(file)] ?? 'application/octet-stream',
          'content-length': end - start + 1,
          'accept-ranges': 'bytes',
          ...(range === null ? undefined : { 'content-range': `bytes ${start}-${end}/${size}` }),
        })
        createReadStream(file, { start, end }).pipe(response)
      },
      () => {
        response.writeHead(404)
        response.end()
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
