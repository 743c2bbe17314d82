import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Store } from '@rushes/storage-adapters'
import { createSpool, type SpoolEvent } from '@rushes/storage-adapters/spool'
import { type Fault, SLOW_DOWN, startFaultProxy } from '../servers/fault-proxy.js'
import { md5Of, namedBy, OutageServer } from './outage-server.js'
import { OutageStore } from './outage-store.js'

/** What was seen. */
export interface OutageReport {
  readonly written: number
  readonly missing: readonly string[]
  readonly violations: readonly string[]
  /** Objects that arrived again though nothing had changed: their answer was lost. */
  readonly repeated: number
  readonly mostWaiting: number
  /** Connections during the outage. */
  readonly attempts: number
  readonly events: Readonly<Record<string, number>>
  readonly heapGrowthBytes: number
  readonly worstEventLoopMs: number
  /** From the end of the outage until everything was there. */
  readonly catchUpMs: number
}

/** One stretch of time, and what the network does in it. */
export interface OutagePhase {
  readonly ms: number
  readonly fault: Fault
}

/** What networks and stores do when they are down, one after the other. */
export function outagePhases(totalMs: number): readonly OutagePhase[] {
  const faults: readonly Fault[] = [
    { mode: 'refuse' },
    { mode: 'blackhole' },
    SLOW_DOWN,
    { mode: 'reset', afterBytes: 2000 },
    { mode: 'corrupt', atByte: 3000 },
    { mode: 'half-response', afterBytes: 10 },
  ]
  return faults.map((fault) => ({ ms: totalMs / faults.length, fault }))
}

/** What is put through an outage. */
export interface OutageSite {
  /** Where the server listens. */
  readonly port: number
  /** The store, by way of the port of the proxy. */
  createStore(port: number): Store
  /** Reads an object past the proxy. */
  read(key: string): Promise<Uint8Array | undefined>
  /** What the server itself has seen. */
  readonly server?: Pick<OutageServer, 'violations' | 'arrivals'>
  close(): Promise<void>
}

/** The small server of these tests. */
export async function outageServerSite(): Promise<OutageSite> {
  const server = new OutageServer()
  return {
    port: await server.listen(),
    createStore: (port) => new OutageStore(port),
    read: async (key) => server.objects.get(key)?.body,
    server,
    close: () => server.close(),
  }
}

/**
 * Three writers put segments and playlists as recordings do, while the store fails in one way after the other; at the
 * end the last playlist of each writer says that it is complete. A reader looks at the playlists all the time.
 */
export async function runOutage(
  site: OutageSite,
  phases: readonly OutagePhase[],
  segmentMs: number,
): Promise<OutageReport> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-outage-'))
  const proxy = await startFaultProxy({ upstreamPort: site.port })
  const store = site.createStore(proxy.port)
  const spool = await createSpool({ store, dir, backOff: { firstMs: 100, maxMs: 1000 } })
  const events: Record<string, number> = {}
  let mostWaiting = 0
  spool.on(({ type }: SpoolEvent) => {
    events[type] = (events[type] ?? 0) + 1
    mostWaiting = Math.max(mostWaiting, spool.stats.waiting)
  })
  const delay = monitorEventLoopDelay({ resolution: 10 })
  const expected = new Map<string, string>()
  const folders = [0, 1, 2].map((writer) => `room/${writer}/`)
  const violations: string[] = []
  const progress = { isOver: false, isComplete: false }
  const heapBefore = process.memoryUsage().heapUsed
  try {
    delay.enable()
    const reader = (async () => {
      const seen = new Map<string, number>()
      for (;;) {
        // Once more after the end.
        const last = progress.isComplete
        for (const folder of folders) violations.push(...(await lookAt(`${folder}index.m3u8`, site, seen)))
        if (last) return
        await wait(segmentMs / 2)
      }
    })()
    const writers = folders.map(async (folder) => {
      const lines = ['#EXTM3U', '#EXT-X-TARGETDURATION:2']
      const put = async (name: string, body: Buffer): Promise<void> => {
        await spool.put(folder + name, body)
        expected.set(folder + name, md5Of(body))
      }
      for (let count = 0; !progress.isOver; count += 1) {
        await put(`${count}.ts`, Buffer.alloc(20_000, `${folder} ${count} `))
        lines.push('#EXTINF:2,', `${count}.ts`)
        await put('index.m3u8', Buffer.from(`${lines.join('\n')}\n`))
        await wait(segmentMs)
      }
      await put('index.m3u8', Buffer.from(`${lines.join('\n')}\n#EXT-X-ENDLIST\n`))
      await put('manifest.json', Buffer.from(JSON.stringify({ folder })))
    })
    await wait(5 * segmentMs)
    const acceptedBefore = proxy.accepted
    for (const { ms, fault } of phases) {
      proxy.set(fault)
      await wait(ms)
    }
    const attempts = proxy.accepted - acceptedBefore
    proxy.set({ mode: 'pass' })
    const back = performance.now()
    await wait(5 * segmentMs)
    progress.isOver = true
    await Promise.all(writers)
    await spool.settled('room/')
    const catchUpMs = performance.now() - back
    progress.isComplete = true
    await reader
    const missing: string[] = []
    for (const [key, md5] of expected) {
      const found = await site.read(key)
      if (found === undefined || md5Of(found) !== md5) missing.push(key)
    }
    const arrivals = [...(site.server?.arrivals ?? [])].filter(([key]) => !key.endsWith('.m3u8'))
    return {
      written: expected.size,
      missing,
      violations: [...violations, ...(site.server?.violations ?? [])],
      repeated: arrivals.reduce((sum, [, count]) => sum + count - 1, 0),
      mostWaiting,
      attempts,
      events,
      heapGrowthBytes: process.memoryUsage().heapUsed - heapBefore,
      worstEventLoopMs: delay.max / 1e6,
      catchUpMs,
    }
  } finally {
    progress.isOver = true
    progress.isComplete = true
    delay.disable()
    await spool.close()
    await proxy.close()
    await site.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** What a reader finds wrong with a playlist. `seen` has the number of its lines at the last look. */
async function lookAt(key: string, site: OutageSite, seen: Map<string, number>): Promise<string[]> {
  const text = await site.read(key)
  if (text === undefined) return seen.has(key) ? [`${key} is gone`] : []
  const named = namedBy(key, Buffer.from(text).toString())
  const known = seen.get(key) ?? 0
  const violations = named.length < known ? [`${key} went backwards`] : []
  seen.set(key, named.length)
  for (const each of named.slice(known)) {
    if ((await site.read(each)) === undefined) violations.push(`${key} names ${each}`)
  }
  return violations
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
