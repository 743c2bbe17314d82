import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Whether all of these programs can be started. */
export function hasPrograms(...programs: readonly string[]): boolean {
  return programs.every((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined)
}

/** A program of others that runs beside the test. */
export interface Program {
  /** What it said on its error output, the last 100,000 characters. */
  readonly said: () => string
  /** Resolves when it has ended by itself or by `stop`; rejects where it failed. */
  readonly done: Promise<void>
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()

/** Ends what still runs: a test has failed. */
export function stopPrograms(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** @param limitMs after which it is ended as one that hangs */
export function start(command: string, args: readonly string[], limitMs = 60_000): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-100_000)
  })
  let isOverdue = false
  const limit = setTimeout(() => {
    isOverdue = true
    child.kill('SIGKILL')
  }, limitMs)
  const done = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      running.delete(child)
      if (isOverdue) reject(new Error(`${command} did not end: ${said}`))
      else if (code === 0 || signal !== null) resolve()
      else reject(new Error(`${command} ended with ${code}: ${said}`))
    })
  })
  // Whoever waits for it hears of it; nobody needs to.
  done.catch(() => {})
  return {
    said: () => said,
    done,
    async stop() {
      if (!running.has(child)) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

/** A command line as one would type it, without quotes. */
export function words(line: string): string[] {
  return line.trim().split(/\s+/)
}

/** Waits until something is so. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it did not happen in 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
