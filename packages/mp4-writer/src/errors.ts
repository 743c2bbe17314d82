import { RushesError } from '@rushes/media'

/** What may go wrong while an MP4 file is written. */
export type Mp4ErrorCode =
  | 'MP4_NO_SPACE'
  | 'MP4_WRITE_FAILED'
  | 'MP4_UNSUPPORTED_CODEC'
  | 'MP4_UNKNOWN_TRACK'
  | 'MP4_NO_MEDIA'
  | 'MP4_NOT_FRAGMENTED'
  | 'MP4_CLOSED'

/** The file cannot be written, or what was asked cannot be an MP4. */
export class Mp4Error extends RushesError<Mp4ErrorCode> {}

/** An error of the file system as one of ours. */
export function writeError(path: string, cause: unknown): Mp4Error {
  if (cause instanceof Mp4Error) return cause
  if (isOutOfSpace(cause)) return new Mp4Error('MP4_NO_SPACE', `no space left to write ${path}`, { cause })
  return new Mp4Error('MP4_WRITE_FAILED', `${path} cannot be written: ${(cause as Error).message}`, { cause })
}

/** The disk or the quota is full. */
export function isOutOfSpace(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
