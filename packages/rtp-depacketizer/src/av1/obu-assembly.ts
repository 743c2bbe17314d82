import { leb128Bytes, ObuType, parseObuHeader, readLeb128, writeLeb128 } from '@rushes/bitstream'
import { sliceHead } from '../nal/slice-head.js'

/** One OBU of a temporal unit. */
export interface Obu {
  /** One of ObuType. */
  readonly type: number
  readonly spatialId: number
  /** With its size field: a new header, and views into the packets. */
  readonly pieces: readonly Uint8Array[]
}

/** Header and leb128 size take 10 bytes at most. */
const MAX_HEADER_BYTES = 10

/** OBUs that a container does not hold (AV1 RTP payload format; AV1 in ISOBMFF §2.4). */
const LEFT_OUT: ReadonlySet<number> = new Set([ObuType.temporalDelimiter, ObuType.tileList, ObuType.padding])

/**
 * An OBU element as an OBU with size field (AV1 RTP payload format: elements need not have one). Returns
 * `undefined` for one that is of no use. Throws BitstreamError for one that cannot be read.
 */
export function obuOfElement(element: readonly Uint8Array[]): Obu | undefined {
  const head = sliceHead(element, MAX_HEADER_BYTES)
  const { type, headerBytes, hasSize, spatialId } = parseObuHeader(head)
  if (LEFT_OUT.has(type)) return undefined
  let payloadBytes = -headerBytes
  for (const piece of element) payloadBytes += piece.byteLength
  let skip = headerBytes
  if (hasSize) {
    const size = readLeb128(head, headerBytes)
    skip += size.bytes
    // Bytes behind the size that the OBU gives itself are not its own.
    payloadBytes = Math.min(payloadBytes - size.bytes, size.value)
  }
  const header = new Uint8Array(headerBytes + leb128Bytes(payloadBytes))
  header[0] = head[0]! | 2
  if (headerBytes === 2) header[1] = head[1]!
  writeLeb128(header, headerBytes, payloadBytes)
  const pieces: Uint8Array[] = [header]
  let left = payloadBytes
  for (const piece of element) {
    const length = Math.min(piece.byteLength - skip, left)
    if (length > 0) {
      pieces.push(new Uint8Array(piece.buffer, piece.byteOffset + skip, length))
      left -= length
    }
    skip = Math.max(0, skip - piece.byteLength)
  }
  return { type, spatialId, pieces }
}
