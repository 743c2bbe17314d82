/** The adaptation field (ISO/IEC 13818-1 §2.4.3.4): PCR, flags, and the only way to stuff a PES. */

/** discontinuity_indicator. */
export const DISCONTINUITY = 0x80
/** random_access_indicator. */
export const RANDOM_ACCESS = 0x40
/** PCR_flag. */
export const PCR = 0x10

/** The length byte and the flags. */
const FLAGS_BYTES = 2
const PCR_BYTES = 6
const TICKS_27M_PER_TICK_90K = 300
const WRAP_33 = 2 ** 33

/** Length of a field with these flags, without stuffing; 0 where none is needed. */
export function adaptationFieldBytes(flags: number): number {
  if (flags === 0) return 0
  return (flags & PCR) === 0 ? FLAGS_BYTES : FLAGS_BYTES + PCR_BYTES
}

/** Writes a field of `length` bytes in all, 1 to 184, stuffed as needed. `pcr27m` counts where `flags` has {@link PCR}. */
export function writeAdaptationField(out: Uint8Array, at: number, length: number, flags: number, pcr27m: number): void {
  out[at] = length - 1
  if (length === 1) return // a stuffing of one byte is a field of length 0
  out[at + 1] = flags
  let position = at + FLAGS_BYTES
  if ((flags & PCR) !== 0) {
    writePcr(out, position, pcr27m)
    position += PCR_BYTES
  }
  out.fill(0xff, position, at + length)
}

/** 33 bits of 90 kHz, six reserved ones, nine bits of 27 MHz (§2.4.3.5). */
function writePcr(out: Uint8Array, at: number, pcr27m: number): void {
  const ticks90k = Math.floor(pcr27m / TICKS_27M_PER_TICK_90K)
  const extension = pcr27m - ticks90k * TICKS_27M_PER_TICK_90K
  const base = ticks90k - Math.floor(ticks90k / WRAP_33) * WRAP_33
  const high32 = Math.floor(base / 2)
  out[at] = high32 >>> 24
  out[at + 1] = (high32 >>> 16) & 0xff
  out[at + 2] = (high32 >>> 8) & 0xff
  out[at + 3] = high32 & 0xff
  out[at + 4] = ((base % 2) << 7) | 0x7e | (extension >>> 8)
  out[at + 5] = extension & 0xff
}
