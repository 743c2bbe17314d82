import { BitReader } from '../bit-reader.js'
import { BitstreamError, type BitstreamErrorCode } from '../errors.js'
import { removeEmulationPrevention } from '../h264/emulation-prevention.js'
import { h265LayerIdOf, h265NalUnitTypeOf } from './nal-unit.js'

/** Bits of a NAL unit header: syntax begins behind them. */
const HEADER_BITS = 16

/** What reads the syntax of one kind of NAL unit, and how its errors are called. */
export interface NalUnitSyntax<Parsed> {
  readonly name: string
  readonly code: BitstreamErrorCode
  readonly type: number
  readonly read: (bits: BitReader) => Parsed
}

/** Parses a parameter set of the base layer. Throws BitstreamError with the code of `syntax`, and nothing else. */
export function parseParameterSet<Parsed>(nalUnit: Uint8Array, syntax: NalUnitSyntax<Parsed>): Parsed {
  const { name, code, type, read } = syntax
  if (h265NalUnitTypeOf(nalUnit) !== type || h265LayerIdOf(nalUnit) !== 0) {
    const got = `nal_unit_type ${h265NalUnitTypeOf(nalUnit)}, nuh_layer_id ${h265LayerIdOf(nalUnit)}`
    throw new BitstreamError(code, `not a ${name} of the base layer: ${got}`)
  }
  try {
    return read(new BitReader(removeEmulationPrevention(nalUnit), HEADER_BITS))
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === code) throw cause
    throw new BitstreamError(code, `the ${name} cannot be read: ${cause.message}`, { cause })
  }
}
