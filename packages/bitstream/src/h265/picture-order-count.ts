/**
 * PicOrderCntVal (ITU-T H.265 §8.3.1) from its lower bits, next to that of `previous`: the last picture of temporal
 * sub-layer 0 that is neither leading (RASL, RADL) nor a sub-layer non-reference picture.
 */
export function h265PicOrderCnt(picOrderCntLsb: number, log2MaxPicOrderCntLsb: number, previous: number): number {
  const maxLsb = 2 ** log2MaxPicOrderCntLsb
  const previousLsb = ((previous % maxLsb) + maxLsb) % maxLsb
  let msb = previous - previousLsb
  if (picOrderCntLsb < previousLsb && previousLsb - picOrderCntLsb >= maxLsb / 2) msb += maxLsb
  else if (picOrderCntLsb > previousLsb && picOrderCntLsb - previousLsb > maxLsb / 2) msb -= maxLsb
  return msb + picOrderCntLsb
}
