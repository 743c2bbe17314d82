import type { Terminal } from './terminal.js'

/** What the commands need from whoever runs them. */
export interface ProgramContext {
  readonly terminal: Terminal
  /** Runs work that SIGINT and SIGTERM abort. `outcome` says what an interruption leaves. */
  readonly interruptibly: (work: (signal: AbortSignal) => Promise<void>, outcome?: string) => Promise<void>
  /** Runs work that goes on until SIGINT or SIGTERM. `lastWords` are written when a second one ends the process. */
  readonly untilStopped: (work: (stop: AbortSignal) => Promise<void>, lastWords: string) => Promise<void>
  /** The command did its work and found something that scripts must know of: exit code 1. */
  readonly onFindings: () => void
}
