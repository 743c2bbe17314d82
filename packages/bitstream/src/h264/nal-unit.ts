/** NAL unit types and header (ITU-T H.264 §7.3.1, Table 7-1). A NAL unit never carries its start code or length here. */

/** `nal_unit_type` by name. */
export const NalUnitType: {
  readonly nonIdrSlice: 1
  readonly dataPartitionA: 2
  readonly dataPartitionB: 3
  readonly dataPartitionC: 4
  readonly idrSlice: 5
  readonly sei: 6
  readonly sps: 7
  readonly pps: 8
  readonly accessUnitDelimiter: 9
  readonly endOfSequence: 10
  readonly endOfStream: 11
  readonly fillerData: 12
  readonly spsExtension: 13
  readonly prefix: 14
  readonly subsetSps: 15
  readonly depthParameterSet: 16
  readonly auxiliarySlice: 19
  readonly sliceExtension: 20
  readonly depthSliceExtension: 21
} = {
  nonIdrSlice: 1,
  dataPartitionA: 2,
  dataPartitionB: 3,
  dataPartitionC: 4,
  idrSlice: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  endOfSequence: 10,
  endOfStream: 11,
  fillerData: 12,
  spsExtension: 13,
  prefix: 14,
  subsetSps: 15,
  depthParameterSet: 16,
  auxiliarySlice: 19,
  sliceExtension: 20,
  depthSliceExtension: 21,
}

/** `nal_unit_type`, 0 to 31; 0 (unspecified) for an empty one. */
export function nalUnitTypeOf(nalUnit: Uint8Array): number {
  return nalUnit.byteLength === 0 ? 0 : nalUnit[0]! & 0x1f
}

/** `nal_ref_idc`, 0 to 3: 0 when no other picture is predicted from this one. */
export function nalRefIdcOf(nalUnit: Uint8Array): number {
  return nalUnit.byteLength === 0 ? 0 : (nalUnit[0]! >>> 5) & 3
}

/** Whether NAL units of this type hold coded picture data of the base view (Table 7-1: types 1 to 5). */
export function isVclNalUnit(type: number): boolean {
  return type >= 1 && type <= 5
}
