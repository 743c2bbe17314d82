import type { H265Sps } from './sps.js'

const PROFILE_SPACES: readonly string[] = ['', 'A', 'B', 'C']

/**
 * `hvc1.` with profile, compatibility, tier, level and constraints (ISO/IEC 14496-15 Annex E), e.g. `hvc1.1.6.L93.B0`.
 * `hvc1` promises the parameter sets in the sample entry; `hev1` allows them in the samples alone.
 */
export function h265CodecString(sps: Pick<H265Sps, 'profileTierLevel'>, sampleEntry: 'hvc1' | 'hev1' = 'hvc1'): string {
  const { profileSpace, profileIdc, profileCompatibility, highTier, levelIdc, constraintBytes } = sps.profileTierLevel
  const hex = (value: number): string => value.toString(16).toUpperCase()
  let length = constraintBytes.byteLength
  while (length > 0 && constraintBytes[length - 1] === 0) length--
  return [
    sampleEntry,
    `${PROFILE_SPACES[profileSpace] ?? ''}${profileIdc}`,
    hex(reverseBits(profileCompatibility)),
    `${highTier ? 'H' : 'L'}${levelIdc}`,
    ...Array.from(constraintBytes.subarray(0, length), hex),
  ].join('.')
}

/** The 32 flags in reverse order, as Annex E wants them. */
function reverseBits(flags: number): number {
  let reversed = 0
  for (let i = 0; i < 32; i++) reversed = reversed * 2 + ((flags >>> i) & 1)
  return reversed
}
