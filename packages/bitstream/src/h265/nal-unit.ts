/** NAL unit types and the two-byte header (ITU-T H.265 §7.3.1.2, Table 7-1). */

/** `nal_unit_type` by name. Types that are not named are reserved, or unspecified from 48 on. */
export const H265NalUnitType: {
  readonly trailN: 0
  readonly trailR: 1
  readonly tsaN: 2
  readonly tsaR: 3
  readonly stsaN: 4
  readonly stsaR: 5
  readonly radlN: 6
  readonly radlR: 7
  readonly raslN: 8
  readonly raslR: 9
  readonly blaWLp: 16
  readonly blaWRadl: 17
  readonly blaNLp: 18
  readonly idrWRadl: 19
  readonly idrNLp: 20
  readonly cra: 21
  readonly vps: 32
  readonly sps: 33
  readonly pps: 34
  readonly accessUnitDelimiter: 35
  readonly endOfSequence: 36
  readonly endOfBitstream: 37
  readonly fillerData: 38
  readonly prefixSei: 39
  readonly suffixSei: 40
} = {
  trailN: 0,
  trailR: 1,
  tsaN: 2,
  tsaR: 3,
  stsaN: 4,
  stsaR: 5,
  radlN: 6,
  radlR: 7,
  raslN: 8,
  raslR: 9,
  blaWLp: 16,
  blaWRadl: 17,
  blaNLp: 18,
  idrWRadl: 19,
  idrNLp: 20,
  cra: 21,
  vps: 32,
  sps: 33,
  pps: 34,
  accessUnitDelimiter: 35,
  endOfSequence: 36,
  endOfBitstream: 37,
  fillerData: 38,
  prefixSei: 39,
  suffixSei: 40,
}

/** `nal_unit_type`, 0 to 63; 63 (unspecified) for one that is too short to have a header. */
export function h265NalUnitTypeOf(nalUnit: Uint8Array): number {
  return nalUnit.byteLength < 2 ? 63 : (nalUnit[0]! >>> 1) & 0x3f
}

/** `nuh_layer_id`, 0 to 63: 0 for the base layer, which is all that a decoder of one layer looks at. */
export function h265LayerIdOf(nalUnit: Uint8Array): number {
  return nalUnit.byteLength < 2 ? 0 : ((nalUnit[0]! & 1) << 5) | (nalUnit[1]! >>> 3)
}

/** TemporalId, 0 to 6: nothing is predicted from a higher one. -1 for a header that is none. */
export function h265TemporalIdOf(nalUnit: Uint8Array): number {
  return nalUnit.byteLength < 2 ? -1 : (nalUnit[1]! & 7) - 1
}

/** Whether NAL units of this type hold coded picture data (Table 7-1: types 0 to 31). */
export function isH265VclNalUnit(type: number): boolean {
  return type <= 31
}

/** Intra random access point: IDR, BLA and CRA pictures, and what is reserved for more such (types 16 to 23). */
export function isH265Irap(type: number): boolean {
  return type >= 16 && type <= 23
}

/** IDR_W_RADL and IDR_N_LP: the picture order count begins anew. */
export function isH265Idr(type: number): boolean {
  return type === H265NalUnitType.idrWRadl || type === H265NalUnitType.idrNLp
}

/** Random access skipped leading picture: not decodable where decoding starts at the CRA or BLA picture before it. */
export function isH265Rasl(type: number): boolean {
  return type === H265NalUnitType.raslN || type === H265NalUnitType.raslR
}

/** Random access decodable leading picture. */
export function isH265Radl(type: number): boolean {
  return type === H265NalUnitType.radlN || type === H265NalUnitType.radlR
}

/** Sub-layer non-reference picture: no picture of its own temporal sub-layer is predicted from it (even types to 14). */
export function isH265SubLayerNonReference(type: number): boolean {
  return type <= 14 && type % 2 === 0
}
