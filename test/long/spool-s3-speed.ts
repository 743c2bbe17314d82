/**
 * `pnpm long:spool-s3-speed [--segments 1000] [--large-megabytes 1024] [--rounds 3]`: how fast a spool empties itself into
 * S3, against the SDK of AWS alone (PutObject and UploadPart from files) with the same files and as many requests at a
 * time. The server is another process, which reads, answers as S3 does, and forgets. One JSON line per figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { createSpool } from '@rushes/storage-adapters/spool'

/** Content-MD5 is believed: to compute it here would be measured too. */
const SINK = `
  const server = require('node:http').createServer((request, response) => {
    const md5 = request.headers['content-md5']
    const etag = md5 === undefined ? 'x' : Buffer.from(md5, 'base64').toString('hex')
    const query = new URL(request.url, 'http://x').searchParams
    request.on('data', () => {})
    request.on('end', () => {
      response.setHeader('x-amz-request-id', '1')
      if (query.has('uploads')) response.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>')
      else if (request.method === 'POST') response.end('<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>')
      else response.setHeader('etag', '"' + etag + '"').end()
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }
const PART_BYTES = 8 * 1024 * 1024
const THRESHOLD_BYTES = 16 * 1024 * 1024
const Bucket = 'bucket'

const { values } = parseArgs({
  options: {
    segments: { type: 'string', default: '1000' },
    'large-megabytes': { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
  },
})

/** As one would write it with the SDK: a stream of the file, or of each part of it, four parts at a time. */
async function putAlone(client: S3Client, path: string): Promise<void> {
  const { size } = await stat(path)
  const Key = `alone/${path.slice(path.lastIndexOf('/') + 1)}`
  if (size <= THRESHOLD_BYTES) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: createReadStream(path), ContentLength: size }))
    return
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const starts = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, index) => index * PART_BYTES)
  const Parts = starts.map((_, index) => ({ PartNumber: index + 1, ETag: 'e' }))
  await inTurns(starts, 4, async (start) => {
    const end = Math.min(start + PART_BYTES, size) - 1
    const Body = createReadStream(path, { start, end, highWaterMark: 262_144 })
    const PartNumber = start / PART_BYTES + 1
    await client.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ContentLength: end - start + 1 }),
    )
  })
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
}

async function inTurns<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
    }),
  )
}

async function alone(endpoint: string, paths: readonly string[], width: number): Promise<number> {
  // As it comes: with a checksum of its own behind each body.
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const started = performance.now()
  await inTurns(paths, width, (path) => putAlone(client, path))
  client.destroy()
  return performance.now() - started
}

async function spooled(endpoint: string, paths: readonly string[], width: number) {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-spool-s3-'))
  // The checksums of the SDK and of AWS, and not those for other stores.
  const checksums = 'when-supported' as const
  const settings = { bucket: Bucket, endpoint, credentials, checksums, forcePathStyle: true, maxAttempts: 1 }
  // A first process whose store is down leaves everything behind.
  const nowhere = createS3Store({ ...settings, endpoint: 'http://127.0.0.1:9' })
  const first = await createSpool({ store: nowhere, dir, concurrency: 1, backOff: { firstMs: 1e6, maxMs: 1e6 } })
  for (const [index, path] of paths.entries()) await first.putFile(`segments/${index}.ts`, path)
  await first.close()
  const idle = process.memoryUsage().rss
  let most = idle
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 20)
  const started = performance.now()
  const spool = await createSpool({ store: createS3Store(settings), dir, concurrency: width })
  await spool.settled()
  const ms = performance.now() - started
  clearInterval(sampling)
  await spool.drain()
  await spool.close()
  rmSync(dir, { recursive: true, force: true })
  return { ms, grownMiB: (most - idle) / 1_048_576 }
}

async function writeFileOf(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(Math.min(bytes, 1_048_576), 'rushes ')
  for (let left = bytes; left > 0; left -= block.byteLength) await file.write(block.subarray(0, left))
  await file.close()
}

const dir = mkdtempSync(join(tmpdir(), 'rushes-speed-'))
const server: ChildProcess = spawn(process.execPath, ['-e', SINK], { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const [line] = (await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer]
  const endpoint = `http://127.0.0.1:${Number(line.toString())}`
  mkdirSync(join(dir, 'files'))
  const filesOf = async (name: string, count: number, bytes: number): Promise<string[]> => {
    const paths = Array.from({ length: count }, (_, index) => join(dir, 'files', `${name}-${index}`))
    for (const path of paths) await writeFileOf(path, bytes)
    return paths
  }
  const kinds = [
    { what: 'segments of 900 kB', paths: await filesOf('segment', Number(values.segments), 900_000) },
    { what: 'large files', paths: await filesOf('large', 8, Number(values['large-megabytes']) * 1_048_576) },
  ]
  for (const { what, paths } of kinds) {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const aloneMs = await alone(endpoint, paths, 8)
      const { ms, grownMiB } = await spooled(endpoint, paths, 8)
      process.stdout.write(`${JSON.stringify({ what, aloneMs, ms, share: aloneMs / ms, grownMiB })}\n`)
    }
  }
} finally {
  server.kill()
  rmSync(dir, { recursive: true, force: true })
}
