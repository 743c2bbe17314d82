import { createHash } from 'node:crypto'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './root.mjs'

// Outside of the tree: a fresh clone has no folder of its own that no tool would mind.
const key = createHash('sha256').update(`${process.getuid?.()} ${root}`).digest('hex').slice(0, 16)
const path = join(tmpdir(), `rushes-workspace-${key}.lock`)

/**
 * Runs `work` while no other process of this machine does so in this workspace: two commands started together must not
 * both install, nor one read what the other is just building. The lock of a process that is gone is taken over.
 */
export async function withLock(work, { onWait }) {
  for (let waits = 0; !tryLock(); waits++) {
    if (waits === 8) onWait()
    await sleep(250)
  }
  const unlock = () => {
    try {
      if (holder() === process.pid) unlinkSync(path)
    } catch {
      // Gone already.
    }
  }
  process.once('exit', unlock)
  try {
    return await work()
  } finally {
    process.removeListener('exit', unlock)
    unlock()
  }
}

function tryLock() {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  const pid = holder()
  // An empty file is one that another process is writing at this very moment, or a leftover: the next look decides.
  if (pid === undefined || isAlive(pid)) return false
  try {
    unlinkSync(path)
  } catch {
    // Another process was faster.
  }
  return false
}

let emptySince = 0

function holder() {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  if (text !== '') {
    emptySince = 0
    return Number(text)
  }
  emptySince ||= Date.now()
  return Date.now() - emptySince > 2000 ? 0 : undefined
}

function isAlive(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
