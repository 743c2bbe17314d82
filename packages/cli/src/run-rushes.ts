import { CommanderError } from 'commander'
import { formatError } from './error-text.js'
import { ExitCode, exitCodeOf } from './exit-code.js'
import { Interrupted, interruptible, type SignalSource } from './interruption.js'
import { createProgram } from './program.js'
import type { Terminal } from './terminal.js'

/**
 * Runs the command with `args` (without `node` and the script) and resolves with its exit code. It never rejects and
 * never ends the process, but for a second Ctrl-C.
 */
export async function runRushes(args: readonly string[], terminal: Terminal, signals: SignalSource): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok
  const program = createProgram({
    terminal,
    async interruptibly(work) {
      await interruptible(work, signals, () => terminal.stderr.write('\nStopping … (Ctrl-C again to stop at once)\n'))
    },
    onFindings() {
      exitCode = ExitCode.failed
    },
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
    if (error instanceof Interrupted) {
      terminal.stderr.write('rushes: interrupted; what was not whole has been removed\n')
      return error.exitCode
    }
    terminal.stderr.write(formatError(error, { verbose: args.includes('--verbose') }))
    return exitCodeOf(error)
  }
}
