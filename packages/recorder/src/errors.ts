import { RushesError } from '@rushes/media'

/** What can go wrong with a recorder as a whole, or with one recording. */
export type RecorderErrorCode =
  /** The room is being recorded already. */
  | 'RECORDER_ROOM_BUSY'
  /** There is a recording of that id, or its journal is still there. */
  | 'RECORDER_ID_TAKEN'
  /** No more recordings at a time, by `limits.maxRecordings`, or the disk has no room for another. */
  | 'RECORDER_REFUSED'
  /** The recorder is closing, or the recording has stopped. */
  | 'RECORDER_CLOSED'
  /** The journal's folder cannot be used. */
  | 'RECORDER_JOURNAL'
  /** The recording ended without any media. */
  | 'RECORDING_NO_MEDIA'
  /** The outputs could not be made; the journal is kept. */
  | 'RECORDING_FAILED'
  /** No recording of that id, or it is not in a state for this. */
  | 'RECORDER_NOT_FOUND'

/** An error of the recorder. */
export class RecorderError extends RushesError<RecorderErrorCode> {
  readonly recordingId: string | undefined
  constructor(
    code: RecorderErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly recordingId?: string } = {},
  ) {
    super(code, message, options)
    this.recordingId = options.recordingId
  }
}
