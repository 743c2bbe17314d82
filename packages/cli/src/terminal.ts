import { type Style, styleFor } from './text/style.js'

/** What the command writes to. */
export interface TextOutput {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What a command knows of the world around it: tests give their own. */
export interface Terminal {
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths count from here. */
  readonly cwd: string
  /** Milliseconds, monotonic. */
  readonly nowMs: () => number
}

/** Width of a terminal; some say 0 when they do not know. */
export function columnsOf(output: TextOutput, otherwise: number): number {
  return output.columns !== undefined && output.columns > 0 ? output.columns : otherwise
}

/** The colours of standard output. */
export function styleOf(terminal: Terminal): Style {
  return styleFor(terminal.stdout.isTTY === true, terminal.env)
}

/** This process. */
export function processTerminal(): Terminal {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    nowMs: () => performance.now(),
  }
}
