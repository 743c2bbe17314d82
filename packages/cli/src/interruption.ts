import { type ExitCode, exitCodeOfSignal } from './exit-code.js'

type Signal = 'SIGINT' | 'SIGTERM'

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
  let exitCode: ExitCode | undefined
  const told = (signal: Signal): void => {
    exitCode = exitCodeOfSignal(signal)
    onFirst()
  }
  try {
    return await stoppable(work, source, told)
  } catch (error) {
    throw exitCode === undefined ? error : new Interrupted(exitCode, { cause: error })
  }
}

/**
 * The same for work whose end a signal is: what goes wrong after the first one is an error like any other. `onSecond`
 * has the last word before the process ends.
 */
export async function stoppable<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  source: SignalSource,
  onFirst: (signal: Signal) => void,
  onSecond: () => void = () => {},
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = (signal: Signal): void => {
    if (controller.signal.aborted) {
      onSecond()
      source.exit(exitCodeOfSignal(signal))
      return
    }
    onFirst(signal)
    controller.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) source.on(signal, onSignal)
  try {
    return await work(controller.signal)
  } finally {
    for (const signal of signals) source.removeListener(signal, onSignal)
  }
}
