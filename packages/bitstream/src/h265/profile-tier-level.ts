import type { BitReader } from '../bit-reader.js'

/** The general part of `profile_tier_level()` (ITU-T H.265 §7.3.3, §7.4.4). */
export interface ProfileTierLevel {
  /** general_profile_space, 0 to 3. */
  readonly profileSpace: number
  /** general_tier_flag: high tier. */
  readonly highTier: boolean
  /** general_profile_idc, 0 to 31: 1 Main, 2 Main 10. */
  readonly profileIdc: number
  /** general_profile_compatibility_flag[0] to [31], the first one most significant. */
  readonly profileCompatibility: number
  /** The 48 bits from general_progressive_source_flag on, as 6 bytes. */
  readonly constraintBytes: Uint8Array
  /** general_level_idc: thirty times the level, e.g. 93 for 3.1. */
  readonly levelIdc: number
}

/** `profile_tier_level( 1, maxSubLayersMinus1 )`; what it says of sub-layers is skipped. */
export function readProfileTierLevel(bits: BitReader, maxSubLayersMinus1: number): ProfileTierLevel {
  const general = {
    profileSpace: bits.u(2),
    highTier: bits.flag(),
    profileIdc: bits.u(5),
    profileCompatibility: bits.u(32),
    constraintBytes: Uint8Array.from({ length: 6 }, () => bits.u(8)),
    levelIdc: bits.u(8),
  }
  const present = Array.from({ length: maxSubLayersMinus1 }, () => ({ profile: bits.flag(), level: bits.flag() }))
  if (maxSubLayersMinus1 > 0) bits.skip(2 * (8 - maxSubLayersMinus1)) // reserved_zero_2bits
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0))
  return general
}
