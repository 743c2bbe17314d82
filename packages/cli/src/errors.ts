import { RushesError } from '@rushes/media'

/**
 * What the command itself can fail with, beside the errors of the packages that it calls:
 * - `USAGE`: an argument or option is missing, unknown or malformed.
 * - `INPUT_NOT_FOUND`: there is nothing at the path.
 * - `INPUT_NOT_READABLE`: the operating system refused to read it.
 * - `INPUT_UNKNOWN`: it is neither a take nor a playlist nor a media file.
 * - `OUT_NOT_WRITABLE`: the folder given with `--out` cannot be made or written.
 * - `JOURNAL_IN_USE`: another process records into the journal.
 */
export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_NOT_FOUND'
  | 'INPUT_NOT_READABLE'
  | 'INPUT_UNKNOWN'
  | 'OUT_NOT_WRITABLE'
  | 'JOURNAL_IN_USE'

/** An error of the command line. */
export class CliError extends RushesError<CliErrorCode> {}

/** The code of an operating system error (`ENOENT`), or `undefined`. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
