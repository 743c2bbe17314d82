import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'

/** Pieces shorter than this are gathered: a segment is thousands of them, and each would cost a call. */
const SMALL_PIECE_BYTES = 16_384
const BLOCK_BYTES = 131_072
/** Large blocks go by so many bytes, so that one can see that they do; smaller ones would cost memory and time. */
const TOLD_BYTES = 1_048_576

/** How the bytes of a request are made sure of: `MD5` is the header Content-MD5. */
export type PayloadDigest = 'MD5' | 'CRC32' | 'SHA256'

/**
 * The bytes of one request: in pieces, which are not joined, and can be read again for another attempt.
 */
export class Payload {
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly #digests = new Map<PayloadDigest, string>()

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces
    this.bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
  }

  /** In base64, as the headers have it. Computed when first asked for. */
  digest(algorithm: PayloadDigest): string {
    let digest = this.#digests.get(algorithm)
    if (digest === undefined) {
      digest = digestOf(this.pieces, algorithm)
      this.#digests.set(algorithm, digest)
    }
    return digest
  }

  /** What an HTTP client sends: the only piece, or a stream. `onProgress` hears of each block that goes. */
  body(onProgress?: (bytes: number) => void): Buffer | Readable {
    const [first] = this.pieces
    if (first === undefined) return Buffer.alloc(0)
    const isOne = this.pieces.length === 1
    if (isOne && (onProgress === undefined || first.byteLength <= TOLD_BYTES)) {
      onProgress?.(first.byteLength)
      return Buffer.from(first.buffer, first.byteOffset, first.byteLength)
    }
    const blocks = inBlocks(this.pieces)
    const told = onProgress === undefined ? blocks : telling(blocks, onProgress)
    return Readable.from(told, { objectMode: false, highWaterMark: BLOCK_BYTES })
  }
}

function digestOf(pieces: readonly Uint8Array[], algorithm: PayloadDigest): string {
  if (algorithm === 'CRC32') {
    let value = 0
    for (const piece of pieces) value = crc32(piece, value)
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes.toString('base64')
  }
  const hash = createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('base64')
}

/** In blocks, each of which is asked for when there is room for it; told when it goes. */
function* telling(
  blocks: Iterable<Uint8Array>,
  onProgress: (bytes: number) => void,
): Generator<Uint8Array, void, undefined> {
  for (const block of blocks) {
    for (let offset = 0; offset < block.byteLength; offset += TOLD_BYTES) {
      const part = block.subarray(offset, offset + TOLD_BYTES)
      onProgress(part.byteLength)
      yield part
    }
  }
}

/** Large pieces as they are, and small ones gathered into blocks. */
function* inBlocks(pieces: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  let block = Buffer.allocUnsafe(0)
  let filled = 0
  for (const piece of pieces) {
    const fits = piece.byteLength <= SMALL_PIECE_BYTES
    if (filled > 0 && (!fits || filled + piece.byteLength > BLOCK_BYTES)) {
      yield block.subarray(0, filled)
      filled = 0
    }
    if (!fits) yield piece
    else if (piece.byteLength > 0) {
      // Each block is new: what was given away is not written again.
      if (filled === 0) block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      block.set(piece, filled)
      filled += piece.byteLength
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}
