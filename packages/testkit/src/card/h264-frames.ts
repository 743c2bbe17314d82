import { readSequenceParameters } from '../h264/parameter-sets.js'
import { RbspReader } from '../h264/rbsp-reader.js'
import type { OrderedPacket } from './dump-track.js'

/** A picture as it was sent, put together from packets in order. */
export interface DumpFrame {
  readonly extendedTimestamp: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly arrivalMs: number
  readonly nalUnits: readonly Uint8Array[]
  readonly keyframe: boolean
  /** All of its packets are there. */
  readonly complete: boolean
  /** It and all that it refers to are whole: decoding gives the picture that was sent. */
  readonly decodable: boolean
}

/** The pictures of a track, the broken ones too, with what is known of their references. */
export function assembleFrames(packets: readonly OrderedPacket[]): DumpFrame[] {
  const frames: DumpFrame[] = []
  let log2MaxFrameNum = 4
  let chainWhole = false
  let expectedFrameNum: number | undefined
  let lastSequence: number | undefined
  for (const group of groupByTimestamp(packets)) {
    const { nalUnits, whole } = joinNalUnits(group.packets)
    const first = group.packets[0] as OrderedPacket
    const last = group.packets[group.packets.length - 1] as OrderedPacket
    const sps = nalUnits.find((nalUnit) => typeOf(nalUnit) === 7)
    if (sps !== undefined) log2MaxFrameNum = readSequenceParameters(sps).log2MaxFrameNum
    const slice = nalUnits.find((nalUnit) => typeOf(nalUnit) === 1 || typeOf(nalUnit) === 5)
    const header = slice === undefined ? undefined : readSlice(slice, log2MaxFrameNum)
    const keyframe = nalUnits.some((nalUnit) => typeOf(nalUnit) === 5)
    const gapBefore = lastSequence !== undefined && group.firstSequence !== lastSequence + 1
    // After a gap the first slice or the parameter sets may be what is missing.
    const startMissing = gapBefore && (header?.firstMb !== 0 || (keyframe && sps === undefined))
    const complete = whole && last.marker && header !== undefined && !startMissing
    // A gap between whole pictures may have been padding, which is never sent again: frame_num tells.
    const picturesLost = gapBefore && expectedFrameNum !== undefined && header?.frameNum !== expectedFrameNum
    if (!complete || (picturesLost && !keyframe)) chainWhole = false
    if (complete && keyframe) chainWhole = true
    frames.push({
      extendedTimestamp: first.extendedTimestamp,
      firstSequence: first.extendedSequence,
      lastSequence: last.extendedSequence,
      arrivalMs: Math.max(...group.packets.map(({ arrivalMs }) => arrivalMs)),
      nalUnits,
      keyframe,
      complete,
      decodable: complete && chainWhole,
    })
    if (header !== undefined) expectedFrameNum = (header.frameNum + (header.isReference ? 1 : 0)) % 2 ** log2MaxFrameNum
    lastSequence = group.lastSequence
  }
  return frames
}

interface Group {
  readonly packets: OrderedPacket[]
  /** First and last sequence number, padding in between and after included, up to the first that is missing. */
  readonly firstSequence: number
  lastSequence: number
}

function groupByTimestamp(packets: readonly OrderedPacket[]): Group[] {
  const groups: Group[] = []
  let group: Group | undefined
  for (const packet of packets) {
    const sequence = packet.extendedSequence
    if (packet.payload.byteLength === 0) {
      // Padding: it only takes a sequence number.
      if (group !== undefined && group.lastSequence === sequence - 1) group.lastSequence = sequence
      continue
    }
    if (group === undefined || group.packets[0]?.extendedTimestamp !== packet.extendedTimestamp) {
      group = { packets: [], firstSequence: sequence, lastSequence: sequence }
      groups.push(group)
    }
    group.packets.push(packet)
    group.lastSequence = sequence
  }
  return groups
}

/** RFC 6184 §5.6 to §5.8: single NAL units, STAP-A and FU-A. */
function joinNalUnits(packets: readonly OrderedPacket[]): { nalUnits: Uint8Array[]; whole: boolean } {
  const nalUnits: Uint8Array[] = []
  let fragments: Uint8Array[] | undefined
  let whole = true
  let previous: number | undefined
  for (const { payload, extendedSequence } of packets) {
    if (previous !== undefined && extendedSequence !== previous + 1) whole = false
    previous = extendedSequence
    const type = (payload[0] as number) & 31
    if (type === 28) {
      const header = payload[1] as number
      if ((header & 0x80) !== 0) {
        if (fragments !== undefined) whole = false
        fragments = [Uint8Array.of(((payload[0] as number) & 0xe0) | (header & 31))]
      }
      if (fragments === undefined) whole = false
      fragments?.push(payload.subarray(2))
      if ((header & 0x40) !== 0 && fragments !== undefined) {
        nalUnits.push(Buffer.concat(fragments))
        fragments = undefined
      }
      continue
    }
    if (fragments !== undefined) whole = false
    fragments = undefined
    if (type !== 24) {
      nalUnits.push(payload)
      continue
    }
    for (let at = 1; at + 2 < payload.byteLength; ) {
      const bytes = ((payload[at] as number) << 8) | (payload[at + 1] as number)
      nalUnits.push(payload.subarray(at + 2, at + 2 + bytes))
      at += 2 + bytes
    }
  }
  return { nalUnits, whole: whole && fragments === undefined }
}

function readSlice(
  nalUnit: Uint8Array,
  log2MaxFrameNum: number,
): { firstMb: number; frameNum: number; isReference: boolean } {
  const r = new RbspReader(nalUnit, 32)
  const firstMb = r.ue()
  r.ue()
  r.ue()
  return { firstMb, frameNum: r.u(log2MaxFrameNum), isReference: ((nalUnit[0] as number) & 0x60) !== 0 }
}

function typeOf(nalUnit: Uint8Array): number {
  return (nalUnit[0] as number) & 31
}
