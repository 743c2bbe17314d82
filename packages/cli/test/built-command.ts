import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The command as users start it: the built one, in a process of its own.
const bin = fileURLToPath(new URL('../bin/rushes.js', import.meta.url))
const built = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export interface Running {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  /** Resolves with the exit code, `null` when a signal ended it. */
  readonly ended: Promise<number | null>
  /** Waits until it has said something. */
  says(name: 'stdout' | 'stderr', pattern: RegExp): Promise<void>
}

/** Starts the command, standing in `cwd`. */
export function startRushes(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  if (!existsSync(built)) throw new Error('packages/cli is not built: run "npx tsc -b packages/cli"')
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  return {
    child,
    output,
    ended: once(child, 'close').then(([code]) => code as number | null),
    async says(name, pattern) {
      while (!pattern.test(output[name])) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`it ended before it said ${pattern}: ${output.stdout}${output.stderr}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}
