/** The header of a PES packet (ISO/IEC 13818-1 §2.4.3.6, §2.4.3.7). */

/** Marker bits '10' and data_alignment_indicator: the payload begins with an access unit. */
const FLAGS = 0x84
const PTS_ONLY = 0x80
const PTS_AND_DTS = 0xc0
/** Start code, stream_id and PES_packet_length, which the length does not count. */
const UNCOUNTED_BYTES = 6
const FIXED_BYTES = 9
const TIMESTAMP_BYTES = 5
const MAX_PACKET_LENGTH = 0xffff
const WRAP_33 = 2 ** 33

/** Length of the header: a DTS is written only where it differs from the PTS. */
export function pesHeaderBytes(pts90k: number, dts90k: number): number {
  return FIXED_BYTES + (pts90k === dts90k ? TIMESTAMP_BYTES : 2 * TIMESTAMP_BYTES)
}

/**
 * Writes the header. `pts90k` and `dts90k` are unwrapped and may be negative: 33 bits of them are written.
 * PES_packet_length is 0, unbounded, where it would not fit; only video may do that.
 */
export function writePesHeader(
  out: Uint8Array,
  at: number,
  streamId: number,
  pts90k: number,
  dts90k: number,
  payloadBytes: number,
): void {
  const headerBytes = pesHeaderBytes(pts90k, dts90k)
  const length = headerBytes - UNCOUNTED_BYTES + payloadBytes
  const written = length > MAX_PACKET_LENGTH ? 0 : length
  out[at] = 0
  out[at + 1] = 0
  out[at + 2] = 1
  out[at + 3] = streamId
  out[at + 4] = written >>> 8
  out[at + 5] = written & 0xff
  out[at + 6] = FLAGS
  out[at + 8] = headerBytes - FIXED_BYTES
  if (pts90k === dts90k) {
    out[at + 7] = PTS_ONLY
    writeTimestamp(out, at + FIXED_BYTES, 0x20, pts90k)
  } else {
    out[at + 7] = PTS_AND_DTS
    writeTimestamp(out, at + FIXED_BYTES, 0x30, pts90k)
    writeTimestamp(out, at + FIXED_BYTES + TIMESTAMP_BYTES, 0x10, dts90k)
  }
}

/** 3, 15 and 15 bits, each followed by a marker bit; `prefix` is in the upper four bits. */
function writeTimestamp(out: Uint8Array, at: number, prefix: number, ticks90k: number): void {
  const ticks = ticks90k - Math.floor(ticks90k / WRAP_33) * WRAP_33
  const middle = Math.floor(ticks / 0x8000) & 0x7fff
  const low = ticks & 0x7fff
  out[at] = prefix | (Math.floor(ticks / 0x40000000) << 1) | 1
  out[at + 1] = middle >>> 7
  out[at + 2] = ((middle & 0x7f) << 1) | 1
  out[at + 3] = low >>> 7
  out[at + 4] = ((low & 0x7f) << 1) | 1
}
