import type { Av1SequenceHeader } from './sequence-header.js'

/** `av01.P.LLT.DD` (AV1 Codec ISO Media File Format Binding §5). */
export function av1CodecString(header: Pick<Av1SequenceHeader, 'profile' | 'levelIdx' | 'tier' | 'bitDepth'>): string {
  const level = String(header.levelIdx).padStart(2, '0')
  return `av01.${header.profile}.${level}${header.tier === 0 ? 'M' : 'H'}.${String(header.bitDepth).padStart(2, '0')}`
}
