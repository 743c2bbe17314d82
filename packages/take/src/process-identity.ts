import { readFile, readlink } from 'node:fs/promises'
import { hostname, uptime } from 'node:os'

/** What tells a process from every other one, as far as the system says it. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** Linux: start of the process in clock ticks after boot; a process id is given again, together with this it is not. */
  readonly processStart?: string
  /** Linux: changes with every boot. */
  readonly bootId?: string
  /** Linux: process ids of another namespace (a container) say nothing here. */
  readonly pidNamespace?: string
}

/** A lock whose owner cannot be looked at is believed for so long after its last sign of life. */
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
  const sameBoot = owner.bootId !== undefined && owner.bootId === here.bootId
  if (sameBoot && owner.pidNamespace !== undefined && owner.pidNamespace === here.pidNamespace) {
    const processStart = await startOf(owner.pid)
    if (processStart !== undefined && owner.processStart !== undefined) return processStart === owner.processStart
    // Some systems hide the processes of other users.
    return recent && exists(owner.pid)
  }
  if (owner.host !== here.host) return recent
  if (owner.bootId !== undefined && here.bootId !== undefined && !sameBoot) {
    // Before our boot: that machine was this one. After it: it was another one with the same name.
    return recent && lastSignMs > nowMs - uptime() * 1000
  }
  // Without start times an id may have been given again: both signs are needed.
  return owner.bootId === undefined ? recent && exists(owner.pid) : recent
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
