import { CommanderError } from 'commander'
import { formatError } from './error-text.js'
import { ExitCode, exitCodeOf } from './exit-code.js'
import { Interrupted, interruptible, type SignalSource, stoppable } from './interruption.js'
import { createProgram } from './program.js'
import type { Terminal } from './terminal.js'

const STOPPING = '\nStopping … (Ctrl-C again to stop at once)\n'

/**
 * Runs the command with `args` (without `node` and the script) and resolves with its exit code. It never rejects and
 * never ends the process, but for a second Ctrl-C.
 */
export async function runRushes(args: readonly string[], terminal: Terminal, signals: SignalSource): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok
  let leaves = ''
  const say = (text: string): void => void terminal.stderr.write(text)
  const program = createProgram({
    terminal,
    async interruptibly(work, outcome = 'what was not whole has been removed') {
      leaves = outcome
      await interruptible(work, signals, () => say(STOPPING))
    },
    async untilStopped(work, lastWords) {
      await stoppable(
        work,
        signals,
        () => say(STOPPING),
        () => say(`\nrushes: ${lastWords}\n`),
      )
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
      terminal.stderr.write(`rushes: interrupted; ${leaves}\n`)
      return error.exitCode
    }
    terminal.stderr.write(formatError(error, { verbose: args.includes('--verbose') }))
    return exitCodeOf(error)
  }
}
