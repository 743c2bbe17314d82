import type { Sps } from './sps.js'

/** `avc1.` with profile, constraint flags and level in hex (RFC 6381 §3.3), e.g. `avc1.42c01f`. */
export function h264CodecString(sps: Pick<Sps, 'profileIdc' | 'constraintFlags' | 'levelIdc'>): string {
  const hex = (sps.profileIdc << 16) | (sps.constraintFlags << 8) | sps.levelIdc
  return `avc1.${hex.toString(16).padStart(6, '0')}`
}
