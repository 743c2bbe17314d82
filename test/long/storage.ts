/**
 * `pnpm long:storage [--mebibytes N] [--kills N]`: an object of N MiB (1,024 by default) through a bucket and back: as a
 * stream, as a file, and as a file whose transfer is interrupted half-way and goes on. With `--kills` instead: a file on
 * its way through a spool, whose process is killed N times in the middle of its parts. Needs radosgw.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { TransferCheckpoint } from '@rushes/storage-adapters'
import { createS3Store, type S3Store } from '@rushes/storage-adapters/s3'
import { startRadosgw } from '../servers/radosgw.js'
import { runKilledUpload } from '../storage/killed-upload-run.js'

const MIB = 1024 * 1024

const { values } = parseArgs({
  options: { mebibytes: { type: 'string', default: '1024' }, kills: { type: 'string', default: '0' } },
})
const bytes = Number(values.mebibytes) * MIB
if (Number(values.kills) > 0) {
  const report = await runKilledUpload(Number(values.kills), false)
  console.log(JSON.stringify(report))
  process.exitCode = report.isSame && report.left.length === 0 ? 0 : 1
} else await throughABucket()

async function throughABucket(): Promise<void> {
  const server = await startRadosgw({ gibibytes: 10 })
  const folder = await mkdtemp(join(tmpdir(), 'rushes-long-storage-'))
  try {
    await server.createBucket('recordings')
    const store = createS3Store({
      bucket: 'recordings',
      endpoint: server.endpoint,
      forcePathStyle: true,
      credentials: server.owner,
      get: true,
      delete: true,
    })
    const path = join(folder, 'recording.mp4')
    const expected = await writePattern(path, bytes)
    await measured('stream', store, expected, () => store.put('object', createReadStream(path, { highWaterMark: MIB })))
    await measured('stream with SHA-256', store, expected, () =>
      store.put('object', createReadStream(path, { highWaterMark: MIB }), { sha256: true }),
    )
    await measured('file', store, expected, () => store.putFile('object', path))
    await measured('file, interrupted', store, expected, () => interrupted(store, path))
    await store.close()
  } finally {
    await rm(folder, { recursive: true, force: true })
    await server.stop()
  }
}

async function measured(name: string, store: S3Store, expected: string, put: () => Promise<unknown>): Promise<void> {
  const startedAtMs = performance.now()
  const cpu = process.cpuUsage()
  let peakRss = 0
  const watch = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }, 50)
  await put()
  clearInterval(watch)
  const seconds = (performance.now() - startedAtMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const hash = createHash('sha256')
  for await (const chunk of (await store.get?.('object')) ?? []) hash.update(chunk as Uint8Array)
  await store.delete?.('object')
  const figures = {
    name,
    mebibytes: bytes / MIB,
    seconds: round(seconds),
    mebibytesPerSecond: round(bytes / MIB / seconds),
    cpuSeconds: round((user + system) / 1_000_000),
    peakRssMiB: round(peakRss / MIB),
    same: hash.digest('hex') === expected,
  }
  console.log(JSON.stringify(figures))
  if (!figures.same) process.exitCode = 1
}

async function interrupted(store: S3Store, path: string): Promise<void> {
  let last: TransferCheckpoint = {}
  const stop = new AbortController()
  const half = Math.ceil(bytes / (8 * MIB) / 2)
  const first = store.putFile('object', path, {
    signal: stop.signal,
    onCheckpoint: (checkpoint) => {
      last = checkpoint
      if ((checkpoint['parts'] as unknown[]).length >= half) stop.abort()
    },
  })
  await first.catch(() => {})
  await store.putFile('object', path, { resumeFrom: JSON.parse(JSON.stringify(last)) as TransferCheckpoint })
}

async function writePattern(path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(path, 'w')
  const block = Buffer.alloc(MIB)
  for (let offset = 0; offset < size; offset += MIB) {
    for (let at = 0; at < MIB; at += 4096) block.writeUInt32LE((offset + at) / 4096, at)
    hash.update(block)
    await handle.write(block)
  }
  await handle.close()
  return hash.digest('hex')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
