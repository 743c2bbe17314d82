import { adaptationFieldBytes, writeAdaptationField } from './adaptation-field.js'
import type { ElementaryStream } from './elementary-stream.js'
import { pesHeaderBytes, writePesHeader } from './pes-header.js'
import {
  ADAPTATION_AND_PAYLOAD,
  PAYLOAD_ONLY,
  TS_PACKET_BYTES,
  TS_PAYLOAD_BYTES,
  writePacketHeader,
} from './ts-packet.js'

/** Below this a loop is faster than a call with a view: start codes, NAL unit headers. */
const SHORT_BYTES = 16

/** One PES packet to be: everything but where it goes. */
export interface PesPlan {
  /** Adaptation field flags of the first packet. */
  readonly flags: number
  readonly pcr27m: number
  readonly pts90k: number
  readonly dts90k: number
  /** The payload in pieces, none empty, `payloadBytes` in all. */
  readonly pieces: readonly Uint8Array[]
  readonly payloadBytes: number
}

/** Transport packets that the PES packet takes. */
export function pesPackets(plan: PesPlan): number {
  return Math.ceil(contentBytes(plan) / TS_PAYLOAD_BYTES)
}

/** Stuffing that its last packet needs. */
export function pesStuffingBytes(plan: PesPlan): number {
  return pesPackets(plan) * TS_PAYLOAD_BYTES - contentBytes(plan)
}

/**
 * Writes the PES packet as transport packets; every payload byte is copied once, from its piece to its place.
 * Stuffing goes into the last packet. Returns the position behind it.
 */
export function writePesPackets(out: Uint8Array, at: number, stream: ElementaryStream, plan: PesPlan): number {
  const { pieces, pts90k, dts90k } = plan
  const stuffing = pesStuffingBytes(plan)
  let packetsLeft = pesPackets(plan)
  let position = at

  const field = adaptationFieldBytes(plan.flags) + (packetsLeft === 1 ? stuffing : 0)
  writePacketHeader(out, position, stream.pid, stream, true, field > 0 ? ADAPTATION_AND_PAYLOAD : PAYLOAD_ONLY)
  position += 4
  if (field > 0) writeAdaptationField(out, position, field, plan.flags, plan.pcr27m)
  position += field
  writePesHeader(out, position, stream.streamId, pts90k, dts90k, plan.payloadBytes)
  position += pesHeaderBytes(pts90k, dts90k)
  let packetEnd = at + TS_PACKET_BYTES

  for (const piece of pieces) {
    const length = piece.byteLength
    let from = 0
    while (from < length) {
      if (position === packetEnd) {
        packetsLeft--
        const isStuffed = packetsLeft === 1 && stuffing > 0
        writePacketHeader(out, position, stream.pid, stream, false, isStuffed ? ADAPTATION_AND_PAYLOAD : PAYLOAD_ONLY)
        packetEnd = position + TS_PACKET_BYTES
        position += 4
        if (isStuffed) {
          writeAdaptationField(out, position, stuffing, 0, 0)
          position += stuffing
        }
      }
      const count = Math.min(packetEnd - position, length - from)
      if (count < SHORT_BYTES) {
        for (let i = 0; i < count; i++) out[position + i] = piece[from + i]!
      } else if (count === length) {
        out.set(piece, position)
      } else {
        // Measured on Node 20, 60 MB in pieces of 1200 bytes: 20 ms, against 27 ms with Buffer.copy (which makes such a
        // view inside, after checks) and 27 ms with subarray (of a Buffer it makes Buffers, which cost more).
        // Gathering the picture behind its place and moving it with copyWithin takes 18 ms, but copies twice.
        out.set(new Uint8Array(piece.buffer, piece.byteOffset + from, count), position)
      }
      position += count
      from += count
    }
  }
  return position
}

function contentBytes(plan: PesPlan): number {
  return adaptationFieldBytes(plan.flags) + pesHeaderBytes(plan.pts90k, plan.dts90k) + plan.payloadBytes
}
