/** A NAL unit as the pieces in which it came, and the join that most readers want. */

/** NAL units in pieces: one list of pieces per NAL unit. */
export type NalPieces = readonly (readonly Uint8Array[])[]

/** Length in bytes of a NAL unit in pieces. */
export function piecesLength(pieces: readonly Uint8Array[]): number {
  let length = 0
  for (const piece of pieces) length += piece.byteLength
  return length
}

/** One NAL unit in one piece: the piece itself where there is just one, else a copy. */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array
  const joined = new Uint8Array(piecesLength(pieces))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.byteLength
  }
  return joined
}

/** The pieces of a sample's NAL units, whether it was made of pieces or of whole NAL units. */
export function nalPiecesOf(sample: {
  readonly data: readonly Uint8Array[] | Uint8Array
  readonly pieces?: NalPieces
}): NalPieces {
  if (sample.pieces !== undefined) return sample.pieces
  return sample.data instanceof Uint8Array ? [[sample.data]] : sample.data.map((nalUnit) => [nalUnit])
}
