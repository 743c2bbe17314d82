import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@rushes/storage-adapters'
import { createOssStore } from '@rushes/storage-adapters/oss'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { createSpool, type Spool } from '@rushes/storage-adapters/spool'
import { describe, expect, it, type TestContext } from 'vitest'
import { startS3LikeServer } from '../../packages/storage-adapters/test/s3/s3-like-server.js'
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.js'
import { startOssServer } from '../servers/oss-server.js'

const DAY_MS = 86_400_000

/** A server, and a store on it by way of a port, which gives up after `silenceMs` by itself. */
interface Site {
  readonly port: number
  readonly objects: ReadonlyMap<string, unknown>
  createStore(port: number, silenceMs: number): Store
  close(): Promise<void>
}

async function s3Site(): Promise<Site> {
  const { endpoint, objects, close } = await startS3LikeServer()
  return {
    port: Number(new URL(endpoint).port),
    objects,
    createStore: (port, idleTimeoutMs) =>
      createS3Store({
        bucket: 'calls',
        endpoint: `http://127.0.0.1:${port}`,
        forcePathStyle: true,
        credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
        maxAttempts: 1,
        idleTimeoutMs,
      }),
    close,
  }
}

async function ossSite(): Promise<Site> {
  const keys = { 'LTAI-test': { secret: 'secret' } }
  const { port: own, objects, close } = await startOssServer({ keys, buckets: { calls: 'cn-hangzhou' } })
  return {
    port: own,
    objects,
    createStore: (port, timeoutMs) =>
      createOssStore({
        bucket: 'calls',
        region: 'cn-hangzhou',
        endpoint: `http://localhost:${port}`,
        pathStyle: true,
        credentials: { accessKeyId: 'LTAI-test', accessKeySecret: 'secret' },
        maxAttempts: 1,
        timeoutMs,
      }),
    close,
  }
}

async function spoolOn(
  site: Site,
  silenceMs: number,
  { onTestFinished }: TestContext,
): Promise<{ readonly spool: Spool; readonly proxy: FaultProxy }> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-slow-'))
  const proxy = await startFaultProxy({ upstreamPort: site.port })
  const store = site.createStore(proxy.port, silenceMs)
  const spool = await createSpool({ store, dir, stallMs: 1000, backOff: { firstMs: 10, maxMs: 100 } })
  onTestFinished(async () => {
    await spool.close()
    await proxy.close()
    await site.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return { spool, proxy }
}

/** Rejects with the first failure of a transfer. */
function firstFailure(spool: Spool): Promise<never> {
  return new Promise((_resolve, reject) => {
    spool.on((event) => {
      if (event.type === 'retrying' || event.type === 'failed') reject(new Error(event.message))
    })
  })
}

describe.concurrent.each([
  { name: 'S3', start: s3Site },
  { name: 'OSS', start: ossSite },
])('$name through a spool', ({ start }) => {
  it('gets through at 2 kB/s, where a second of silence counts as death', async (context) => {
    const site = await start()
    const { spool, proxy } = await spoolOn(site, 1000, context)
    proxy.set({ mode: 'throttle', bytesPerSecond: 2000 })
    const started = performance.now()
    await spool.put('segment.ts', Buffer.alloc(16_000))
    // Whatever goes wrong is said at once.
    await Promise.race([spool.settled(), firstFailure(spool)])
    // The proxy holds all of it for so long, and nobody hears a byte.
    expect(performance.now() - started).toBeGreaterThan(7000)
    expect(spool.stats).toMatchObject({ stored: 1, failures: {}, stalled: 0 })
    expect([...site.objects.keys()]).toEqual(['calls/segment.ts'])
  })

  it('is tried again when a connection is dead, also where the store would wait for a day', async (context) => {
    const site = await start()
    const { spool, proxy } = await spoolOn(site, DAY_MS, context)
    proxy.set({ mode: 'blackhole' })
    await spool.put('segment.ts', Buffer.alloc(100))
    await expect.poll(() => spool.stats.stalled, { timeout: 60_000, interval: 20 }).toBeGreaterThan(1)
    expect(spool.stats.failures).toEqual({ STORE_UNAVAILABLE: spool.stats.stalled })
    expect(site.objects.size).toBe(0)
    proxy.set({ mode: 'pass' })
    await spool.settled()
    expect(spool.stats).toMatchObject({ stored: 1, waiting: 0 })
    expect([...site.objects.keys()]).toEqual(['calls/segment.ts'])
  })
})
