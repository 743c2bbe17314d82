/** NTP timestamps as RTCP carries them: 32 bits of seconds since 1900, 32 bits of fraction (RFC 3550 §4). */

/** Seconds from 1900-01-01 to 1970-01-01. */
const NTP_TO_UNIX_SECONDS = 2_208_988_800
const TWO_TO_32 = 4_294_967_296

/**
 * Microseconds since 1970-01-01T00:00Z, a safe integer.
 * Seconds without their top bit lie in era 1, from 2036-02-07 on: era 0 then stands for 1968 to 2036 (RFC 4330 §3).
 */
export function ntpToUnixUs(seconds: number, fraction: number): number {
  const era = seconds < 0x8000_0000 ? TWO_TO_32 : 0
  return (seconds + era - NTP_TO_UNIX_SECONDS) * 1_000_000 + Math.round((fraction * 1_000_000) / TWO_TO_32)
}
