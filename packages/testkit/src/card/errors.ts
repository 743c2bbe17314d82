import { RushesError } from '@rushes/media'

/**
 * - `FFMPEG_MISSING`: the program could not be started.
 * - `FFMPEG_FAILED`: it ended with an error, or its output is not what was asked for.
 * - `BAD_TAKE`: a take's files are not what its session.json says.
 */
export class CardError extends RushesError<'FFMPEG_MISSING' | 'FFMPEG_FAILED' | 'BAD_TAKE'> {}
