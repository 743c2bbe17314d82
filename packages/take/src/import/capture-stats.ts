/** A frame as a capture holds it. */
export interface CapturedFrame {
  /** What its first bytes are: a LINKTYPE of the tcpdump group. */
  readonly linkType: number
  /** A view into what was pushed. */
  readonly data: Uint8Array
  /** Wall time of the capture, in microseconds since 1970-01-01T00:00Z. */
  readonly timestampUs: number
}

/** What a parser of captures has seen. */
export interface CaptureStats {
  readonly bytes: number
  readonly frames: number
  /** Set once the rest of the file is given up: `torn` in the middle of a record, `bad-record` at one that cannot be one. */
  readonly cutCause?: 'bad-header' | 'torn' | 'bad-record'
  readonly cutBytes: number
}

/** No frame or block of a capture of calls is longer; a length field that says so is none. */
export const MAX_CAPTURE_RECORD_BYTES = 16_777_216
