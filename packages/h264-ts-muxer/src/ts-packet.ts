/** The transport packet (ISO/IEC 13818-1 §2.4.3.2). */

/** Length of a transport packet. */
export const TS_PACKET_BYTES = 188
/** What a packet holds behind its four-byte header, adaptation field included. */
export const TS_PAYLOAD_BYTES = 184

/** adaptation_field_control: payload only. */
export const PAYLOAD_ONLY = 0x10
/** adaptation_field_control: adaptation field only. */
export const ADAPTATION_ONLY = 0x20
/** adaptation_field_control: both. */
export const ADAPTATION_AND_PAYLOAD = 0x30

const SYNC_BYTE = 0x47
const PAYLOAD_UNIT_START = 0x40

/** Where packets are counted: modulo 16 per PID, only those with a payload (§2.4.3.3). */
export interface ContinuityCounter {
  /** Of the last packet with a payload; 15 before the first. */
  continuityCounter: number
}

/** Writes the four header bytes and advances the counter where the packet has a payload. */
export function writePacketHeader(
  out: Uint8Array,
  at: number,
  pid: number,
  counter: ContinuityCounter,
  unitStart: boolean,
  adaptationFieldControl: number,
): void {
  if (adaptationFieldControl !== ADAPTATION_ONLY) counter.continuityCounter = (counter.continuityCounter + 1) & 15
  out[at] = SYNC_BYTE
  out[at + 1] = (unitStart ? PAYLOAD_UNIT_START : 0) | (pid >>> 8)
  out[at + 2] = pid & 0xff
  out[at + 3] = adaptationFieldControl | counter.continuityCounter
}
