import type { Rotation } from '@rushes/media'

/** RTP header extension of 3GPP TS 26.114 §7.4.5, coordination of video orientation (CVO). */
const CVO_URI = 'urn:3gpp:video-orientation'

const ROTATIONS: readonly Rotation[] = [0, 90, 180, 270]

/** The id under which orientation was negotiated, or 0. */
export function videoOrientationId(headerExtensions: Readonly<Record<number, string>> | undefined): number {
  for (const [id, uri] of Object.entries(headerExtensions ?? {})) if (uri === CVO_URI) return Number(id)
  return 0
}

/** Clockwise rotation to apply, from the byte 0000CFRR. Camera (C) and flip (F) are passed over. */
export function rotationOf(orientation: number): Rotation {
  return ROTATIONS[orientation & 3]!
}
