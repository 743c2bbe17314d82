import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** What tells a process from every other one, as far as the system says it. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** Linux: start of the process in clock ticks after boot; with this a process id that is given again is told apart. */
  readonly processStart?: string
  /** Linux: changes with every boot. */
  readonly bootId?: string
  /** Linux: process ids of another namespace (a container) say nothing here. */
  readonly pidNamespace?: string
}

/** An owner that cannot be looked at is believed for so long after its last sign of life. */
const SILENCE_MS = 30_000

let own: Promise<ProcessIdentity> | undefined

/** This process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= (async () => {
    const [processStart, bootId, pidNamespace] = await Promise.all([
      startOf(process.pid),
      textOf('/proc/sys/kernel/random/boot_id'),
      readlink('/proc/self/ns/pid').catch(() => undefined),
    ])
    return {
      pid: process.pid,
      host: hostname(),
      ...(processStart === undefined ? {} : { processStart }),
      ...(bootId === undefined ? {} : { bootId }),
      ...(pidNamespace === undefined ? {} : { pidNamespace }),
    }
  })()
  return own
}

/**
 * Whether the owner of a lock lives. One that can be looked at is judged by its process alone, so that a stopped
 * process keeps its lock; one of another machine or container by how long ago it gave a sign of life.
 */
export async function isAlive(owner: ProcessIdentity | undefined, lastSignMs: number, nowMs: number): Promise<boolean> {
  const recent = nowMs - lastSignMs < SILENCE_MS
  if (owner === undefined) return recent
  const here = await ownIdentity()
  const sameHost = owner.host === here.host
  if (owner.bootId === undefined) return sameHost ? recent && exists(owner.pid) : recent
  if (owner.bootId !== here.bootId || owner.pidNamespace !== here.pidNamespace) return recent
  const processStart = await startOf(owner.pid)
  if (processStart !== undefined && owner.processStart !== undefined) return processStart === owner.processStart
  // Some systems hide the processes of other users.
  return recent && exists(owner.pid)
}

async function startOf(pid: number): Promise<string | undefined> {
  const stat = await textOf(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name of the program stands in parentheses and may hold any character: fields are counted after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended: it only waits to be asked for its exit code.
  return fields[0] === 'Z' ? 'ended' : fields[19]
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  )
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
