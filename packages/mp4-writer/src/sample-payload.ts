import { type EncodedSample, type NalPieces, nalPiecesOf, piecesLength, type Track } from '@rushes/media'

/**
 * The bytes of a sample in the pieces in which they came, and how they lie in the file: H264 and H265 have a length of
 * four bytes in front of each NAL unit (ISO/IEC 14496-15), everything else follows without a gap.
 */
export interface SamplePayload {
  readonly units: NalPieces
  readonly lengthPrefixed: boolean
}

/** The payload of a sample of `track`. Nothing is copied. */
export function payloadOf(track: Track, sample: EncodedSample): SamplePayload {
  return { units: nalPiecesOf(sample), lengthPrefixed: track.codec === 'h264' || track.codec === 'h265' }
}

/** Bytes of a sample in the file. */
export function payloadLength({ units, lengthPrefixed }: SamplePayload): number {
  let length = lengthPrefixed ? units.length * 4 : 0
  for (const pieces of units) length += piecesLength(pieces)
  return length
}

/** Copies a payload to `start` and gives the position behind it: the one copy on its way to the container. */
export function writePayload(
  view: DataView,
  bytes: Uint8Array,
  start: number,
  { units, lengthPrefixed }: SamplePayload,
): number {
  let offset = start
  for (const pieces of units) {
    if (lengthPrefixed) {
      view.setUint32(offset, piecesLength(pieces))
      offset += 4
    }
    for (const piece of pieces) {
      bytes.set(piece, offset)
      offset += piece.byteLength
    }
  }
  return offset
}
