import { open, realpath } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

/** Nothing else is served: the journals beside the recordings are nobody's business. */
const contentTypes = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.mp4': 'video/mp4',
  '.json': 'application/json',
}

const page = {
  '/': { path: here('page/index.html'), type: 'text/html; charset=utf-8' },
  '/page.js': { path: here('page/page.js'), type: 'text/javascript; charset=utf-8' },
  '/style.css': { path: here('page/style.css'), type: 'text/css; charset=utf-8' },
  '/icon.svg': { path: here('page/icon.svg'), type: 'image/svg+xml' },
  '/hls.js': {
    path: here(import.meta.resolve('hls.js/dist/hls.light.min.mjs')),
    type: 'text/javascript; charset=utf-8',
  },
}

const headers = {
  // A playlist that grows must be asked for each time.
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** Where the recordings are on the page's server. */
export function urlOfKey(key) {
  return `/recordings/${key.split('/').map(encodeURIComponent).join('/')}`
}

/**
 * Serves the page, the recordings under `root` and `/status.json` on this machine alone. Takes `port`, or the next free
 * one after it when `mayMove`.
 */
export async function startServer({ root, status, port, mayMove }) {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      // A player that seeks hangs up in the middle of a file, again and again.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') response.destroy(error)
    })
  })

  async function answer(request, response) {
    const { pathname } = new URL(request.url, 'http://localhost')
    if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405, { allow: 'GET, HEAD' })
    else if (pathname === '/status.json') sendStatus(request, response)
    else if (Object.hasOwn(page, pathname)) await sendFile(request, response, page[pathname])
    else await sendFile(request, response, await recordingAt(root, pathname))
  }

  function sendStatus(request, response) {
    const body = Buffer.from(JSON.stringify(status))
    response.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  const bound = await listen(server, port, mayMove ? 100 : 1)
  return {
    url: `http://127.0.0.1:${bound}/`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** The recording's file that a path names, or `undefined`. Nothing outside of `root` can be named, by no link either. */
async function recordingAt(root, pathname) {
  const prefix = '/recordings/'
  if (!pathname.startsWith(prefix)) return undefined
  let parts
  try {
    parts = pathname.slice(prefix.length).split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
  if (parts.some((part) => part === '' || part.startsWith('.') || /[/\\\0]/.test(part))) return undefined
  const type = contentTypes[extname(parts.at(-1))]
  if (type === undefined) return undefined
  try {
    const base = await realpath(root)
    const path = await realpath(join(base, ...parts))
    return path.startsWith(base + sep) ? { path, type } : undefined
  } catch {
    return undefined
  }
}

async function sendFile(request, response, found) {
  const file = await open(found?.path ?? '').catch(() => undefined)
  try {
    const stat = await file?.stat()
    if (file === undefined || !stat.isFile()) refuse(response, 404)
    else await sendRange(request, response, { file, size: stat.size, type: found.type })
  } finally {
    await file?.close()
  }
}

async function sendRange(request, response, { file, size, type }) {
  const range = parseRange(request.headers.range, size)
  if (range === 'unsatisfiable') {
    refuse(response, 416, { 'content-range': `bytes */${size}` })
    return
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  response.writeHead(range === undefined ? 200 : 206, {
    ...headers,
    'accept-ranges': 'bytes',
    'content-type': type,
    'content-length': end - start + 1,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) response.end()
  else await pipeline(file.createReadStream({ start, end, autoClose: false }), response)
}

/** One byte range of RFC 9110 §14.1.2. Several ranges, and other units, may be ignored: then the whole file is sent. */
export function parseRange(header, size) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}

function refuse(response, code, more = {}) {
  response.writeHead(code, { ...headers, ...more, 'content-length': 0 })
  response.end()
}

async function listen(server, port, attempts) {
  for (let candidate = port; ; candidate += 1) {
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(candidate, '127.0.0.1', () => {
          server.removeListener('error', reject)
          resolve()
        })
      })
      return server.address().port
    } catch (error) {
      const isLast = candidate - port + 1 >= attempts || candidate === 65_535
      if (error.code !== 'EADDRINUSE' || isLast) {
        throw new Error(`No server on 127.0.0.1:${candidate} (${error.code}). Choose another with --port.`, {
          cause: error,
        })
      }
    }
  }
}

function here(path) {
  return fileURLToPath(new URL(path, import.meta.url))
}
