/** One recording, ended by force, and what the next process makes of it: for a test of a few, and a run of many. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { RecordingEvent } from '@rushes/media'
import { verifyWebhook } from '@rushes/notifiers'
import type { Manifest, RenderPlan } from '@rushes/render'
import { openTake } from '@rushes/take'
import { checkHls, checkMp4, type Finding } from '@rushes/testkit'

/** What became of one. */
export interface KilledRecording {
  /** Milliseconds after its start when it was killed; what had been written by then. */
  readonly killedAtMs: number
  readonly writtenPackets: number
  /** Packets on the disk afterwards, and how long before the last packet written the first missing one of any track was. */
  readonly keptPackets: number
  readonly missingMs: number
  readonly outcome: string
  readonly outputs: number
  readonly findings: readonly (Finding & { readonly key: string })[]
  /** Where a composite went on. */
  readonly goesOnAtUs: number | undefined
  /** Faults of what the receiver was told. */
  readonly webhookFaults: readonly string[]
  readonly events: readonly string[]
}

/** Receives webhooks, and refuses some, as receivers do. */
class Receiver {
  readonly bodies = new Map<string, string>()
  readonly order: RecordingEvent[] = []
  readonly faults: string[] = []
  readonly #server: Server
  #requests = 0

  constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response))
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(request)).toString('utf8')
    const headers = request.headers as Record<string, string>
    try {
      verifyWebhook({ body, headers, secret: 'the secret of the test', nowS: Date.now() / 1000 })
    } catch (error) {
      this.faults.push(String(error))
    }
    // Every seventh is answered late or not at all, after it was taken: the sender has to tell it again.
    this.#requests += 1
    this.#take(body)
    if (this.#requests % 7 === 0) response.destroy()
    else response.writeHead(204).end()
  }

  #take(body: string): void {
    const event = JSON.parse(body) as RecordingEvent
    const known = this.bodies.get(event.id)
    if (known === undefined) {
      this.bodies.set(event.id, body)
      const last = this.order.at(-1)
      if (last !== undefined && event.sequence <= last.sequence)
        this.faults.push(`${event.sequence} after ${last.sequence}`)
      this.order.push(event)
    } else if (known !== body) this.faults.push(`${event.id} twice with different content`)
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/events`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/**
 * Records `take` below `dir` in a process of its own, ends it with `signal` after `killAt` milliseconds, or when that is
 * true, and recovers in another.
 */
export async function killRecording(
  take: string,
  dir: string,
  killAt: number | (() => boolean),
  signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
  wanted?: RenderPlan['outputs'],
): Promise<KilledRecording> {
  const [journalDir, root, notified] = ['takes', 'out', 'notified'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [journalDir, root, notified]) mkdirSync(folder, { recursive: true })
  const receiver = new Receiver()
  const args = [take, journalDir, root, notified, await receiver.listen()]
  try {
    const settings = wanted === undefined ? [] : [JSON.stringify(wanted)]
    const child = start([...args, 'record', ...settings])
    const exit = once(child, 'exit')
    let writtenPackets = 0
    let writtenAtMs = 0
    let killedAtMs = 0
    for await (const line of createInterface({ input: child.stdout as Readable })) {
      const { started, written, atMs } = JSON.parse(line) as { started?: true; written?: number; atMs?: number }
      if (typeof killAt === 'number' && started === true) setTimeout(() => child.kill(signal), killAt)
      if (typeof killAt === 'function' && killAt()) child.kill(signal)
      if (written === undefined || atMs === undefined) continue
      writtenPackets += written
      writtenAtMs = atMs
      killedAtMs = atMs
    }
    await exit
    const next = start([...args, 'recover', ...settings])
    const output = buffer(next.stdout as Readable)
    const [code] = (await once(next, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`the next process ended with ${code}`)
    const said: Said = {}
    for (const line of (await output).toString('utf8').split('\n')) {
      if (line !== '') Object.assign(said, JSON.parse(line))
    }
    const { recovered = [], goesOnAtUs } = said
    const kept = await arrivalsOf(join(journalDir, 'r'))
    const { findings, outputs } = await judge(root)
    return {
      killedAtMs,
      writtenPackets,
      keptPackets: [...kept.values()].reduce((sum, arrivals) => sum + arrivals.length, 0),
      missingMs: missingMs(await arrivalsOf(take), kept, writtenAtMs),
      outcome: recovered[0]?.outcome ?? 'nothing to recover',
      outputs,
      findings,
      goesOnAtUs,
      webhookFaults: [...receiver.faults, ...missingEvents(join(journalDir, 'r'), receiver)],
      events: receiver.order.map(({ type }) => type),
    }
  } finally {
    await receiver.close()
  }
}

/** By the process that recovers. */
interface Said {
  readonly recovered?: readonly { readonly outcome: string }[]
  readonly goesOnAtUs?: number
}

function start(args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL('./record-process.ts', import.meta.url))
  const node = ['--import', 'tsx', '--conditions=@rushes/source', script]
  return spawn(process.execPath, [...node, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Everything that was journalled must have been told. */
function missingEvents(dir: string, receiver: Receiver): string[] {
  const lines = readFileSync(join(dir, 'lifecycle.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const events = lines.map((line) => JSON.parse(line) as RecordingEvent)
  const faults = events
    .filter(({ id }) => !receiver.bodies.has(id))
    .map(({ id, type }) => `${type} ${id} was never told`)
  if (receiver.order.length > events.length) faults.push('something was told that is not in the journal')
  return faults
}

/** Arrivals in milliseconds, by track. */
async function arrivalsOf(dir: string): Promise<Map<string, number[]>> {
  const arrivals = new Map<string, number[]>()
  for await (const batch of (await openTake(dir)).items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      const own = arrivals.get(item.trackId) ?? []
      arrivals.set(item.trackId, own)
      own.push(item.arrivalUs / 1000)
    }
  }
  return arrivals
}

/** Packets of a track are kept in their order, from its first on: what is missing is its end. */
function missingMs(sent: Map<string, number[]>, kept: Map<string, number[]>, writtenAtMs: number): number {
  let worst = 0
  for (const [trackId, arrivals] of sent) {
    const written = arrivals.filter((atMs) => atMs <= writtenAtMs)
    const firstMissing = written[kept.get(trackId)?.length ?? 0]
    if (firstMissing !== undefined) worst = Math.max(worst, writtenAtMs - firstMissing)
  }
  return worst
}

async function judge(
  root: string,
): Promise<{ readonly outputs: number; readonly findings: KilledRecording['findings'] }> {
  const manifest = JSON.parse(readFileSync(join(root, 'r', 'manifest.json'), 'utf8')) as Manifest
  const findings: (Finding & { readonly key: string })[] = []
  for (const { container, key } of manifest.outputs) {
    const path = join(root, key)
    const read = (uri: string): Uint8Array => readFileSync(join(path, '..', uri))
    const found =
      container === 'mp4'
        ? await checkMp4(readFileSync(path))
        : // CODECS of a growing output says what is known at its first segment; a camera may go before the sound.
          (await checkHls({ entry: 'index.m3u8', read }, { transportStream: { allowIdle: true } })).filter(
            ({ rule }) => rule !== 'variant-codecs',
          )
    findings.push(...found.map((finding) => ({ key, ...finding })))
  }
  return { outputs: manifest.outputs.length, findings }
}
