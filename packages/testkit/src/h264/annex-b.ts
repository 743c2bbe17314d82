/** One NAL unit of a byte stream (ITU-T H.264 Annex B §B.1). */
export interface ByteStreamNalUnit {
  /** Without the start code and without trailing zero bytes. */
  readonly nalUnit: Uint8Array
  /** Of the NAL unit's first byte. */
  readonly offset: number
  /** A zero byte stands before the three bytes of the start code. */
  readonly zeroByte: boolean
}

/** A byte stream cut at its start codes. */
export interface ByteStream {
  readonly nalUnits: readonly ByteStreamNalUnit[]
  /** Bytes before the first start code that are not zero: there may be none. */
  readonly strayBytes: number
}

/** Cuts at every start code; anything may be in the bytes. */
export function cutByteStream(bytes: Uint8Array): ByteStream {
  const starts: number[] = []
  // Of every three bytes one tells whether a start code can lie there, so that most bytes are never looked at.
  for (let i = 2; i < bytes.byteLength; ) {
    const byte = bytes[i] as number
    if (byte > 1) i += 3
    else if (byte === 0) i += 1
    else {
      if (bytes[i - 1] === 0 && bytes[i - 2] === 0) starts.push(i + 1)
      i += 3
    }
  }
  const first = starts[0] === undefined ? bytes.byteLength : starts[0] - 3
  let strayBytes = 0
  for (let i = 0; i < first; i++) if (bytes[i] !== 0) strayBytes++
  return {
    strayBytes,
    nalUnits: starts.map((offset, index) => {
      const next = starts[index + 1]
      let end = next === undefined ? bytes.byteLength : next - 3
      while (end > offset && bytes[end - 1] === 0) end--
      return { nalUnit: bytes.subarray(offset, end), offset, zeroByte: bytes[offset - 4] === 0 }
    }),
  }
}
