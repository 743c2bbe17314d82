import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { ObuType, parseObuHeader, readLeb128 } from './obu.js'
import type { Av1SequenceHeader } from './sequence-header.js'

/** The beginning of a frame header (AV1 bitstream specification §5.9.2). */
export interface Av1FrameHeader {
  /** Nothing is coded: a frame that came earlier is shown. */
  readonly showExistingFrame: boolean
  readonly keyframe: boolean
  readonly showFrame: boolean
  readonly errorResilient: boolean
  /** Bit i: the frame goes into reference slot i; 0 for a frame that no other is predicted from. */
  readonly refreshFrameFlags: number
  /** Pixels, before superresolution is undone; `undefined` where it is that of a reference frame that is not known. */
  readonly size: Av1FrameSize | undefined
}

/** Pixels, 1 to 65,536 each way. */
export interface Av1FrameSize {
  readonly width: number
  readonly height: number
}

/** Sizes of the frames in the eight reference slots. */
export type Av1ReferenceSizes = readonly (Av1FrameSize | undefined)[]

const KEY_FRAME = 0
const INTRA_ONLY_FRAME = 2
const SWITCH_FRAME = 3
const ALL_SLOTS = 0xff
const REFERENCES = 7
const SELECT = 2

/**
 * Parses the beginning of a frame OBU or frame header OBU, with or without size field: 32 bytes are enough for any
 * without decoder model. `references` gives the size of frames that take it from a reference frame. Throws BitstreamError `AV1_BAD_OBU`.
 */
export function parseAv1FrameHeader(
  obu: Uint8Array,
  sequence: Av1SequenceHeader,
  references: Av1ReferenceSizes = [],
): Av1FrameHeader {
  const header = parseObuHeader(obu)
  if (header.type !== ObuType.frame && header.type !== ObuType.frameHeader) {
    throw new BitstreamError('AV1_BAD_OBU', `not a frame header: obu_type ${header.type}`)
  }
  const sizeBytes = header.hasSize ? readLeb128(obu, header.headerBytes).bytes : 0
  try {
    return read(new BitReader(obu, (header.headerBytes + sizeBytes) * 8), sequence, header, references)
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'AV1_BAD_OBU') throw cause
    throw new BitstreamError('AV1_BAD_OBU', `the frame header cannot be read: ${cause.message}`, { cause })
  }
}

function read(
  bits: BitReader,
  sequence: Av1SequenceHeader,
  layer: { readonly temporalId: number; readonly spatialId: number },
  references: Av1ReferenceSizes,
): Av1FrameHeader {
  const largest = { width: sequence.width, height: sequence.height }
  const whole = { showExistingFrame: false, keyframe: true, showFrame: true, errorResilient: true, size: largest }
  if (sequence.reducedStillPictureHeader) return { ...whole, refreshFrameFlags: ALL_SLOTS }
  if (bits.flag()) {
    const size = references[bits.u(3)]
    return { ...whole, showExistingFrame: true, keyframe: false, errorResilient: false, refreshFrameFlags: 0, size }
  }
  const frameType = bits.u(2)
  const showFrame = bits.flag()
  if (showFrame) bits.skip(sequence.framePresentationTimeBits)
  else bits.skip(1) // showable_frame
  const keyframe = frameType === KEY_FRAME
  const isIntra = keyframe || frameType === INTRA_ONLY_FRAME
  const replacesAll = frameType === SWITCH_FRAME || (keyframe && showFrame)
  const errorResilient = replacesAll || bits.flag()
  bits.skip(1) // disable_cdf_update
  const hasScreenContentTools =
    sequence.forceScreenContentTools === SELECT ? bits.flag() : sequence.forceScreenContentTools === 1
  if (hasScreenContentTools && sequence.forceIntegerMv === SELECT) bits.skip(1) // force_integer_mv
  bits.skip(sequence.frameIdBits)
  const overridesSize = frameType === SWITCH_FRAME || bits.flag()
  bits.skip(sequence.orderHintBits)
  if (!isIntra && !errorResilient) bits.skip(3) // primary_ref_frame
  if (sequence.bufferRemovalTimeBits > 0 && bits.flag()) skipBufferRemovalTimes(bits, sequence, layer)
  const refreshFrameFlags = replacesAll ? ALL_SLOTS : bits.u(8)
  const known = { showExistingFrame: false, keyframe, showFrame, errorResilient, refreshFrameFlags }
  if (!overridesSize) return { ...known, size: largest }
  if ((!isIntra || refreshFrameFlags !== ALL_SLOTS) && errorResilient) bits.skip(8 * sequence.orderHintBits)
  if (!isIntra) {
    // frame_refs_short_signaling: which references it means is a long derivation that no sender of calls asks for.
    if (sequence.orderHintBits > 0 && bits.flag()) return { ...known, size: undefined }
    const slots: number[] = []
    for (let i = 0; i < REFERENCES; i++) {
      slots.push(bits.u(3))
      bits.skip(sequence.deltaFrameIdBits)
    }
    if (!errorResilient) for (const slot of slots) if (bits.flag()) return { ...known, size: references[slot] }
  }
  const size = { width: bits.u(sequence.widthBits) + 1, height: bits.u(sequence.heightBits) + 1 }
  return { ...known, size }
}

function skipBufferRemovalTimes(
  bits: BitReader,
  sequence: Av1SequenceHeader,
  layer: { readonly temporalId: number; readonly spatialId: number },
): void {
  for (const { idc, hasDecoderModel } of sequence.operatingPoints) {
    if (!hasDecoderModel) continue
    const inTemporalLayer = ((idc >>> layer.temporalId) & 1) === 1
    const inSpatialLayer = ((idc >>> (layer.spatialId + 8)) & 1) === 1
    if (idc === 0 || (inTemporalLayer && inSpatialLayer)) bits.skip(sequence.bufferRemovalTimeBits)
  }
}
