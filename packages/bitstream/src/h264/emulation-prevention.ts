/** Emulation prevention (ITU-T H.264 §7.4.1): inside a NAL unit 00 00 00, 00 00 01 and 00 00 02 do not occur. */

/** EBSP to RBSP: takes each 03 out that stands after 00 00. The input itself is returned where there is none. */
export function removeEmulationPrevention(ebsp: Uint8Array): Uint8Array {
  const first = nextEscape(ebsp, 0)
  if (first < 0) return ebsp
  const rbsp = new Uint8Array(ebsp.byteLength - 1)
  let written = 0
  let from = 0
  for (let at = first; at >= 0; at = nextEscape(ebsp, from)) {
    rbsp.set(ebsp.subarray(from, at), written)
    written += at - from
    from = at + 1
  }
  rbsp.set(ebsp.subarray(from), written)
  return rbsp.subarray(0, written + ebsp.byteLength - from)
}

/**
 * RBSP to EBSP. A final 00 gets a 03 behind it as well, so that a NAL unit never ends in zero (only cabac_zero_words do
 * that). The input itself is returned where nothing has to be put in.
 */
export function addEmulationPrevention(rbsp: Uint8Array): Uint8Array {
  const escapes: number[] = []
  let zeros = 0
  for (let i = 0; i < rbsp.byteLength; i++) {
    const byte = rbsp[i]!
    if (zeros === 2 && byte <= 3) {
      escapes.push(i)
      zeros = 0
    }
    zeros = byte === 0 ? zeros + 1 : 0
  }
  if (zeros > 0) escapes.push(rbsp.byteLength)
  if (escapes.length === 0) return rbsp
  const ebsp = new Uint8Array(rbsp.byteLength + escapes.length)
  let from = 0
  for (const [count, at] of escapes.entries()) {
    ebsp.set(rbsp.subarray(from, at), from + count)
    ebsp[at + count] = 3
    from = at
  }
  ebsp.set(rbsp.subarray(from), from + escapes.length)
  return ebsp
}

/** Where the next 03 after 00 00 stands, looking at bytes from `from` on; -1 if nowhere. */
function nextEscape(bytes: Uint8Array, from: number): number {
  // Looks at every third byte: only where it is 3 or less can an escape stand there or one or two further on.
  for (let i = from + 2; i < bytes.byteLength; ) {
    const byte = bytes[i]!
    if (byte > 3) i += 3
    else if (byte === 3 && bytes[i - 1] === 0 && bytes[i - 2] === 0) return i
    else i++
  }
  return -1
}
