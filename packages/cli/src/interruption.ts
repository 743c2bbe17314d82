import { type ExitCode, exitCodeOfSignal } from './exit-code.js'

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: (signal: 'SIGINT' | 'SIGTERM') => void): unknown
  removeListener(signal: 'SIGINT' | 'SIGTERM', listener: (signal: 'SIGINT' | 'SIGTERM') => void): unknown
  exit(code: number): unknown
}

/** The work was given up because a signal asked for it. */
export class Interrupted extends Error {
  readonly exitCode: ExitCode
  constructor(exitCode: ExitCode, options: { readonly cause: unknown }) {
    super('interrupted', options)
    this.name = 'Interrupted'
    this.exitCode = exitCode
  }
}

/**
 * Runs `work` with a signal that SIGINT or SIGTERM aborts; a second one ends the process at once.
 * Work that fails after the first rejects with {@link Interrupted}; work that is done by then has succeeded.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  source: SignalSource,
  onFirst: () => void,
): Promise<Result> {
  const controller = new AbortController()
  let exitCode: ExitCode | undefined
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (exitCode !== undefined) {
      source.exit(exitCodeOfSignal(signal))
      return
    }
    exitCode = exitCodeOfSignal(signal)
    onFirst()
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) source.on(signal, onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw exitCode === undefined ? error : new Interrupted(exitCode, { cause: error })
  } finally {
    for (const signal of signals) source.removeListener(signal, onSignal)
  }
}
