import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FaultProxy, SLOW_DOWN, startFaultProxy } from './fault-proxy.js'

/** Answers with the MD5 of what it was sent, as the ETag and as the body. */
let server: Server
let proxy: FaultProxy
let received = 0

beforeAll(async () => {
  server = createServer((incoming, response) => {
    void buffer(incoming).then(
      (bytes) => {
        received += 1
        const md5 = createHash('md5').update(bytes).digest('hex')
        response.writeHead(200, { ETag: `"${md5}"` }).end(md5)
      },
      () => {},
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await startFaultProxy({ upstreamPort: (server.address() as AddressInfo).port })
})

afterAll(async () => {
  await proxy.close()
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  proxy.set({ mode: 'pass' })
  received = 0
})

const body = Buffer.alloc(300_000, 'rushes')
const md5 = createHash('md5').update(body).digest('hex')

async function put(timeoutMs = 10_000): Promise<{ status: number; etag: string; text: string }> {
  const outgoing = request({ port: proxy.port, method: 'PUT', agent: false, timeout: timeoutMs })
  outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')))
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await buffer(incoming)).toString()
  return { status: incoming.statusCode ?? 0, etag: incoming.headers.etag ?? '', text }
}

describe('the fault proxy', () => {
  it('passes', async () => {
    expect(await put()).toEqual({ status: 200, etag: `"${md5}"`, text: md5 })
  })

  it('delays and throttles, and everything arrives', async () => {
    const started = performance.now()
    proxy.set({ mode: 'latency', ms: 20 })
    expect((await put()).text).toBe(md5)
    expect(performance.now() - started).toBeGreaterThanOrEqual(40)
    proxy.set({ mode: 'throttle', bytesPerSecond: 1_000_000 })
    const throttled = performance.now()
    expect((await put()).text).toBe(md5)
    expect(performance.now() - throttled).toBeGreaterThanOrEqual(250)
  })

  it('resets in the middle of the request, before anybody has it', async () => {
    proxy.set({ mode: 'reset', afterBytes: 100_000 })
    await expect(put()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) })
    expect(received).toBe(0)
  })

  it('resets in the middle of the answer, when the server has it all', async () => {
    proxy.set({ mode: 'half-response', afterBytes: 20 })
    await expect(put()).rejects.toThrow(/aborted|socket hang up|ECONNRESET/)
    expect(received).toBe(1)
  })

  it('refuses, and goes on afterwards', async () => {
    proxy.set({ mode: 'refuse' })
    await expect(put()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) })
    proxy.set({ mode: 'pass' })
    expect((await put()).status).toBe(200)
  })

  it('answers nothing', async () => {
    proxy.set({ mode: 'blackhole' })
    await expect(put(200)).rejects.toThrow('timeout')
    expect(received).toBe(0)
  })

  it('corrupts bytes, and checksums', async () => {
    proxy.set({ mode: 'corrupt', atByte: 200_000 })
    const corrupted = await put()
    expect(corrupted.status).toBe(200)
    expect(corrupted.text).not.toBe(md5)
    proxy.set({ mode: 'wrong-checksum' })
    const lied = await put()
    expect(lied.text).toBe(md5)
    expect(lied.etag).toMatch(/^"[0-9a-f]{32}"$/)
    expect(lied.etag).not.toBe(`"${md5}"`)
  })

  it('answers by itself', async () => {
    proxy.set(SLOW_DOWN)
    const answered = await put()
    expect(answered.status).toBe(503)
    expect(answered.text).toContain('SlowDown')
    expect(received).toBe(0)
  })

  it('meets only a share of the connections, and cuts those that are open', async () => {
    const numbers = [0.1, 0.9, 0.2, 0.8]
    const own = await startFaultProxy({
      upstreamPort: (server.address() as AddressInfo).port,
      random: () => numbers.shift() ?? 0,
    })
    try {
      own.set({ mode: 'refuse' }, { share: 0.5 })
      const statuses: number[] = []
      for (let count = 0; count < 4; count += 1) {
        const outgoing = request({ port: own.port, method: 'PUT', agent: false })
        outgoing.end('x')
        const status = await once(outgoing, 'response').then(
          ([incoming]) => (incoming as IncomingMessage).resume().statusCode ?? 0,
          () => 0,
        )
        statuses.push(status)
      }
      expect(statuses).toEqual([0, 200, 0, 200])
      own.set({ mode: 'blackhole' })
      const hanging = request({ port: own.port, method: 'PUT', agent: false })
      hanging.end(body)
      await expect.poll(() => own.accepted, { timeout: 30_000 }).toBe(5)
      const ended = once(hanging, 'response')
      own.set({ mode: 'pass' })
      await expect(ended).rejects.toMatchObject({ code: 'ECONNRESET' })
    } finally {
      await own.close()
    }
  })
})
