import { ConfigurationError, RushesError } from '@rushes/media'
import { CliError, type CliErrorCode } from './errors.js'

/**
 * How the command ends, for scripts. 130 and 143 are what shells give a command that SIGINT or SIGTERM ended.
 */
export const ExitCode = {
  ok: 0,
  /** The work was started and could not be done: media, codec, store. `inspect`: rules of a container are broken. */
  failed: 1,
  /** What was asked makes no sense: unknown option, value out of range, participant who is not there. */
  usage: 2,
  /** The take, playlist or file is not there, not readable or none. */
  unreadable: 3,
  interrupted: 130,
  terminated: 143,
} as const

/** Any of the values of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

const unreadableCodes: ReadonlySet<string> = new Set<string>([
  'TAKE_NO_SESSION',
  'TAKE_BAD_SESSION',
  'TAKE_FORMAT_TOO_NEW',
  'TAKE_UNKNOWN_CODEC',
  'TAKE_MISSING_TRACK_FILE',
  'TAKE_BAD_TRACK_FILE',
  'TAKE_READ_FAILED',
  'TAKE_BAD_CAPTURE',
  'INPUT_NOT_FOUND',
  'INPUT_NOT_READABLE',
  'INPUT_UNKNOWN',
] satisfies (CliErrorCode | string)[])

const usageCodes: ReadonlySet<string> = new Set(['RENDER_UNKNOWN_PARTICIPANT', 'LAYOUT_INVALID'])

/** The exit code that tells a script what kind of failure `error` was. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigurationError) return ExitCode.usage
  if (error instanceof CliError && error.code === 'USAGE') return ExitCode.usage
  if (!(error instanceof RushesError)) return ExitCode.failed
  if (usageCodes.has(error.code) || error.code.startsWith('NAMING_')) return ExitCode.usage
  return unreadableCodes.has(error.code) ? ExitCode.unreadable : ExitCode.failed
}

/** The exit code of a command that a signal ended. */
export function exitCodeOfSignal(signal: 'SIGINT' | 'SIGTERM'): ExitCode {
  return signal === 'SIGINT' ? ExitCode.interrupted : ExitCode.terminated
}
