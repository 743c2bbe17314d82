import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { Crc64 } from './crc64.js'

/** Pieces smaller than this are copied into blocks on their way out, since each piece costs a call of the system. */
const SMALL_PIECE_BYTES = 16_384
const BLOCK_BYTES = 65_536
/** Large blocks go by so many bytes, so that one can see that they do. */
const TOLD_BYTES = 1_048_576

/** Bytes that go out in one request, hashed while they came in. */
export class BodyPart {
  readonly #pieces: Uint8Array[] = []
  readonly #md5: Hash = createHash('md5')
  readonly #crc64: Crc64 = new Crc64()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The piece is kept as it is, and must not change until the part is gone. */
  push(piece: Uint8Array): void {
    if (piece.byteLength === 0) return
    this.#pieces.push(piece)
    this.#md5.update(piece)
    this.#crc64.update(piece)
    this.#bytes += piece.byteLength
  }

  /** Value of the header Content-MD5. To be asked for once. */
  md5(): string {
    return this.#md5.digest('base64')
  }

  crc64(): bigint {
    return this.#crc64.digest()
  }

  /** The bytes, for one attempt to send them. `onProgress` hears of each block that goes. */
  stream(onProgress?: (bytes: number) => void): Readable {
    const all = blocks(this.#pieces)
    return Readable.from(onProgress === undefined ? all : telling(all, onProgress))
  }
}

/** Each block is asked for when there is room for it; told when it goes. */
function* telling(
  all: Iterable<Uint8Array>,
  onProgress: (bytes: number) => void,
): Generator<Uint8Array, void, undefined> {
  for (const block of all) {
    for (let offset = 0; offset < block.byteLength; offset += TOLD_BYTES) {
      const part = block.subarray(offset, offset + TOLD_BYTES)
      onProgress(part.byteLength)
      yield part
    }
  }
}

function* blocks(pieces: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  let block: Buffer | undefined
  let filled = 0
  for (const piece of pieces) {
    if (block !== undefined && filled + piece.byteLength > BLOCK_BYTES) {
      yield block.subarray(0, filled)
      block = undefined
    }
    if (piece.byteLength >= SMALL_PIECE_BYTES) {
      if (block !== undefined) yield block.subarray(0, filled)
      block = undefined
      yield piece
      continue
    }
    if (block === undefined) {
      block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      filled = 0
    }
    block.set(piece, filled)
    filled += piece.byteLength
  }
  if (block !== undefined) yield block.subarray(0, filled)
}
