import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createSpool, readSpool } from '@rushes/storage-adapters/spool'
import { describe, expect, it, onTestFinished } from 'vitest'
import { outagePhases, outageServerSite, runOutage } from './outage-run.js'
import { OutageServer } from './outage-server.js'
import { OutageStore } from './outage-store.js'
import type { Taken } from './spool-process.js'

describe('an outage', () => {
  it('in six ways loses nothing, shows readers nothing half, and costs little', async () => {
    const report = await runOutage(await outageServerSite(), outagePhases(6000), 100)
    expect(report.missing).toEqual([])
    expect(report.violations).toEqual([])
    expect(report.written).toBeGreaterThan(60)
    expect(report.mostWaiting).toBeGreaterThan(30)
    expect(report.events).toMatchObject({ blocked: expect.any(Number), resumed: expect.any(Number) })
    // Only an answer that was lost makes an object come again: in the last way, and where the way changes.
    expect(report.repeated).toBeLessThanOrEqual(report.attempts)
    // Trials go out between 0 and 1 s apart: twice a second on the average, and some when it began.
    expect(report.attempts).toBeLessThan(150)
    expect(report.heapGrowthBytes).toBeLessThan(64 * 1024 * 1024)
  })
})

describe('a process that is killed', () => {
  it('at any instant loses nothing that it had taken, and goes on in the middle of a file', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rushes-killed-'))
    const server = new OutageServer()
    const port = await server.listen()
    onTestFinished(async () => {
      await server.close()
      rmSync(dir, { recursive: true, force: true })
    })
    // A file of 23 parts takes longer than any of the processes lives.
    server.partDelayMs = 40
    const taken = new Map<string, Taken>()
    const kills = 10
    for (let round = 0; round < kills; round += 1) {
      for (const each of await killedAfter(dir, port, round, 1 + round * 60)) taken.set(each.key, each)
    }
    server.partDelayMs = 0
    expect(taken.size).toBeGreaterThan(kills)
    expect((await readSpool(dir)).owner).toBeUndefined()
    expect((await readSpool(dir)).entries.some(({ hasCheckpoint }) => hasCheckpoint)).toBe(true)
    const spool = await createSpool({ store: new OutageStore(port), dir })
    try {
      expect(spool.stats).toMatchObject({ damagedLines: 0, orphans: 0 })
      await spool.drain()
      expect(spool.stats.failures).toEqual({})
    } finally {
      await spool.close()
    }
    for (const { key, bytes, md5 } of taken.values()) {
      const object = server.objects.get(key)
      expect(object, key).toBeDefined()
      // Of a playlist, which only grows, a later version may have been taken whose word has not come out.
      if (key.endsWith('.m3u8')) expect(object?.bytes, key).toBeGreaterThanOrEqual(bytes)
      else expect(object?.md5, key).toBe(md5)
    }
    expect(server.violations).toEqual([])
    // Each death may cost the parts that were under way, of three files.
    expect(server.partsRepeated).toBeLessThanOrEqual(3 * kills)
    expect(server.partsReceived).toBeGreaterThanOrEqual(23 * kills)
    expect(readdirSync(join(dir, 'objects'))).toEqual([])
  })
})

/** Lets a process put objects until it is killed, so long after the first one was taken. */
async function killedAfter(dir: string, port: number, round: number, ms: number): Promise<readonly Taken[]> {
  const script = fileURLToPath(new URL('./spool-process.ts', import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@rushes/source', script, dir, String(port), String(round)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const taken: Taken[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (taken.length === 0) setTimeout(() => child.kill('SIGKILL'), ms)
    taken.push(JSON.parse(line) as Taken)
  }
  const [code, signal] = await exit
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
  return taken
}
