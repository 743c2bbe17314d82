/**
 * `pnpm long:spool-s3-speed [--segments 1000] [--large-megabytes 1024] [--rounds 3] [--tls]
 * [--memory] [--oss] [--unsigned]`: how fast a spool empties itself into S3, against the SDK of AWS alone (PutObject and UploadPart from files) with the same
 * files and as many requests at a time. The SDK twice: with streams, whose bodies it does not sign, and with parts in
 * memory, whose bodies it signs, where there is no TLS, as the store does. The server is another process, which reads,
 * answers as S3 does, and forgets. One JSON line per round. `--memory`: only
 * the spool and the large files, in a process that has done nothing else; `--oss`: the same with Alibaba's protocol; `--unsigned`: the
 * store does not sign bodies either.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
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
import type { Store } from '@rushes/storage-adapters'
import { createOssStore } from '@rushes/storage-adapters/oss'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { createSpool } from '@rushes/storage-adapters/spool'

/** Content-MD5 is believed: to compute it here would be measured too. */
const SINK = `
  const [keys] = process.argv.slice(1)
  const read = (name) => require('node:fs').readFileSync(keys + name)
  const [module, options] = keys === undefined ? ['http', {}] : ['https', { key: read('/key.pem'), cert: read('/cert.pem') }]
  const server = require(module).createServer(options, (request, response) => {
    const md5 = request.headers['content-md5']
    const etag = md5 === undefined ? 'x' : Buffer.from(md5, 'base64').toString('hex')
    const query = new URL(request.url, 'http://x').searchParams
    request.on('data', () => {})
    request.on('end', () => {
      response.setHeader('x-amz-request-id', '1').setHeader('x-oss-request-id', '1')
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
    tls: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    oss: { type: 'boolean', default: false },
    unsigned: { type: 'boolean', default: false },
  },
})
// For the certificate of the server, which is made below and nobody else's.
if (values.tls) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'

/** How the SDK is given bodies: as a stream of the file or of a part of it, or as the bytes. */
type Giving = 'streams' | 'bytes'

/** As one would write it with the SDK: four parts of a large file at a time. */
async function putAlone(client: S3Client, path: string, giving: Giving): Promise<void> {
  const { size } = await stat(path)
  const Key = `alone/${path.slice(path.lastIndexOf('/') + 1)}`
  if (size <= THRESHOLD_BYTES) {
    const Body = giving === 'streams' ? createReadStream(path) : await readFile(path)
    await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: size }))
    return
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const starts = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, index) => index * PART_BYTES)
  const Parts = starts.map((_, index) => ({ PartNumber: index + 1, ETag: 'e' }))
  const file = await open(path)
  await inTurns(starts, 4, async (start) => {
    const bytes = Math.min(PART_BYTES, size - start)
    const Body =
      giving === 'streams'
        ? createReadStream(path, { start, end: start + bytes - 1, highWaterMark: 262_144 })
        : (await file.read(Buffer.allocUnsafeSlow(bytes), 0, bytes, start)).buffer
    const PartNumber = start / PART_BYTES + 1
    await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ContentLength: bytes }))
  })
  await file.close()
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

function storeAt(endpoint: string): Store {
  const common = { bucket: Bucket, maxAttempts: 1 }
  if (values.oss) {
    const { accessKeyId, secretAccessKey: accessKeySecret } = credentials
    const keys = { accessKeyId, accessKeySecret }
    const host = endpoint.replace('127.0.0.1', 'localhost')
    return createOssStore({ ...common, region: 'cn-hangzhou', endpoint: host, credentials: keys, pathStyle: true })
  }
  // The checksums of the SDK and of AWS, and not those for other stores.
  return createS3Store({
    ...common,
    endpoint,
    credentials,
    forcePathStyle: true,
    checksums: 'when-supported',
    signBodies: values.unsigned ? 'never' : 'without-tls',
  })
}

/** What a process took. */
interface Cost {
  readonly ms: number
  readonly cpuMs: number
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: Math.round(performance.now() - started), cpuMs: Math.round((user + system) / 1000) }
}

async function alone(endpoint: string, paths: readonly string[], width: number, giving: Giving): Promise<Cost> {
  // As it comes: with a checksum of its own of each body.
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
  const cost = await costOf(() => inTurns(paths, width, (path) => putAlone(client, path, giving)))
  client.destroy()
  return cost
}

/** What is resident also has what the collector has freed; what is held is the heap, and what lies outside of it. */
function memory(): { rss: number; held: number } {
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, held: heapUsed + external }
}

async function spooled(
  endpoint: string,
  paths: readonly string[],
  width: number,
): Promise<Cost & { readonly residentMiB: number; readonly heldMiB: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-spool-s3-'))
  // A first process whose store is down leaves everything behind.
  const nowhere = storeAt(`${new URL(endpoint).protocol}//localhost:9`)
  const first = await createSpool({ store: nowhere, dir, concurrency: 1, backOff: { firstMs: 1e6, maxMs: 1e6 } })
  for (const [index, path] of paths.entries()) await first.putFile(`segments/${index}.ts`, path)
  await first.close()
  const idle = memory()
  const most = { ...idle }
  const sampling = setInterval(() => {
    const { rss, held } = memory()
    most.rss = Math.max(most.rss, rss)
    most.held = Math.max(most.held, held)
  }, 20)
  const cost = await costOf(async () => {
    const spool = await createSpool({ store: storeAt(endpoint), dir, concurrency: width })
    await spool.settled()
    await spool.drain()
    await spool.close()
  })
  clearInterval(sampling)
  rmSync(dir, { recursive: true, force: true })
  return {
    ...cost,
    residentMiB: Math.round((most.rss - idle.rss) / 1_048_576),
    heldMiB: Math.round((most.held - idle.held) / 1_048_576),
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

async function writeFileOf(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(Math.min(bytes, 1_048_576), 'rushes ')
  for (let left = bytes; left > 0; left -= block.byteLength) await file.write(block.subarray(0, left))
  await file.close()
}

const dir = mkdtempSync(join(tmpdir(), 'rushes-speed-'))
if (values.tls) {
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '2']
  const files = ['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')]
  const openssl = 'openssl'
  execFileSync(openssl, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], { stdio: 'ignore' })
}
const sink = ['-e', SINK, ...(values.tls ? ['--', dir] : [])]
const server: ChildProcess = spawn(process.execPath, sink, { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const [line] = (await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer]
  const endpoint = `${values.tls ? 'https' : 'http'}://127.0.0.1:${Number(line.toString())}`
  mkdirSync(join(dir, 'files'))
  const filesOf = async (name: string, count: number, bytes: number): Promise<string[]> => {
    const paths = Array.from({ length: count }, (_, index) => join(dir, 'files', `${name}-${index}`))
    for (const path of paths) await writeFileOf(path, bytes)
    return paths
  }
  const kinds = [
    ...(values.memory
      ? []
      : [{ what: 'segments of 900 kB', paths: await filesOf('segment', Number(values.segments), 900_000) }]),
    { what: 'large files', paths: await filesOf('large', 8, Number(values['large-megabytes']) * 1_048_576) },
  ]
  for (const { what, paths } of kinds) {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      if (values.memory || values.oss) {
        const spool = await spooled(endpoint, paths, 8)
        process.stdout.write(`${JSON.stringify({ what, oss: values.oss, tls: values.tls, spool })}\n`)
        continue
      }
      const streams = await alone(endpoint, paths, 8, 'streams')
      const bytes = await alone(endpoint, paths, 8, 'bytes')
      const spool = await spooled(endpoint, paths, 8)
      const shares = { ofStreams: percent(streams.ms / spool.ms), ofBytes: percent(bytes.ms / spool.ms) }
      process.stdout.write(`${JSON.stringify({ what, tls: values.tls, streams, bytes, spool, shares })}\n`)
    }
  }
} finally {
  server.kill()
  rmSync(dir, { recursive: true, force: true })
}
