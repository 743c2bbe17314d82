import type { ParameterSets } from '@rushes/media'
import { BitstreamError } from '../errors.js'
import { H265NalUnitType } from './nal-unit.js'
import { type H265Pps, parseH265Pps } from './pps.js'
import { parseH265Sps } from './sps.js'

/** Parallelism as the record tells it (ISO/IEC 14496-15 §8.3.3.1.3). */
const UNKNOWN_PARALLELISM = 0
const SLICES = 1
const TILES = 2
const WAVEFRONTS = 3

/**
 * The HEVCDecoderConfigurationRecord (`hvcC`) with four-byte lengths (ISO/IEC 14496-15 §8.3.3.1); its arrays say that
 * they are complete, as `hvc1` requires.
 * Throws BitstreamError `HVCC_BAD_PARAMETER_SETS` where a kind is missing or does not fit (65,535 sets of as many bytes),
 * `H265_BAD_SPS` or `H265_BAD_PPS` where one cannot be read.
 */
export function hevcDecoderConfigurationRecord(parameterSets: ParameterSets): Uint8Array {
  const { vps = [], sps, pps } = parameterSets
  const first = sps[0]
  if (first === undefined || vps.length === 0 || pps.length === 0) {
    throw new BitstreamError(
      'HVCC_BAD_PARAMETER_SETS',
      `an hvcC holds VPS, SPS and PPS, got ${vps.length}, ${sps.length} and ${pps.length}`,
    )
  }
  const parsed = parseH265Sps(first)
  const { profileSpace, highTier, profileIdc, profileCompatibility, constraintBytes, levelIdc } =
    parsed.profileTierLevel
  const segmentation = parsed.vui?.minSpatialSegmentationIdc ?? 0
  const parallelism = segmentation === 0 ? UNKNOWN_PARALLELISM : parallelismOf(pps.map(parseH265Pps))
  const body = [
    1,
    (profileSpace << 6) | (highTier ? 0x20 : 0) | profileIdc,
    profileCompatibility >>> 24,
    (profileCompatibility >>> 16) & 0xff,
    (profileCompatibility >>> 8) & 0xff,
    profileCompatibility & 0xff,
    ...constraintBytes,
    levelIdc,
    0xf0 | (segmentation >>> 8),
    segmentation & 0xff,
    0xfc | parallelism,
    0xfc | parsed.chromaFormatIdc,
    0xf8 | (parsed.bitDepthLuma - 8),
    0xf8 | (parsed.bitDepthChroma - 8),
    // avgFrameRate: unspecified.
    0,
    0,
    // constantFrameRate unknown, numTemporalLayers, temporalIdNested, lengthSizeMinusOne.
    (parsed.maxSubLayers << 3) | (parsed.temporalIdNesting ? 4 : 0) | 3,
    3,
  ]
  appendArray(body, H265NalUnitType.vps, vps)
  appendArray(body, H265NalUnitType.sps, sps)
  appendArray(body, H265NalUnitType.pps, pps)
  return Uint8Array.from(body)
}

/** What all pictures can be decoded in parallel by; slices where they have neither tiles nor wavefronts. */
function parallelismOf(pps: readonly H265Pps[]): number {
  const kinds = new Set(
    pps.map(({ tilesEnabled, entropyCodingSyncEnabled }) => {
      if (tilesEnabled && entropyCodingSyncEnabled) return UNKNOWN_PARALLELISM
      if (tilesEnabled) return TILES
      return entropyCodingSyncEnabled ? WAVEFRONTS : SLICES
    }),
  )
  const [kind = UNKNOWN_PARALLELISM] = kinds
  return kinds.size === 1 ? kind : UNKNOWN_PARALLELISM
}

function appendArray(body: number[], type: number, nalUnits: readonly Uint8Array[]): void {
  if (nalUnits.length > 0xffff || nalUnits.some(({ byteLength }) => byteLength > 0xffff)) {
    throw new BitstreamError('HVCC_BAD_PARAMETER_SETS', 'at most 65535 parameter sets of a kind, of 65535 bytes each')
  }
  body.push(0x80 | type, nalUnits.length >>> 8, nalUnits.length & 0xff)
  for (const nalUnit of nalUnits) {
    body.push(nalUnit.byteLength >>> 8, nalUnit.byteLength & 0xff)
    for (const byte of nalUnit) body.push(byte)
  }
}
