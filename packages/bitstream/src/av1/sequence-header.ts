import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { ObuType, parseObuHeader, readLeb128 } from './obu.js'

/** A sequence header (AV1 bitstream specification §5.5, §6.4), as far as configurations and frame headers need it. */
export interface Av1SequenceHeader {
  /** seq_profile, 0 main, 1 high, 2 professional. */
  readonly profile: number
  /** seq_level_idx of operating point 0, 0 to 31: level 2 + idx / 4, sub-level idx % 4. */
  readonly levelIdx: number
  /** seq_tier of operating point 0: 0 main, 1 high. */
  readonly tier: number
  /** 8, 10 or 12. */
  readonly bitDepth: number
  /** Largest size of a frame, in pixels, 1 to 65,536. */
  readonly width: number
  readonly height: number
  readonly reducedStillPictureHeader: boolean
  /** operating_point_idc of each operating point; bits 0 to 7 are temporal layers, 8 to 11 spatial layers. */
  readonly operatingPoints: readonly Av1OperatingPoint[]
  /** Bits of temporal point info in frame headers, 0 where there is none. */
  readonly framePresentationTimeBits: number
  /** Bits of buffer_removal_time; 0 where there is no decoder model. */
  readonly bufferRemovalTimeBits: number
  /** Bits of current_frame_id, 0 where frames have none. */
  readonly frameIdBits: number
  readonly deltaFrameIdBits: number
  /** Bits of a frame's own width and height. */
  readonly widthBits: number
  readonly heightBits: number
  /** 0 off, 1 on, 2 chosen by each frame. */
  readonly forceScreenContentTools: number
  readonly forceIntegerMv: number
  /** 0 where frames have no order hint, else 1 to 8. */
  readonly orderHintBits: number
}

/** One operating point (§5.5.1). */
export interface Av1OperatingPoint {
  readonly idc: number
  readonly hasDecoderModel: boolean
}

const SELECT = 2
const CP_BT_709 = 1
const CP_UNSPECIFIED = 2
const TC_SRGB = 13
const MC_IDENTITY = 0

/** Parses a sequence header OBU, with or without size field. Throws BitstreamError `AV1_BAD_SEQUENCE_HEADER`. */
export function parseAv1SequenceHeader(obu: Uint8Array): Av1SequenceHeader {
  try {
    const header = parseObuHeader(obu)
    if (header.type !== ObuType.sequenceHeader) {
      throw new BitstreamError('AV1_BAD_SEQUENCE_HEADER', `not a sequence header: obu_type ${header.type}`)
    }
    const sizeBytes = header.hasSize ? readLeb128(obu, header.headerBytes).bytes : 0
    return read(new BitReader(obu, (header.headerBytes + sizeBytes) * 8))
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'AV1_BAD_SEQUENCE_HEADER') throw cause
    throw new BitstreamError('AV1_BAD_SEQUENCE_HEADER', `it cannot be read: ${cause.message}`, { cause })
  }
}

function read(bits: BitReader): Av1SequenceHeader {
  const profile = bits.u(3)
  if (profile > 2) throw new BitstreamError('AV1_BAD_SEQUENCE_HEADER', `seq_profile ${profile} is reserved`)
  bits.skip(1) // still_picture
  const reducedStillPictureHeader = bits.flag()
  let levelIdx = 0
  let tier = 0
  let framePresentationTimeBits = 0
  let bufferRemovalTimeBits = 0
  const operatingPoints: Av1OperatingPoint[] = []
  if (reducedStillPictureHeader) {
    levelIdx = bits.u(5)
    operatingPoints.push({ idc: 0, hasDecoderModel: false })
  } else {
    let bufferDelayBits = 0
    if (bits.flag()) {
      const equalPictureInterval = readTimingInfo(bits)
      if (bits.flag()) {
        bufferDelayBits = bits.u(5) + 1
        bits.skip(32) // num_units_in_decoding_tick
        bufferRemovalTimeBits = bits.u(5) + 1
        const presentationTimeBits = bits.u(5) + 1
        if (!equalPictureInterval) framePresentationTimeBits = presentationTimeBits
      }
    }
    const hasInitialDisplayDelay = bits.flag()
    const count = bits.u(5) + 1
    for (let i = 0; i < count; i++) {
      const idc = bits.u(12)
      const level = bits.u(5)
      const isHighTier = level > 7 ? bits.u(1) : 0
      if (i === 0) {
        levelIdx = level
        tier = isHighTier
      }
      const hasDecoderModel = bufferRemovalTimeBits > 0 && bits.flag()
      if (hasDecoderModel) bits.skip(bufferDelayBits * 2 + 1)
      if (hasInitialDisplayDelay && bits.flag()) bits.skip(4)
      operatingPoints.push({ idc, hasDecoderModel })
    }
  }
  const widthBits = bits.u(4) + 1
  const heightBits = bits.u(4) + 1
  const width = bits.u(widthBits) + 1
  const height = bits.u(heightBits) + 1
  let frameIdBits = 0
  let deltaFrameIdBits = 0
  if (!reducedStillPictureHeader && bits.flag()) {
    deltaFrameIdBits = bits.u(4) + 2
    frameIdBits = bits.u(3) + deltaFrameIdBits + 1
  }
  bits.skip(3) // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  let forceScreenContentTools = SELECT
  let forceIntegerMv = SELECT
  let orderHintBits = 0
  if (!reducedStillPictureHeader) {
    bits.skip(4) // enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
    const enableOrderHint = bits.flag()
    if (enableOrderHint) bits.skip(2) // enable_jnt_comp, enable_ref_frame_mvs
    forceScreenContentTools = bits.flag() ? SELECT : bits.u(1)
    if (forceScreenContentTools > 0) forceIntegerMv = bits.flag() ? SELECT : bits.u(1)
    if (enableOrderHint) orderHintBits = bits.u(3) + 1
  }
  bits.skip(3) // enable_superres, enable_cdef, enable_restoration
  const bitDepth = readColorConfig(bits, profile)
  return {
    profile,
    levelIdx,
    tier,
    bitDepth,
    width,
    height,
    reducedStillPictureHeader,
    operatingPoints,
    framePresentationTimeBits,
    bufferRemovalTimeBits,
    frameIdBits,
    deltaFrameIdBits,
    widthBits,
    heightBits,
    forceScreenContentTools,
    forceIntegerMv,
    orderHintBits,
  }
}

/** Returns equal_picture_interval (§5.5.3). */
function readTimingInfo(bits: BitReader): boolean {
  bits.skip(64) // num_units_in_display_tick, time_scale
  const equalPictureInterval = bits.flag()
  // uvlc() has the form of an Exp-Golomb code (§4.10.3).
  if (equalPictureInterval) bits.ue()
  return equalPictureInterval
}

/** Returns the bit depth (§5.5.2); reads to the end, so that a header that is cut short is noticed. */
function readColorConfig(bits: BitReader, profile: number): number {
  const highBitDepth = bits.flag()
  const twelveBit = profile === 2 && highBitDepth && bits.flag()
  const bitDepth = twelveBit ? 12 : highBitDepth ? 10 : 8
  const monochrome = profile !== 1 && bits.flag()
  const hasDescription = bits.flag()
  const primaries = hasDescription ? bits.u(8) : CP_UNSPECIFIED
  const transfer = hasDescription ? bits.u(8) : CP_UNSPECIFIED
  const matrix = hasDescription ? bits.u(8) : CP_UNSPECIFIED
  if (monochrome)
    bits.skip(1) // color_range
  else if (primaries !== CP_BT_709 || transfer !== TC_SRGB || matrix !== MC_IDENTITY) {
    bits.skip(1) // color_range
    let subsamplingX = profile !== 1
    let subsamplingY = profile === 0
    if (profile === 2 && bitDepth === 12) {
      subsamplingX = bits.flag()
      subsamplingY = subsamplingX && bits.flag()
    }
    if (subsamplingX && subsamplingY) bits.skip(2) // chroma_sample_position
    bits.skip(1) // separate_uv_delta_q
  } else bits.skip(1) // separate_uv_delta_q
  bits.skip(1) // film_grain_params_present
  return bitDepth
}
