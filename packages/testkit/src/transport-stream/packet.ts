import type { Report } from '../finding.js'
import type { TransportStreamRule } from './rules.js'

/** Bytes of a transport packet (ISO/IEC 13818-1 §2.4.3.2). */
export const PACKET_BYTES = 188

/** A transport packet, as it lies in the input. */
export interface TransportPacket {
  readonly segment: number
  /** In the segment, of the sync byte. */
  readonly offset: number
  readonly pid: number
  readonly unitStart: boolean
  readonly hasPayload: boolean
  readonly continuityCounter: number
  readonly discontinuity: boolean
  readonly randomAccess: boolean
  /** 27 MHz ticks as coded, below 2^33 * 300. */
  readonly pcr27m: number | undefined
  readonly payload: Uint8Array
  readonly bytes: Uint8Array
}

/** Reads a packet; `undefined` where it is too broken to be of use. */
export function readPacket(
  bytes: Uint8Array,
  segment: number,
  offset: number,
  report: Report<TransportStreamRule>,
): TransportPacket | undefined {
  const pid = (((bytes[1] as number) & 0x1f) << 8) | (bytes[2] as number)
  const place = { segment, offset, pid }
  if (bytes[0] !== 0x47) {
    report('sync-byte', `the packet starts with 0x${(bytes[0] as number).toString(16)}, not 0x47`, { segment, offset })
    return undefined
  }
  if (((bytes[1] as number) & 0x80) !== 0) report('transport-error', 'transport_error_indicator is set', place)
  if (pid >= 2 && pid <= 15) report('reserved-pid', 'the PID is reserved', place)
  const flags = bytes[3] as number
  if (flags >> 6 !== 0) report('scrambling', `transport_scrambling_control is ${flags >> 6}`, place)
  const control = (flags >> 4) & 3
  const hasPayload = (control & 1) !== 0
  // In a null packet everything after the PID but the sync byte is free.
  const isNull = pid === 0x1fff
  if (control === 0 && !isNull) {
    report('adaptation-field-control', 'adaptation_field_control is 00', place)
    return undefined
  }
  let payloadStart = 4
  let field = NO_ADAPTATION
  if ((control & 2) !== 0 && !isNull) {
    const length = bytes[4] as number
    if (length > 183 || (hasPayload ? length > 182 : length !== 183)) {
      const rule = hasPayload ? 'at most 182 with payload' : '183 without payload'
      report('adaptation-field-length', `adaptation_field_length is ${length}: ${rule}`, place)
      if (length > 183) return undefined
    }
    field = readAdaptationField(bytes.subarray(5, 5 + length), report, place)
    payloadStart = hasPayload ? 5 + length : PACKET_BYTES
  }
  return {
    segment,
    offset,
    pid,
    unitStart: ((bytes[1] as number) & 0x40) !== 0,
    hasPayload: hasPayload && !isNull,
    continuityCounter: flags & 15,
    discontinuity: field.discontinuity,
    randomAccess: field.randomAccess,
    pcr27m: field.pcr27m,
    payload: bytes.subarray(payloadStart),
    bytes,
  }
}

interface AdaptationField {
  readonly discontinuity: boolean
  readonly randomAccess: boolean
  readonly pcr27m: number | undefined
}

const NO_ADAPTATION: AdaptationField = { discontinuity: false, randomAccess: false, pcr27m: undefined }

/** ISO/IEC 13818-1 §2.4.3.4, without the length byte. */
function readAdaptationField(
  field: Uint8Array,
  report: Report<TransportStreamRule>,
  place: { segment: number; offset: number; pid: number },
): AdaptationField {
  if (field.byteLength === 0) return NO_ADAPTATION
  const flags = field[0] as number
  let used = 1
  let pcr27m: number | undefined
  if ((flags & 0x10) !== 0) {
    if (used + 6 <= field.byteLength) {
      const base = readUint32(field, used) * 2 + ((field[used + 4] as number) >> 7)
      const extension = (((field[used + 4] as number) & 1) << 8) | (field[used + 5] as number)
      if (extension > 299) report('pcr-format', `program_clock_reference_extension is ${extension}, above 299`, place)
      pcr27m = base * 300 + extension
    }
    used += 6
  }
  if ((flags & 0x08) !== 0) used += 6
  if ((flags & 0x04) !== 0) used += 1
  if ((flags & 0x02) !== 0) used += 1 + (field[used] ?? 0)
  if ((flags & 0x01) !== 0) used += 1 + (field[used] ?? 0)
  if (used > field.byteLength) {
    report('adaptation-field-length', `the announced fields take ${used} bytes of ${field.byteLength}`, place)
  }
  for (let i = used; i < field.byteLength; i++) {
    if (field[i] !== 0xff) {
      report('adaptation-field-stuffing', `byte ${i} of the field is 0x${(field[i] as number).toString(16)}`, place)
      break
    }
  }
  return { discontinuity: (flags & 0x80) !== 0, randomAccess: (flags & 0x40) !== 0, pcr27m }
}

/** Big-endian, as a non-negative number. */
function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] as number) * 0x1000000 +
    (((bytes[offset + 1] as number) << 16) | ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number))
  )
}
