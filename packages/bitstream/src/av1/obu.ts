import { BitstreamError } from '../errors.js'

/** obu_type (AV1 bitstream specification §6.2.2); the numbers that are not here are reserved. */
export const ObuType = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  metadata: 5,
  frame: 6,
  redundantFrameHeader: 7,
  tileList: 8,
  padding: 15,
} as const

/** An OBU header (§5.3.2, §5.3.3). */
export interface ObuHeader {
  /** One of {@link ObuType}, or reserved. */
  readonly type: number
  /** 1, or 2 with the extension. */
  readonly headerBytes: number
  readonly hasSize: boolean
  /** 0 where there is no extension. */
  readonly temporalId: number
  readonly spatialId: number
  readonly hasExtension: boolean
}

/** Parses the one or two bytes at the beginning of an OBU. Throws BitstreamError `AV1_BAD_OBU`. */
export function parseObuHeader(obu: Uint8Array): ObuHeader {
  const first = obu[0]
  if (first === undefined || (first & 0x80) !== 0) {
    throw new BitstreamError('AV1_BAD_OBU', 'an OBU begins with a byte whose top bit is 0')
  }
  const hasExtension = (first & 4) !== 0
  const extension = hasExtension ? obu[1] : 0
  if (extension === undefined) throw new BitstreamError('AV1_BAD_OBU', 'the OBU ends within its header')
  return {
    type: (first >>> 3) & 15,
    headerBytes: hasExtension ? 2 : 1,
    hasSize: (first & 2) !== 0,
    temporalId: extension >>> 5,
    spatialId: (extension >>> 3) & 3,
    hasExtension,
  }
}

/** A value of leb128() (§4.10.5) and the bytes that it took. */
export interface Leb128 {
  readonly value: number
  readonly bytes: number
}

/** Reads a leb128() at `offset`: at most 8 bytes, at most 2^32 - 1. Throws BitstreamError `AV1_BAD_OBU`. */
export function readLeb128(source: Uint8Array, offset = 0): Leb128 {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = source[offset + i]
    if (byte === undefined) throw new BitstreamError('AV1_BAD_OBU', 'the bytes end within a leb128')
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (value > 0xffff_ffff) break
    return { value, bytes: i + 1 }
  }
  throw new BitstreamError('AV1_BAD_OBU', 'a leb128 has at most 8 bytes and 32 bits')
}

/** Bytes of the shortest leb128() of `value`. */
export function leb128Bytes(value: number): number {
  let bytes = 1
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes++
  return bytes
}

/** Writes the shortest leb128() of `value`, 0 to 2^32 - 1, at `offset`. Returns the offset behind it. */
export function writeLeb128(target: Uint8Array, offset: number, value: number): number {
  let left = value
  let at = offset
  while (left >= 128) {
    target[at++] = (left % 128) | 0x80
    left = Math.floor(left / 128)
  }
  target[at++] = left
  return at
}
