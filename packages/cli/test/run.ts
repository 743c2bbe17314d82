import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ExitCode, runRushes } from '../src/index.js'

/** What a command left behind. */
export interface Outcome {
  readonly exitCode: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** A fixture take. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url))
}

/** Runs the command in this process, standing in `cwd`. */
export async function rushes(cwd: string, ...args: readonly string[]): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const terminal = {
    stdout: {
      write(text: string) {
        stdout += text
      },
    },
    stderr: {
      write(text: string) {
        stderr += text
      },
    },
    env: {},
    cwd,
    nowMs: () => performance.now(),
  }
  const exitCode = await runRushes(args, terminal, new SignalSource())
  return { exitCode, stdout, stderr }
}

class SignalSource extends EventEmitter {
  exit(): void {
    throw new Error('nobody asked for that')
  }
}
