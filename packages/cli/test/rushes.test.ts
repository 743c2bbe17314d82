import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startRushes } from './built-command.js'
import { fixture } from './run.js'

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-bin-'))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

const start = (...args: readonly string[]): Running => startRushes(dir, args)
const until = (running: Running, pattern: RegExp): Promise<void> => running.says('stderr', pattern)

/** What must hold of every file under a folder of outputs, whenever the command has ended. */
async function expectOnlyWholeFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files) {
    expect(file).not.toContain('.rushes-')
    const bytes = await readFile(file)
    if (file.endsWith('.ts')) expect([file, bytes.length % 188]).toEqual([file, 0])
    if (file.endsWith('media.m3u8')) expect(bytes.toString()).toContain('#EXT-X-ENDLIST')
    if (file.endsWith('.mp4')) expect([file, lastBoxEnd(bytes)]).toEqual([file, bytes.length])
    if (file.endsWith('.json')) JSON.parse(bytes.toString())
  }
  return files
}

/** Where the last box of an MP4 ends, by what the boxes say of themselves. */
function lastBoxEnd(bytes: Buffer): number {
  let offset = 0
  while (offset + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(offset)
    offset += size === 1 ? Number(bytes.readBigUInt64BE(offset + 8)) : size
    if (size === 0) return bytes.length
  }
  return offset
}

describe('the rushes command', () => {
  it('renders and inspects', async () => {
    const render = start('render', fixture('solo'), '--out', 'whole')
    expect(await render.ended, render.output.stderr).toBe(0)
    expect((await expectOnlyWholeFiles(join(dir, 'whole'))).length).toBeGreaterThanOrEqual(5)
    const inspect = start('inspect', 'whole/solo/alice', '--json')
    expect(await inspect.ended, inspect.output.stderr).toBe(0)
    expect(JSON.parse(inspect.output.stdout)).toMatchObject({ kind: 'hls', findings: [] })
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s in the middle leaves nothing half-written and ends with %d', async (signal, exitCode) => {
    const running = start('render', fixture('meeting3'), '--out', signal, '--segment', '1')
    await until(running, /Rendering: [3-6]0 %/)
    running.child.kill(signal)
    expect(await running.ended, running.output.stderr).toBe(exitCode)
    expect(running.output.stdout).toBe('')
    expect(running.output.stderr).toContain('rushes: interrupted; what was not whole has been removed')
    const files = await expectOnlyWholeFiles(join(dir, signal))
    expect(files.filter((file) => /\.mp4$|\.json$/.test(file))).toEqual([])
  })

  it('an interrupted second render leaves the first as it was', async () => {
    const out = join(dir, 'again')
    await cp(join(dir, 'whole'), out, { recursive: true })
    const running = start('render', fixture('solo'), '--out', 'again', '--segment', '1')
    await until(running, /Rendering: [3-6]0 %/)
    running.child.kill('SIGINT')
    expect(await running.ended).toBe(130)
    const files = await expectOnlyWholeFiles(out)
    expect(files.length).toBe((await expectOnlyWholeFiles(join(dir, 'whole'))).length)
    for (const file of files) {
      const before = await readFile(join(dir, 'whole', relative(out, file)))
      expect((await readFile(file)).equals(before), file).toBe(true)
    }
  })

  it('a second signal ends it at once', async () => {
    const running = start('render', fixture('meeting3'), '--out', 'twice')
    await until(running, /Rendering: [1-3]0 %/)
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM')
    expect([130, 143]).toContain(await running.ended)
    await expectOnlyWholeFiles(join(dir, 'twice', 'meeting3'))
  })

  it('says nothing when its reader has seen enough', async () => {
    const running = start('inspect', fixture('mutes'), '--json')
    running.child.stdout?.destroy()
    expect(await running.ended).toBe(0)
    expect(running.output.stderr).toBe('')
  })
})
