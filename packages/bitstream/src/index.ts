export { type AdtsFrame, type AdtsHeader, adtsHeader, parseAdtsHeader, splitAdts } from './aac/adts.js'
export {
  type AacParameters,
  type AudioSpecificConfig,
  buildAudioSpecificConfig,
  parseAudioSpecificConfig,
} from './aac/audio-specific-config.js'
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
export { opusPacketDuration } from './opus/packet.js'
export { type OpusToc, parseOpusToc } from './opus/toc.js'
