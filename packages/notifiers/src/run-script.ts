import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** Of each output stream so much is kept; the rest is read and dropped, so that the script does not stand still. */
const MAX_OUTPUT_BYTES = 65_536
/** After an end the pipes may still hold something; whoever keeps them open longer is a process left behind. */
const DRAIN_MS = 200

/** What to run. */
export interface ScriptRun {
  readonly path: string
  readonly args: readonly string[]
  readonly cwd: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** Then SIGTERM, in milliseconds. */
  readonly timeoutMs: number
  /** And SIGKILL so much later. */
  readonly killAfterMs: number
  readonly signal: AbortSignal
}

/** How a script ended. */
export interface ScriptEnd {
  /** `stopped`: the signal fired. `not-started`: `error` tells why. */
  readonly state: 'exited' | 'timed-out' | 'stopped' | 'not-started'
  readonly exitCode: number | null
  readonly endSignal: NodeJS.Signals | null
  readonly error?: unknown
  /** The first 64 KiB of each, as UTF-8. */
  readonly stdout: string
  readonly stderr: string
  /** There was more. */
  readonly truncated: boolean
}

/**
 * Runs a program without a shell: arguments arrive as they are. It leads a process group of its own, which is ended as a
 * whole. Never rejects.
 */
export function runScript(run: ScriptRun): Promise<ScriptEnd> {
  return new Promise((resolve) => {
    let child: ChildProcess
    try {
      const { cwd, env } = run
      child = spawn(run.path, run.args, {
        ...(cwd !== undefined && { cwd }),
        env,
        shell: false,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      // For instance an argument with a zero byte.
      resolve(notStarted(error))
      return
    }
    const stdout = new CappedText(child.stdout)
    const stderr = new CappedText(child.stderr)
    let state: ScriptEnd['state'] = 'exited'
    let kill: NodeJS.Timeout | undefined
    const end = (because: 'timed-out' | 'stopped'): void => {
      if (state !== 'exited') return
      state = because
      endGroup(child, 'SIGTERM')
      kill = setTimeout(() => endGroup(child, 'SIGKILL'), run.killAfterMs)
    }
    const timeout = setTimeout(end, run.timeoutMs, 'timed-out')
    const stop = (): void => end('stopped')
    run.signal.addEventListener('abort', stop)
    const settle = (result: ScriptEnd): void => {
      clearTimeout(timeout)
      clearTimeout(kill)
      run.signal.removeEventListener('abort', stop)
      resolve(result)
    }
    child.on('error', (error) => {
      if (child.pid === undefined) settle(notStarted(error))
    })
    child.on('exit', (exitCode, endSignal) => {
      // What the script started and what did not heed SIGTERM.
      if (state !== 'exited') endGroup(child, 'SIGKILL')
      const finish = (): void => {
        clearTimeout(drain)
        child.stdout?.destroy()
        child.stderr?.destroy()
        const truncated = stdout.truncated || stderr.truncated
        settle({ state, exitCode, endSignal, stdout: stdout.text, stderr: stderr.text, truncated })
      }
      const drain = setTimeout(finish, DRAIN_MS)
      child.once('close', finish)
    })
    if (run.signal.aborted) stop()
  })
}

class CappedText {
  readonly #chunks: Buffer[] = []
  #bytes = 0

  constructor(stream: Readable | null) {
    stream?.on('data', (chunk: Buffer) => {
      const room = MAX_OUTPUT_BYTES - this.#bytes
      if (room > 0) this.#chunks.push(chunk.subarray(0, room))
      this.#bytes += chunk.byteLength
    })
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  get truncated(): boolean {
    return this.#bytes > MAX_OUTPUT_BYTES
  }
}

function notStarted(error: unknown): ScriptEnd {
  return { state: 'not-started', exitCode: null, endSignal: null, error, stdout: '', stderr: '', truncated: false }
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}
