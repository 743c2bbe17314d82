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
  return await run(cwd, args, new SignalSource(), () => {})
}

/** Runs a command to which these signals come, all at once, as soon as it has said something. */
export async function rushesUntil(
  pattern: RegExp,
  cwd: string,
  args: readonly string[],
  signals: readonly ('SIGINT' | 'SIGTERM')[],
): Promise<Outcome & { readonly exits: readonly number[] }> {
  const source = new SignalSource()
  let left = [...signals]
  const outcome = await run(cwd, args, source, (text) => {
    if (!pattern.test(text)) return
    const now = left
    left = []
    for (const signal of now) source.emit(signal, signal)
  })
  return { ...outcome, exits: source.exits }
}

async function run(
  cwd: string,
  args: readonly string[],
  source: SignalSource,
  onOutput: (text: string) => void,
): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const terminal = {
    stdout: {
      write(text: string) {
        stdout += text
        onOutput(stdout)
      },
    },
    stderr: {
      write(text: string) {
        stderr += text
        onOutput(stderr)
      },
    },
    env: { SET: 'secret' },
    cwd,
    nowMs: () => performance.now(),
  }
  const exitCode = await runRushes(args, terminal, source)
  return { exitCode, stdout, stderr }
}

class SignalSource extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}
