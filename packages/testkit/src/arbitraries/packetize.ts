/** How packets are made. */
export interface PacketizeOptions {
  readonly ssrc?: number
  readonly payloadType?: number
  /** Sequence number of the first packet; may be above 65,535. @defaultValue 0 */
  readonly firstSequence?: number
  /** Bytes of an RTP payload at most, 3 or more. @defaultValue 1200 */
  readonly maxPayloadBytes?: number
  /** H264: put small NAL units together in STAP-A packets. @defaultValue true */
  readonly aggregate?: boolean
}

/** A packet as it was sent. */
export interface SentPacket {
  readonly data: Uint8Array
  /** Does not wrap. */
  readonly extendedSequence: number
  /** Index of the access unit or frame that it belongs to; -1 for padding. */
  readonly unit: number
}

/** RTP packets of H.264 access units (RFC 6184 §5): single NAL units, STAP-A, FU-A; the marker ends each unit. */
export function packetizeH264(
  units: readonly { readonly nalUnits: readonly Uint8Array[]; readonly rtpTimestamp: number }[],
  options: PacketizeOptions = {},
): SentPacket[] {
  const max = options.maxPayloadBytes ?? 1200
  const packets: SentPacket[] = []
  for (const [unit, { nalUnits, rtpTimestamp }] of units.entries()) {
    const payloads = h264Payloads(nalUnits, max, options.aggregate ?? true)
    for (const [index, payload] of payloads.entries()) {
      const extendedSequence = (options.firstSequence ?? 0) + packets.length
      const marker = index === payloads.length - 1
      packets.push({
        unit,
        extendedSequence,
        data: rtpPacket(payload, marker, extendedSequence, rtpTimestamp, options),
      })
    }
  }
  return packets
}

/** RTP packets of audio frames, one each (RFC 7587 §4). */
export function packetizeOpus(
  frames: readonly { readonly data: Uint8Array; readonly rtpTimestamp: number; readonly marker?: boolean }[],
  options: PacketizeOptions = {},
): SentPacket[] {
  return frames.map(({ data, rtpTimestamp, marker }, unit) => {
    const extendedSequence = (options.firstSequence ?? 0) + unit
    return { unit, extendedSequence, data: rtpPacket(data, marker ?? false, extendedSequence, rtpTimestamp, options) }
  })
}

/** A packet that only takes a sequence number (RFC 3550 §5.1, padding). */
export function paddingPacket(
  size: number,
  extendedSequence: number,
  rtpTimestamp: number,
  options: PacketizeOptions = {},
): SentPacket {
  const padding = new Uint8Array(size)
  padding[size - 1] = size
  const data = rtpPacket(padding, false, extendedSequence, rtpTimestamp, options)
  data[0] = (data[0] as number) | 0x20
  return { unit: -1, extendedSequence, data }
}

function rtpPacket(
  payload: Uint8Array,
  marker: boolean,
  sequence: number,
  timestamp: number,
  options: PacketizeOptions,
): Uint8Array {
  const packet = new Uint8Array(12 + payload.byteLength)
  const view = new DataView(packet.buffer)
  packet[0] = 0x80
  packet[1] = (marker ? 0x80 : 0) | (options.payloadType ?? 96)
  view.setUint16(2, sequence % 2 ** 16)
  view.setUint32(4, timestamp % 2 ** 32)
  view.setUint32(8, options.ssrc ?? 0x12345678)
  packet.set(payload, 12)
  return packet
}

function h264Payloads(nalUnits: readonly Uint8Array[], max: number, aggregate: boolean): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let group: Uint8Array[] = []
  const closeGroup = (): void => {
    if (group.length === 1) payloads.push(group[0] as Uint8Array)
    else if (group.length > 1) payloads.push(stapA(group))
    group = []
  }
  const groupBytes = (): number => group.reduce((sum, nalUnit) => sum + 2 + nalUnit.byteLength, 1)
  for (const nalUnit of nalUnits) {
    if (!aggregate || groupBytes() + 2 + nalUnit.byteLength > max) closeGroup()
    if (nalUnit.byteLength <= max) group.push(nalUnit)
    else payloads.push(...fuA(nalUnit, max))
  }
  closeGroup()
  return payloads
}

/** RFC 6184 §5.7.1. */
function stapA(nalUnits: readonly Uint8Array[]): Uint8Array {
  const refIdc = nalUnits.reduce((highest, nalUnit) => Math.max(highest, (nalUnit[0] as number) & 0x60), 0)
  const bytes = nalUnits.flatMap((nalUnit) => [nalUnit.byteLength >> 8, nalUnit.byteLength & 255, ...nalUnit])
  return Uint8Array.from([refIdc | 24, ...bytes])
}

/** RFC 6184 §5.8. */
function fuA(nalUnit: Uint8Array, max: number): Uint8Array[] {
  const header = nalUnit[0] as number
  const fragments: Uint8Array[] = []
  const step = max - 2
  for (let at = 1; at < nalUnit.byteLength; at += step) {
    const end = Math.min(at + step, nalUnit.byteLength)
    const fragment = new Uint8Array(2 + end - at)
    fragment[0] = (header & 0xe0) | 28
    fragment[1] = (at === 1 ? 0x80 : 0) | (end === nalUnit.byteLength ? 0x40 : 0) | (header & 31)
    fragment.set(nalUnit.subarray(at, end), 2)
    fragments.push(fragment)
  }
  return fragments
}
