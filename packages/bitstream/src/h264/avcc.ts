import { type NalPieces, type ParameterSets, piecesLength } from '@rushes/media'
import { BitstreamError } from '../errors.js'
import { parseSps } from './sps.js'

/** NAL units behind four-byte lengths, as MP4 holds them (ISO/IEC 14496-15). */
export function joinLengthPrefixed(nalPieces: NalPieces): Uint8Array {
  let length = 0
  for (const pieces of nalPieces) length += 4 + piecesLength(pieces)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const pieces of nalPieces) {
    view.setUint32(offset, piecesLength(pieces))
    offset += 4
    for (const piece of pieces) {
      bytes.set(piece, offset)
      offset += piece.byteLength
    }
  }
  return bytes
}

/** The NAL units as views into `bytes`. Throws BitstreamError `AVCC_BAD_LENGTH` where a length points past the end. */
export function splitLengthPrefixed(bytes: Uint8Array, lengthSize: 1 | 2 | 4 = 4): Uint8Array[] {
  const nalUnits: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.byteLength) {
    let length = 0
    // A length cut short is one that points past the end.
    for (let i = 0; i < lengthSize; i++) length = length * 256 + (bytes[offset + i] ?? 0xff)
    offset += lengthSize
    if (offset + length > bytes.byteLength) {
      throw new BitstreamError('AVCC_BAD_LENGTH', `${length} bytes at ${offset}, the sample has ${bytes.byteLength}`)
    }
    nalUnits.push(bytes.subarray(offset, offset + length))
    offset += length
  }
  return nalUnits
}

/** Profiles whose record ends with the PPS; all others tell chroma format and bit depths. */
const PROFILES_WITHOUT_EXTENSION: ReadonlySet<number> = new Set([66, 77, 88])

/**
 * The AVCDecoderConfigurationRecord (`avcC`) with four-byte lengths (ISO/IEC 14496-15 §5.3.3.1).
 * Throws BitstreamError `AVCC_BAD_PARAMETER_SETS` where the sets do not fit (1 to 31 SPS, 1 to 255 PPS, 65,535 bytes each), `H264_BAD_SPS`
 * where the first SPS cannot be read.
 */
export function avcDecoderConfigurationRecord(parameterSets: Pick<ParameterSets, 'sps' | 'pps'>): Uint8Array {
  const { sps, pps } = parameterSets
  const first = sps[0]
  if (first === undefined || sps.length > 31 || pps.length === 0 || pps.length > 255) {
    throw new BitstreamError(
      'AVCC_BAD_PARAMETER_SETS',
      `an avcC holds 1 to 31 SPS and 1 to 255 PPS, got ${sps.length} and ${pps.length}`,
    )
  }
  const parsed = parseSps(first)
  const body = [0x01, parsed.profileIdc, parsed.constraintFlags, parsed.levelIdc, 0xff, 0xe0 | sps.length]
  appendSets(body, sps)
  body.push(pps.length)
  appendSets(body, pps)
  if (!PROFILES_WITHOUT_EXTENSION.has(parsed.profileIdc)) {
    body.push(0xfc | parsed.chromaFormatIdc, 0xf8 | (parsed.bitDepthLuma - 8), 0xf8 | (parsed.bitDepthChroma - 8), 0)
  }
  return Uint8Array.from(body)
}

function appendSets(body: number[], nalUnits: readonly Uint8Array[]): void {
  for (const nalUnit of nalUnits) {
    const length = nalUnit.byteLength
    if (length > 0xffff) {
      throw new BitstreamError('AVCC_BAD_PARAMETER_SETS', `a parameter set has at most 65535 bytes, got ${length}`)
    }
    body.push(length >>> 8, length & 0xff)
    for (const byte of nalUnit) body.push(byte)
  }
}
