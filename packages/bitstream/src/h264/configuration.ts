import type { VideoConfiguration } from '@rushes/media'
import { BitstreamError } from '../errors.js'
import { h264CodecString } from './codec-string.js'
import { h264ReorderDepth } from './reorder-depth.js'
import { parseSps } from './sps.js'

/**
 * What a decoder must know, from the parameter sets: the SPS with id `spsId`, or the first one.
 * Rotation is not in the bitstream: 0. Throws BitstreamError `H264_BAD_SPS`, also where there is no such SPS.
 */
export function h264Configuration(
  spsNalUnits: readonly Uint8Array[],
  ppsNalUnits: readonly Uint8Array[],
  spsId?: number,
): VideoConfiguration {
  const sps = spsNalUnits.map(parseSps).find((candidate) => spsId === undefined || candidate.id === spsId)
  if (sps === undefined) {
    throw new BitstreamError(
      'H264_BAD_SPS',
      spsId === undefined ? 'there is no SPS' : `there is no SPS with id ${spsId}`,
    )
  }
  return {
    kind: 'video',
    codec: 'h264',
    codecString: h264CodecString(sps),
    width: sps.width,
    height: sps.height,
    rotation: 0,
    reorderDepth: h264ReorderDepth(sps),
    parameterSets: { sps: spsNalUnits, pps: ppsNalUnits },
  }
}

/**
 * Whether two configurations are one to a player: codec, profile, level, size, rotation and reorder depth.
 * The bytes of the parameter sets may differ: Chromium changes the VUI alone when the camera is covered.
 */
export function isSameVideoConfiguration(a: VideoConfiguration, b: VideoConfiguration): boolean {
  return (
    a.codec === b.codec &&
    a.codecString === b.codecString &&
    a.width === b.width &&
    a.height === b.height &&
    a.rotation === b.rotation &&
    a.reorderDepth === b.reorderDepth
  )
}
