/** How strictly, and what is known from outside. */
export interface TransportStreamOptions {
  /** A listed stream may have no packets in a segment, as long as it has some somewhere. @defaultValue false */
  readonly allowIdle?: boolean
  /** PTS of audio may jump ahead. It may never overlap. @defaultValue false */
  readonly allowAudioGaps?: boolean
  /** Indexes of the segments that a discontinuity was declared for: counters, clocks and formats start anew there. */
  readonly discontinuities?: readonly number[]
  /** Every segment must decode alone (EXT-X-INDEPENDENT-SEGMENTS). @defaultValue false */
  readonly independentSegments?: boolean
  /** PIDs 0x0010 to 0x001F may carry service information (DVB tables; ffmpeg writes an SDT). @defaultValue false */
  readonly allowServiceInformation?: boolean
  /** Stream types, besides H.264 (0x1B) and ADTS AAC (0x0F), whose contents are not looked at. @defaultValue none */
  readonly otherStreamTypes?: readonly number[]
  /** Access units and frames of the listing have their bytes. Without, hours of segments fit. @defaultValue true */
  readonly payloads?: boolean
  /** Findings kept before the rest is only counted. @defaultValue 1000 */
  readonly maxFindings?: number
}
