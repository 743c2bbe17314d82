import type { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'

/** §E.3.2: cpb_cnt_minus1 is 0 to 31. */
const MAX_CPB_COUNT = 32

/** Skips `hrd_parameters( 1, maxSubLayersMinus1 )` (ITU-T H.265 §E.2.2), of which nothing is kept. */
export function skipH265Hrd(bits: BitReader, maxSubLayersMinus1: number): void {
  const nal = bits.flag()
  const vcl = bits.flag()
  let subPicture = false
  if (nal || vcl) {
    subPicture = bits.flag()
    if (subPicture) bits.skip(19) // tick_divisor_minus2 up to dpb_output_delay_du_length_minus1
    bits.skip(8) // bit_rate_scale, cpb_size_scale
    if (subPicture) bits.skip(4) // cpb_size_du_scale
    bits.skip(15) // three lengths of delays
  }
  for (let subLayer = 0; subLayer <= maxSubLayersMinus1; subLayer++) {
    const fixedGeneral = bits.flag()
    const fixedWithinCvs = fixedGeneral || bits.flag()
    let lowDelay = false
    if (fixedWithinCvs)
      bits.ue() // elemental_duration_in_tc_minus1
    else lowDelay = bits.flag()
    const cpbCount = lowDelay ? 1 : bits.ue() + 1
    if (cpbCount > MAX_CPB_COUNT) {
      throw new BitstreamError('H265_BAD_SPS', `${cpbCount} coded picture buffers, at most ${MAX_CPB_COUNT}`)
    }
    for (let i = 0; i < cpbCount * (Number(nal) + Number(vcl)); i++) {
      bits.ue() // bit_rate_value_minus1
      bits.ue() // cpb_size_value_minus1
      if (subPicture) {
        bits.ue() // cpb_size_du_value_minus1
        bits.ue() // bit_rate_du_value_minus1
      }
      bits.skip(1) // cbr_flag
    }
  }
}
