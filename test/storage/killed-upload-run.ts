import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createS3Store } from '@rushes/storage-adapters/s3'
import { createSpool, readSpool } from '@rushes/storage-adapters/spool'
import { startFaultProxy } from '../servers/fault-proxy.js'
import { startRadosgw } from '../servers/radosgw.js'
import type { UploadState } from './killed-upload-process.js'

const PART_BYTES = 5 * 1024 * 1024
/** Per connection: a part takes a quarter of a second, so that the process dies in the middle of some. */
const BYTES_PER_SECOND = 20 * 1024 * 1024

/** What was seen. */
export interface KilledUploadReport {
  readonly kills: number
  /** Parts that had arrived, as the process that died knew. */
  readonly partsAtDeath: readonly number[]
  /** Parts of the whole. */
  readonly parts: number
  /** Parts that had arrived and were sent again, for the word of it was not kept when the process died. */
  readonly sentAgain: number
  /** Uploads that were begun. */
  readonly uploads: number
  /** Uploads that the bucket still had at the end. */
  readonly left: readonly string[]
  /** The object has the bytes of the file. */
  readonly isSame: boolean
  /** Files that are left in the spool. */
  readonly leftInSpool: readonly string[]
}

/**
 * A file on its way to S3 in parts, whose process is killed again and again while parts are under way. With `isAborted`
 * somebody ends the upload after the last death, as a rule of the bucket does: then it has to begin anew.
 */
export async function runKilledUpload(kills: number, isAborted: boolean): Promise<KilledUploadReport> {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-killed-upload-'))
  const server = await startRadosgw()
  const proxy = await startFaultProxy({ upstreamPort: server.port })
  try {
    await server.createBucket('recordings')
    proxy.set({ mode: 'throttle', bytesPerSecond: BYTES_PER_SECOND })
    const parts = 4 * kills + 4
    const path = join(dir, 'recording.mp4')
    const expected = await writeFileOf(path, parts * PART_BYTES - 1000)
    const spoolDir = join(dir, 'spool')
    const args = [spoolDir, `http://127.0.0.1:${proxy.port}`, server.owner.accessKeyId, server.owner.secretAccessKey]
    const uploads = new Set<string>()
    const partsAtDeath: number[] = []
    let kept = new Set<number>()
    let sentAgain = 0
    for (let kill = 0; kill < kills; kill += 1) {
      const states = await killedDuring([...args, ...(kill === 0 ? [path] : [])], kept.size)
      const last = states.at(-1) as UploadState
      uploads.add(last.uploadId)
      // What one process has seen arrive the next must know, but for what was not kept yet when it died.
      const first = states[0] as UploadState
      sentAgain += [...kept].filter((part) => !first.parts.includes(part)).length
      kept = new Set(last.parts)
      partsAtDeath.push(kept.size)
    }
    const { entries } = await readSpool(spoolDir)
    if (!entries.some(({ hasCheckpoint }) => hasCheckpoint)) throw new Error('the spool has no checkpoint')
    if (isAborted) await server.abortUploads('recordings')
    proxy.set({ mode: 'pass' })
    const store = createS3Store({
      bucket: 'recordings',
      endpoint: server.endpoint,
      forcePathStyle: true,
      credentials: server.owner,
      partSize: PART_BYTES,
      get: true,
    })
    const spool = await createSpool({ store, dir: spoolDir })
    try {
      await spool.drain()
      const hash = createHash('sha256')
      for await (const chunk of (await store.get?.('recording.mp4')) ?? []) hash.update(chunk as Uint8Array)
      return {
        kills,
        partsAtDeath,
        parts,
        sentAgain,
        uploads: uploads.size,
        left: await server.openUploads('recordings'),
        isSame: hash.digest('hex') === expected,
        leftInSpool: readdirSync(join(spoolDir, 'objects')),
      }
    } finally {
      await spool.close()
    }
  } finally {
    await proxy.close()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Runs a process until it has two parts more than those before it, and kills it then. */
async function killedDuring(args: readonly string[], before: number): Promise<readonly UploadState[]> {
  const script = fileURLToPath(new URL('./killed-upload-process.ts', import.meta.url))
  const node = ['--import', 'tsx', '--conditions=@rushes/source', script]
  const child = spawn(process.execPath, [...node, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const states: UploadState[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const state = JSON.parse(line) as UploadState
    states.push(state)
    if (state.parts.length >= before + 2) child.kill('SIGKILL')
  }
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null]
  if (signal !== 'SIGKILL') throw new Error(`the process was not killed but ended with ${code}`)
  return states
}

async function writeFileOf(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  const block = Buffer.alloc(1024 * 1024)
  for (let offset = 0; offset < bytes; offset += block.byteLength) {
    block.writeUInt32LE(offset, 0)
    const part = block.subarray(0, Math.min(block.byteLength, bytes - offset))
    hash.update(part)
    await file.write(part)
  }
  await file.close()
  return hash.digest('hex')
}
