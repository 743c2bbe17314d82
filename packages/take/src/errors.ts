import { RushesError } from '@rushes/media'

/**
 * Why a take cannot be read or written:
 * - `TAKE_NO_SESSION`: the folder has no session.json.
 * - `TAKE_BAD_SESSION`: session.json breaks a rule; `path` names the place.
 * - `TAKE_FORMAT_TOO_NEW`: written by a later version.
 * - `TAKE_UNKNOWN_CODEC`: a track's MIME type is none that Rushes knows.
 * - `TAKE_MISSING_TRACK_FILE`: a track's file is not there (strict reading, or no file is left).
 * - `TAKE_BAD_TRACK_FILE`: a track's file is no rtpdump file, or is cut (strict reading).
 * - `TAKE_READ_FAILED`: the operating system refused to read.
 * - `TAKE_EXISTS`: there is a take in the folder already.
 * - `TAKE_WRITE_FAILED`: the operating system refused to write; what is buffered stays and is tried again.
 * - `TAKE_CLOSED`: the writer or source has finished or was aborted.
 * - `TAKE_IN_USE`: a live source has its one reader already.
 * - `TAKE_LOCKED`: a process that lives writes this take, or this writer has lost it to another one.
 * - `TAKE_NOT_FINISHED`: only a finished take can be changed; recover it first.
 * - `TAKE_UNKNOWN_PARTICIPANT`: nobody of that id is in the take.
 * - `TAKE_BAD_CAPTURE`: a file to import is no capture, or holds nothing that can be imported.
 */
export type TakeErrorCode =
  | 'TAKE_NO_SESSION'
  | 'TAKE_BAD_SESSION'
  | 'TAKE_FORMAT_TOO_NEW'
  | 'TAKE_UNKNOWN_CODEC'
  | 'TAKE_MISSING_TRACK_FILE'
  | 'TAKE_BAD_TRACK_FILE'
  | 'TAKE_READ_FAILED'
  | 'TAKE_EXISTS'
  | 'TAKE_WRITE_FAILED'
  | 'TAKE_CLOSED'
  | 'TAKE_IN_USE'
  | 'TAKE_LOCKED'
  | 'TAKE_NOT_FINISHED'
  | 'TAKE_UNKNOWN_PARTICIPANT'
  | 'TAKE_BAD_CAPTURE'

/** A take cannot be read or written as asked. */
export class TakeError extends RushesError<TakeErrorCode> {
  /** Where in session.json, as a path: `$.participants[1].tracks[0].file`. */
  readonly path?: string
  /** The track concerned. */
  readonly trackId?: string
  constructor(
    code: TakeErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly path?: string; readonly trackId?: string },
  ) {
    super(code, message, options?.cause === undefined ? undefined : { cause: options.cause })
    if (options?.path !== undefined) this.path = options.path
    if (options?.trackId !== undefined) this.trackId = options.trackId
  }
}

/** The code of an operating system error (`ENOENT`), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** A failure of the operating system to write, with what to do about it. */
export function writeFailed(dir: string, cause: unknown): TakeError {
  const code = systemCode(cause)
  const advice =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'the disk is full: free some space'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'this process may not write there: check the owner and the mount of the folder'
        : (cause as Error).message
  return new TakeError('TAKE_WRITE_FAILED', `the take in ${dir} cannot be written: ${advice}`, { cause })
}
