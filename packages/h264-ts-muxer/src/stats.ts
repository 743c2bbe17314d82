/** Why a sample was not written. */
export type DropCause =
  /** Its `trackId` is none of the muxer's. */
  | 'unknownTrack'
  /** Its times are no integers, its PTS is before its DTS, or its DTS is not after the one before. */
  | 'badTime'
  /** An access unit without a slice. */
  | 'noPicture'
  /** A keyframe, and neither it nor the configuration brought an SPS and a PPS. */
  | 'noParameterSets'
  /** AAC before its configuration, or with one that ADTS cannot express. */
  | 'noConfiguration'
  /** An AAC frame that is empty or over 8,184 bytes. */
  | 'badFrame'

/** Counters of a TS muxer since the start. */
export interface TsMuxerStats {
  /** Samples written. */
  samples: number
  /** Bytes emitted. */
  bytes: number
  /** Transport packets emitted. */
  packets: number
  /** Bytes of the adaptation fields that only fill packets up. */
  stuffingBytes: number
  /** Times that PAT and PMT were written. */
  tables: number
  /** Packets with nothing but a PCR. */
  pcrPackets: number
  insertedAccessUnitDelimiters: number
  /** Duplicates, and malformed ones. */
  droppedAccessUnitDelimiters: number
  insertedParameterSets: number
  /** Parameter sets and SEI that stood behind a slice. */
  movedNalUnits: number
  /** Samples whose DTS was before the clock already written: the input was not interleaved by DTS. */
  lateSamples: number
  /** Samples not written, by cause. */
  readonly dropped: Record<DropCause, number>
}

/** All zero. */
export function createTsMuxerStats(): TsMuxerStats {
  return {
    samples: 0,
    bytes: 0,
    packets: 0,
    stuffingBytes: 0,
    tables: 0,
    pcrPackets: 0,
    insertedAccessUnitDelimiters: 0,
    droppedAccessUnitDelimiters: 0,
    insertedParameterSets: 0,
    movedNalUnits: 0,
    lateSamples: 0,
    dropped: { unknownTrack: 0, badTime: 0, noPicture: 0, noParameterSets: 0, noConfiguration: 0, badFrame: 0 },
  }
}
