/**
 * `pnpm long:spool-speed [--segments 2000] [--large-megabytes 256] [--rounds 3]`: how fast a spool empties itself,
 * against the store alone with the same files and concurrency; what memory eight large uploads take; what 100,000
 * entries take. The server is another process that reads and forgets. One JSON line per figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createMemoryStore, type PutFileOptions, type Store, type Stored, StoreError } from '@rushes/storage-adapters'
import { createSpool } from '@rushes/storage-adapters/spool'

const SINK = `
  const server = require('node:http').createServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk) => { bytes += chunk.length })
    request.on('end', () => response.end(String(bytes)))
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

/** Sends files by HTTP, and nothing else. */
function sinkStore(port: number): Store & { putFile: NonNullable<Store['putFile']>; isOpen: boolean } {
  const memory = createMemoryStore()
  const agent = new Agent({ keepAlive: true })
  return {
    name: 'sink',
    capabilities: { get: false, list: false, delete: false, signedUrls: false },
    isOpen: true,
    locationOf: (key) => memory.locationOf(key),
    urlFor: (key) => memory.urlFor(key),
    probe: (options) => memory.probe(options),
    put: (key) => Promise.reject(new StoreError('STORE_BAD_SETTINGS', 'files only', { key })),
    async putFile(key: string, path: string, _options?: PutFileOptions): Promise<Stored> {
      if (!this.isOpen) throw new StoreError('STORE_UNAVAILABLE', 'not yet', { key })
      const outgoing = request({ port, method: 'PUT', path: '/', agent })
      const response = once(outgoing, 'response') as Promise<[IncomingMessage]>
      await Promise.all([response, pipeline(createReadStream(path, { highWaterMark: 262_144 }), outgoing)])
      let text = ''
      for await (const chunk of (await response)[0]) text += String(chunk)
      return { bytes: Number(text), location: this.locationOf(key) }
    },
    close: async () => agent.destroy(),
  }
}

async function writeFileOf(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'w')
  const block = Buffer.alloc(1_048_576, 'x')
  for (let left = bytes; left > 0; left -= block.byteLength) {
    await handle.write(block, 0, Math.min(left, block.byteLength))
  }
  await handle.close()
}

async function alone(
  store: ReturnType<typeof sinkStore>,
  paths: readonly string[],
  concurrency: number,
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const left = [...paths]
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop()) await store.putFile('key', path)
    }),
  )
  return { ms: performance.now() - started, cpuMs: cpuMsSince(cpu) }
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function spooled(
  store: ReturnType<typeof sinkStore>,
  paths: readonly string[],
  concurrency: number,
): Promise<{ readonly ms: number; readonly cpuMs: number; readonly grownBytes: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-speed-spool-'))
  // A first process whose store is down leaves everything behind.
  const down = { ...store, isOpen: false, close: async () => {} }
  const spool = await createSpool({ store: down, dir, concurrency, backOff: { firstMs: 1e6, maxMs: 1e6 } })
  for (const [index, path] of paths.entries()) await spool.putFile(`segments/${index}.ts`, path)
  await spool.close()
  globalThis.gc?.()
  const idle = held()
  let most = idle
  const sampling = setInterval(() => {
    most = Math.max(most, held())
  }, 20)
  const cpu = process.cpuUsage()
  const started = performance.now()
  const again = await createSpool({ store, dir, concurrency })
  await again.settled()
  const ms = performance.now() - started
  const cpuMs = cpuMsSince(cpu)
  clearInterval(sampling)
  await again.drain()
  const left = readdirSync(join(dir, 'objects')).length
  if (left > 0) throw new Error(`${left} files are left`)
  rmSync(dir, { recursive: true, force: true })
  return { ms, cpuMs, grownBytes: most - idle }
}

/** The heap and what is held outside of it; resident memory would tell of former rounds too. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const { values } = parseArgs({
  options: {
    segments: { type: 'string', default: '2000' },
    'large-megabytes': { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
  },
})
const dir = mkdtempSync(join(tmpdir(), 'rushes-speed-'))
const server: ChildProcess = spawn(process.execPath, ['-e', SINK], { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const [line] = (await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer]
  const port = Number(line.toString())
  const print = (figure: object): boolean => process.stdout.write(`${JSON.stringify(figure)}\n`)
  mkdirSync(join(dir, 'files'))

  // Each its own file: readers of one would share the cache.
  const segments = Array.from({ length: Number(values.segments) }, (_, index) => join(dir, 'files', `${index}`))
  for (const segment of segments) await writeFileOf(segment, 200_000)
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const without = await alone(sinkStore(port), segments, 4)
    const { ms, cpuMs } = await spooled(sinkStore(port), segments, 4)
    print({ what: 'segments of 200 kB, 4 at a time', without, ms, cpuMs, share: without.ms / ms })
  }

  const files = Array.from({ length: 8 }, (_, index) => join(dir, 'files', `large-${index}`))
  for (const file of files) await writeFileOf(file, Number(values['large-megabytes']) * 1_048_576)
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const without = await alone(sinkStore(port), files, 8)
    const { ms, cpuMs, grownBytes } = await spooled(sinkStore(port), files, 8)
    const grownMiB = grownBytes / 1_048_576
    print({ what: '8 large files at a time', without, ms, cpuMs, share: without.ms / ms, grownMiB })
  }

  const store = sinkStore(port)
  store.isOpen = false
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const spool = await createSpool({ store, dir: join(dir, 'many'), maxEntries: 100_000 })
  const started = performance.now()
  for (let batch = 0; batch < 1000; batch += 1) {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        spool.put(
          `rooms/room-${batch % 50}/recording-2026/participant-${index % 10}/segment-${batch}-${index}.ts`,
          Buffer.alloc(10),
        ),
      ),
    )
  }
  const putMs = performance.now() - started
  globalThis.gc?.()
  print({
    what: '100,000 entries',
    heapMiB: (process.memoryUsage().heapUsed - before) / 1_048_576,
    msPerPut: putMs / 100_000,
  })
  await spool.close()
  const opening = performance.now()
  const again = await createSpool({ store, dir: join(dir, 'many'), maxEntries: 100_000 })
  print({ what: 'opening 100,000 entries', ms: performance.now() - opening, waiting: again.stats.waiting })
  await again.close()
} finally {
  server.kill()
  rmSync(dir, { recursive: true, force: true })
}
