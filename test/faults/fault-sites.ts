import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RenderPlan } from '@rushes/render'
import { onTestFinished } from 'vitest'

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-faults-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The folder of a fixture. */
export function fixtureFolder(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
}

/** A copy of a fixture that may be damaged. */
export function copyOf(name: string): string {
  const dir = join(temporaryFolder(), name)
  cpSync(fixtureFolder(name), dir, { recursive: true })
  return dir
}

/** Every file below `dir`, hidden ones too, relative to it. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()
}

/** Mounts a file system in memory of `size` (`1m`), or read-only; says why not where that is not permitted. */
export function mountMemory(dir: string, options: string): string | undefined {
  mkdirSync(dir, { recursive: true })
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], {
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim() || `mount ended with ${status}`)
}

export function unmount(dir: string): void {
  spawnSync('umount', [dir])
}

/** Why no file system can be mounted here, or `undefined`. */
export function mountRefusal(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'rushes-mount-'))
  const refusal = mountMemory(dir, 'size=64k')
  if (refusal === undefined) unmount(dir)
  rmSync(dir, { recursive: true, force: true })
  return refusal
}

/** What `spawnRender` may be given beside the places. */
export interface SpawnedRender {
  readonly plan: RenderPlan
  readonly workDir: string
  /** It ends itself by force when its progress is there. */
  readonly killAtUs: number
}

/** A process that renders a fixture into a folder and prints each event as a line of JSON. */
export function spawnRender(
  take: string,
  root: string,
  scratchDir: string,
  more?: SpawnedRender,
): ReturnType<typeof spawn> {
  const script = fileURLToPath(new URL('./render-process.ts', import.meta.url))
  const node = ['--import', 'tsx', '--conditions=@rushes/source', script]
  const own = more === undefined ? [] : [JSON.stringify(more.plan), more.workDir, `${more.killAtUs}`]
  const args = [...node, fixtureFolder(take), root, scratchDir, ...own]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}
