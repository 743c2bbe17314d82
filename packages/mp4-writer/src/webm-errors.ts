import { RushesError } from '@rushes/media'
import { isOutOfSpace } from './errors.js'

/** What may go wrong while a WebM file is written. */
export type WebmErrorCode =
  | 'WEBM_NO_SPACE'
  | 'WEBM_WRITE_FAILED'
  | 'WEBM_UNSUPPORTED_CODEC'
  | 'WEBM_UNKNOWN_TRACK'
  | 'WEBM_NO_MEDIA'
  | 'WEBM_CLOSED'

/** The file cannot be written, or what was asked cannot be a WebM. */
export class WebmError extends RushesError<WebmErrorCode> {}

/** An error of the file system as one of ours. */
export function webmWriteError(path: string, cause: unknown): WebmError {
  if (cause instanceof WebmError) return cause
  if (isOutOfSpace(cause)) return new WebmError('WEBM_NO_SPACE', `no space left to write ${path}`, { cause })
  return new WebmError('WEBM_WRITE_FAILED', `${path} cannot be written: ${(cause as Error).message}`, { cause })
}
