import { RushesError } from '@rushes/media'

/** What is wrong with a bitstream. */
export type BitstreamErrorCode =
  | 'BITSTREAM_END'
  | 'BITSTREAM_BAD_EXP_GOLOMB'
  | 'H264_BAD_SPS'
  | 'H264_BAD_PPS'
  | 'H264_BAD_SLICE'
  | 'H265_BAD_VPS'
  | 'H265_BAD_SPS'
  | 'H265_BAD_PPS'
  | 'H265_BAD_SLICE'
  | 'VP8_BAD_FRAME'
  | 'VP9_BAD_FRAME'
  | 'AV1_BAD_OBU'
  | 'AV1_BAD_SEQUENCE_HEADER'
  | 'AVCC_BAD_LENGTH'
  | 'AVCC_BAD_PARAMETER_SETS'
  | 'HVCC_BAD_PARAMETER_SETS'
  | 'OPUS_BAD_PACKET'
  | 'AAC_BAD_CONFIG'
  | 'ADTS_BAD_HEADER'

/** Bytes that are not what they should be. Parsers of this package throw nothing else, whatever they are given. */
export class BitstreamError extends RushesError<BitstreamErrorCode> {}
