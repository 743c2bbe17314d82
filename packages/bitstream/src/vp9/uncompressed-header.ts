import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import type { Vp9FrameSize } from './frame-size.js'

/** The uncompressed header of a VP9 frame (VP9 bitstream specification §6.2, §7.2), as far as it tells frames apart. */
export interface Vp9UncompressedHeader {
  /** 0 to 3. */
  readonly profile: number
  /** Nothing but the order to show the frame in this slot, 0 to 7; then nothing else here means anything. */
  readonly showExistingFrame?: number
  readonly keyframe: boolean
  readonly showFrame: boolean
  readonly errorResilient: boolean
  readonly intraOnly: boolean
  /** Bit i: the frame goes into reference slot i. */
  readonly refreshFrameFlags: number
  /** `undefined` where it is that of a reference frame that is not known. */
  readonly size: Vp9FrameSize | undefined
  /** 8, 10 or 12; keyframes and intra-only frames only. */
  readonly bitDepth?: number
  /** Position behind the last bit of the header, trailing bits aside; `undefined` where the size is. */
  readonly endBits: number | undefined
}

/** Sizes of the frames in the eight reference slots. */
export type Vp9ReferenceSizes = readonly (Vp9FrameSize | undefined)[]

const SYNC_CODE = 0x49_83_42
const COLOR_SPACE_RGB = 7
/** A segment's features: quantizer, loop filter, reference frame, skip. */
const SEGMENTATION_FEATURE_BITS: readonly number[] = [8, 6, 2, 0]
const SEGMENTATION_FEATURE_SIGNED: readonly boolean[] = [true, true, false, false]
/** In superblocks of 64 pixels: tiles are between 256 and 4096 pixels wide. */
const MIN_TILE_WIDTH_B64 = 4
const MAX_TILE_WIDTH_B64 = 64

/**
 * Parses the beginning of a frame; 128 bytes are enough for any. `references` gives the size of frames that take it
 * from a reference frame. Throws BitstreamError `VP9_BAD_FRAME`.
 */
export function parseVp9UncompressedHeader(
  frame: Uint8Array,
  references: Vp9ReferenceSizes = [],
): Vp9UncompressedHeader {
  try {
    return read(new BitReader(frame), references)
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'VP9_BAD_FRAME') throw cause
    throw new BitstreamError('VP9_BAD_FRAME', `the frame header cannot be read: ${cause.message}`, { cause })
  }
}

function read(bits: BitReader, references: Vp9ReferenceSizes): Vp9UncompressedHeader {
  if (bits.u(2) !== 2) throw new BitstreamError('VP9_BAD_FRAME', 'a VP9 frame begins with the frame marker 2')
  const profile = bits.u(1) + bits.u(1) * 2
  if (profile === 3 && bits.flag()) throw new BitstreamError('VP9_BAD_FRAME', 'reserved_zero is not 0')
  if (bits.flag()) {
    const showExistingFrame = bits.u(3)
    const nothing = { keyframe: false, showFrame: true, errorResilient: false, intraOnly: false, refreshFrameFlags: 0 }
    return { profile, showExistingFrame, ...nothing, size: references[showExistingFrame], endBits: bits.positionBits }
  }
  const keyframe = !bits.flag()
  const showFrame = bits.flag()
  const errorResilient = bits.flag()
  let intraOnly = false
  let refreshFrameFlags = 0xff
  let bitDepth: number | undefined
  let size: Vp9FrameSize | undefined
  if (keyframe) {
    readSyncCode(bits)
    bitDepth = readColorConfig(bits, profile)
    size = readFrameSize(bits)
    skipRenderSize(bits)
  } else {
    intraOnly = showFrame ? false : bits.flag()
    if (!errorResilient) bits.skip(2) // reset_frame_context
    if (intraOnly) {
      readSyncCode(bits)
      bitDepth = profile > 0 ? readColorConfig(bits, profile) : 8
      refreshFrameFlags = bits.u(8)
      size = readFrameSize(bits)
      skipRenderSize(bits)
    } else {
      refreshFrameFlags = bits.u(8)
      size = readSizeWithReferences(bits, references)
      bits.skip(1) // allow_high_precision_mv
      if (!bits.flag()) bits.skip(2) // raw_interpolation_filter
    }
  }
  const endBits = size === undefined ? undefined : readRest(bits, errorResilient, size.width)
  const header = { profile, keyframe, showFrame, errorResilient, intraOnly, refreshFrameFlags, size, endBits }
  return bitDepth === undefined ? header : { ...header, bitDepth }
}

function readSyncCode(bits: BitReader): void {
  if (bits.u(24) !== SYNC_CODE) throw new BitstreamError('VP9_BAD_FRAME', 'the frame sync code is 49 83 42')
}

/** Returns the bit depth (§6.2.2). */
function readColorConfig(bits: BitReader, profile: number): number {
  const bitDepth = profile >= 2 ? (bits.flag() ? 12 : 10) : 8
  const isRgb = bits.u(3) === COLOR_SPACE_RGB
  const hasSubsampling = profile === 1 || profile === 3
  if (!isRgb) bits.skip(1) // color_range
  if (hasSubsampling) bits.skip(isRgb ? 1 : 3)
  else if (isRgb) throw new BitstreamError('VP9_BAD_FRAME', `RGB in profile ${profile}`)
  return bitDepth
}

function readFrameSize(bits: BitReader): Vp9FrameSize {
  return { width: bits.u(16) + 1, height: bits.u(16) + 1 }
}

function skipRenderSize(bits: BitReader): void {
  if (bits.flag()) bits.skip(32)
}

function readSizeWithReferences(bits: BitReader, references: Vp9ReferenceSizes): Vp9FrameSize | undefined {
  const slots: number[] = []
  for (let i = 0; i < 3; i++) {
    slots.push(bits.u(3))
    bits.skip(1) // ref_frame_sign_bias
  }
  for (const slot of slots) {
    if (!bits.flag()) continue
    skipRenderSize(bits)
    return references[slot]
  }
  const size = readFrameSize(bits)
  skipRenderSize(bits)
  return size
}

/** From refresh_frame_context to header_size_in_bytes. Returns the position behind it. */
function readRest(bits: BitReader, errorResilient: boolean, width: number): number {
  if (!errorResilient) bits.skip(2) // refresh_frame_context, frame_parallel_decoding_mode
  bits.skip(2) // frame_context_idx
  bits.skip(9) // loop_filter_level, loop_filter_sharpness
  // loop_filter_delta_enabled, loop_filter_delta_update
  if (bits.flag() && bits.flag()) skipOptional(bits, 6, 7)
  bits.skip(8) // base_q_idx
  skipOptional(bits, 3, 5) // delta_q
  if (bits.flag()) skipSegmentation(bits)
  const superblocks = Math.ceil(width / 64)
  let minLog2 = 0
  while (MAX_TILE_WIDTH_B64 << minLog2 < superblocks) minLog2++
  let maxLog2 = 1
  while (superblocks >> maxLog2 >= MIN_TILE_WIDTH_B64) maxLog2++
  for (let log2 = minLog2; log2 < maxLog2 - 1 && bits.flag(); log2++);
  if (bits.flag()) bits.skip(1) // tile_rows_log2
  bits.skip(16) // header_size_in_bytes
  return bits.positionBits
}

/** `count` fields of `length` bits, each behind a flag that says whether it is there. */
function skipOptional(bits: BitReader, count: number, length: number): void {
  for (let i = 0; i < count; i++) if (bits.flag()) bits.skip(length)
}

/** §6.2.11, behind segmentation_enabled. */
function skipSegmentation(bits: BitReader): void {
  if (bits.flag()) {
    skipOptional(bits, 7, 8)
    if (bits.flag()) skipOptional(bits, 3, 8)
  }
  if (!bits.flag()) return
  bits.skip(1) // segmentation_abs_or_delta_update
  for (let segment = 0; segment < 8; segment++) {
    for (const [feature, length] of SEGMENTATION_FEATURE_BITS.entries()) {
      if (bits.flag()) bits.skip(length + (SEGMENTATION_FEATURE_SIGNED[feature] === true ? 1 : 0))
    }
  }
}
