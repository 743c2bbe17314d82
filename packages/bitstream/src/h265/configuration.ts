import type { VideoConfiguration } from '@rushes/media'
import { BitstreamError } from '../errors.js'
import { h265CodecString } from './codec-string.js'
import { parseH265Sps } from './sps.js'

/**
 * What a decoder must know, from the parameter sets: the SPS with id `spsId`, or the first one.
 * Rotation is not in the bitstream: 0. Throws BitstreamError `H265_BAD_SPS`, also where there is no such SPS.
 */
export function h265Configuration(
  vpsNalUnits: readonly Uint8Array[],
  spsNalUnits: readonly Uint8Array[],
  ppsNalUnits: readonly Uint8Array[],
  spsId?: number,
): VideoConfiguration {
  const sps = spsNalUnits.map(parseH265Sps).find((candidate) => spsId === undefined || candidate.id === spsId)
  if (sps === undefined) {
    throw new BitstreamError(
      'H265_BAD_SPS',
      spsId === undefined ? 'there is no SPS' : `there is no SPS with id ${spsId}`,
    )
  }
  return {
    kind: 'video',
    codec: 'h265',
    codecString: h265CodecString(sps),
    width: sps.width,
    height: sps.height,
    rotation: 0,
    reorderDepth: sps.maxNumReorderPics,
    parameterSets: { vps: vpsNalUnits, sps: spsNalUnits, pps: ppsNalUnits },
  }
}
