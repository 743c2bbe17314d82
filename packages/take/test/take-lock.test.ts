import { readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem } from '../src/file-system.js'
import { isLocked, lockTake } from '../src/take-lock.js'
import { temporaryFolder } from './fixtures.js'

const linux = process.platform === 'linux'
const bootId = linux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : 'boot'

function locked(owner: object | string, ageMs: number, name = 'take.lock', dir = temporaryFolder()): string {
  const path = join(dir, name)
  writeFileSync(path, typeof owner === 'string' ? owner : JSON.stringify({ token: name, pid: 1, ...owner }))
  const at = new Date(Date.now() - ageMs)
  utimesSync(path, at, at)
  return dir
}

/** What a lock of this process says. */
function own(): object {
  if (!linux) return { host: hostname(), pid: process.pid }
  const text = readFileSync('/proc/self/stat', 'utf8')
  const processStart = text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  return { host: hostname(), pid: process.pid, bootId, processStart, pidNamespace: readlinkSync('/proc/self/ns/pid') }
}

describe('a lock', () => {
  it('is held by one, and free afterwards', async () => {
    const dir = temporaryFolder()
    const lock = await lockTake(dir, nodeFileSystem)
    expect(await isLocked(dir)).toBe(true)
    await expect(lockTake(dir, nodeFileSystem)).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    await lock.release()
    expect(await isLocked(dir)).toBe(false)
    expect(readdirSync(dir)).toEqual([])
  })

  it('is held by at most one of many who try at once, also after a dead one', async () => {
    for (let round = 0; round < 30; round += 1) {
      const dir = round % 2 === 0 ? temporaryFolder() : locked({ host: '?' }, 60_000)
      const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => lockTake(dir, nodeFileSystem)))
      const held = attempts.filter((attempt) => attempt.status === 'fulfilled')
      expect(held.length).toBeLessThanOrEqual(1)
      for (const attempt of held) await attempt.value.release()
      const lock = await lockTake(dir, nodeFileSystem)
      await lock.release()
      expect(readdirSync(dir)).toEqual([])
    }
  })

  const host = hostname()
  const beforeBootMs = uptime() * 1000 + 1000
  it.each<[string, object | string, number, boolean]>([
    ['of another machine that gave a sign just now', { host: 'elsewhere', bootId: 'other' }, 1000, true],
    ['of another machine that has been silent', { host: 'elsewhere', bootId: 'other' }, 31_000, false],
    ['of another container on this machine, just now', { host: 'box', bootId, pidNamespace: 'pid:[1]' }, 1000, true],
    ['of another container on this machine, silent', { host: 'box', bootId, pidNamespace: 'pid:[1]' }, 31_000, false],
    ['from before this machine was started', { host, bootId: 'other' }, beforeBootMs, false],
    ['of another machine with the same name, just now', { host, bootId: 'other' }, 1000, linux],
    ['without start times, whose process is gone', { host, pid: 2 ** 22 + 1 }, 1000, false],
    ['without start times, whose process is there', { host, pid: process.pid }, 1000, true],
    ['without start times, whose id was given again', { host, pid: process.pid }, 31_000, false],
    ['of this process, as long as it is this process', own(), 31_000, linux],
    ['of this process id when it was another process', { ...own(), processStart: '1' }, 0, !linux],
    ['of a process that is gone', { ...own(), pid: 2 ** 22 + 1 }, 0, false],
    ['of a process that nothing is known of', { ...own(), processStart: undefined }, 31_000, false],
    ['that is being written', '', 0, true],
    ['that a crash tore', '{"tok', 31_000, false],
  ])('%s: held?', async (_name, owner, ageMs, held) => {
    const dir = locked(owner, ageMs)
    expect(await isLocked(dir)).toBe(held)
    const attempt = lockTake(dir, nodeFileSystem)
    if (held) await expect(attempt).rejects.toMatchObject({ code: 'TAKE_LOCKED' })
    else await (await attempt).release()
  })

  it('counts only as the newest: the one that took over decides', async () => {
    const dir = locked({ host: 'elsewhere' }, 0)
    locked({ host: 'elsewhere', token: 'b' }, 60_000, 'take.lock.1', dir)
    expect(await isLocked(dir)).toBe(false)
    const lock = await lockTake(dir, nodeFileSystem)
    expect(readdirSync(dir).sort()).toEqual(['take.lock', 'take.lock.1', 'take.lock.2'])
    await lock.release()
    expect(readdirSync(dir)).toEqual([])
  })
})
