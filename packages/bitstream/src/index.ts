export { type AdtsFrame, type AdtsHeader, adtsHeader, parseAdtsHeader, splitAdts } from './aac/adts.js'
export {
  type AacParameters,
  type AudioSpecificConfig,
  buildAudioSpecificConfig,
  parseAudioSpecificConfig,
} from './aac/audio-specific-config.js'
export { av1CodecString } from './av1/codec-string.js'
export {
  type Av1FrameHeader,
  type Av1FrameSize,
  type Av1ReferenceSizes,
  parseAv1FrameHeader,
} from './av1/frame-header.js'
export {
  type Leb128,
  leb128Bytes,
  type ObuHeader,
  ObuType,
  parseObuHeader,
  readLeb128,
  writeLeb128,
} from './av1/obu.js'
export { type Av1OperatingPoint, type Av1SequenceHeader, parseAv1SequenceHeader } from './av1/sequence-header.js'
export { BitReader } from './bit-reader.js'
export { BitstreamError, type BitstreamErrorCode } from './errors.js'
export { joinAnnexB, splitAnnexB } from './h264/annex-b.js'
export { avcDecoderConfigurationRecord, joinLengthPrefixed, splitLengthPrefixed } from './h264/avcc.js'
export { h264CodecString } from './h264/codec-string.js'
export { h264Configuration, isSameVideoConfiguration } from './h264/configuration.js'
export { addEmulationPrevention, removeEmulationPrevention } from './h264/emulation-prevention.js'
export { isVclNalUnit, NalUnitType, nalRefIdcOf, nalUnitTypeOf } from './h264/nal-unit.js'
export { startsNewPicture } from './h264/picture-boundary.js'
export { type Pps, parsePps } from './h264/pps.js'
export { h264ReorderDepth } from './h264/reorder-depth.js'
export {
  type ParameterSetLookup,
  parseFirstMbInSlice,
  parseSliceHeader,
  type SliceHeader,
} from './h264/slice-header.js'
export { parseSps, type Sps } from './h264/sps.js'
export type { Vui } from './h264/vui.js'
export { h265CodecString } from './h265/codec-string.js'
export { h265Configuration } from './h265/configuration.js'
export { hevcDecoderConfigurationRecord } from './h265/hvcc.js'
export {
  H265NalUnitType,
  h265LayerIdOf,
  h265NalUnitTypeOf,
  h265TemporalIdOf,
  isH265Idr,
  isH265Irap,
  isH265Radl,
  isH265Rasl,
  isH265SubLayerNonReference,
  isH265VclNalUnit,
} from './h265/nal-unit.js'
export { h265PicOrderCnt } from './h265/picture-order-count.js'
export { type H265Pps, parseH265Pps } from './h265/pps.js'
export type { ProfileTierLevel } from './h265/profile-tier-level.js'
export type { ShortTermRefPic, ShortTermRefPicSet } from './h265/short-term-ref-pic-set.js'
export {
  type H265ParameterSetLookup,
  type H265SliceSegmentHeader,
  type LongTermRefPic,
  MAX_H265_SLICE_HEAD_BYTES,
  parseH265SlicePpsId,
  parseH265SliceSegmentHeader,
} from './h265/slice-segment-header.js'
export { type H265Sps, parseH265Sps } from './h265/sps.js'
export { type H265Vps, parseH265Vps } from './h265/vps.js'
export type { H265Vui } from './h265/vui.js'
export { opusPacketDuration } from './opus/packet.js'
export { type OpusToc, parseOpusToc } from './opus/toc.js'
export { parseVp8FrameHeader, type Vp8FrameHeader } from './vp8/frame-header.js'
export { vp9CodecString } from './vp9/codec-string.js'
export type { Vp9FrameSize } from './vp9/frame-size.js'
export { hideVp9Frame, type Vp9HeadRewrite } from './vp9/hidden-frame.js'
export { vp9SuperframeIndex } from './vp9/superframe.js'
export {
  parseVp9UncompressedHeader,
  type Vp9ReferenceSizes,
  type Vp9UncompressedHeader,
} from './vp9/uncompressed-header.js'
