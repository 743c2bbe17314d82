import type { SourceItem, Track } from '@rushes/media'
import { createDepacketizer, serializeRtpPacket } from '@rushes/rtp-depacketizer'
import { type CallOptions, type SimulatedItem, simulateCall } from './call-simulator.js'

/** SPS (64x48, Baseline), PPS and one IDR slice in a STAP-A (RFC 6184 §5.7.1): a whole picture in one packet. */
const PICTURES = ['65888601020304', '6588828001020304'].map((slice) => stapA(['6742c01fda11e4', '68ce3880', slice]))
const OPUS = Uint8Array.of(0xf8, 0xff, 0xfe)
const NTP_TO_UNIX_SECONDS = 2_208_988_800

/** The same call, but as bytes on the wire, in the order of their arrival, and out of real depacketizers again. */
export function* depacketizeCall(call: CallOptions): Generator<SimulatedItem, void, undefined> {
  const sent = [...simulateCall(call)].sort((a, b) => arrivalOf(a) - arrivalOf(b))
  const depacketizers = new Map<string, ReturnType<typeof createDepacketizer>>()
  const participants = new Map<string, number>()
  const trueUs = new Map<string, number>()
  const out: SimulatedItem[] = []
  let nowUs = 0
  const take = (item: SourceItem): void => {
    if (item.type === 'track-end') return
    out.push({
      participant: participants.get(item.trackId) as number,
      item,
      trueUs: item.type === 'sender-report' ? undefined : trueUs.get(keyOf(item)),
      deliveredUs: nowUs,
      ssrc: 0,
      sequenceNumber: 0,
    })
  }
  for (const one of sent) {
    nowUs = arrivalOf(one)
    const { trackId } = one.item
    let depacketizer = depacketizers.get(trackId)
    if (depacketizer === undefined) {
      depacketizer = createDepacketizer(trackOf(one), { endOnBye: false })
      depacketizers.set(trackId, depacketizer)
      participants.set(trackId, one.participant)
    }
    if (one.trueUs !== undefined) trueUs.set(keyOf(one.item), one.trueUs)
    depacketizer.push({ data: bytesOf(one), arrivalUs: nowUs }, take)
    yield* out.splice(0)
  }
  for (const depacketizer of depacketizers.values()) depacketizer.flush(take)
  yield* out
}

function arrivalOf({ item }: SimulatedItem): number {
  return item.arrivalUs as number
}

/** A unit is known again by its arrival: nothing else of it survives the network unchanged. */
function keyOf(item: SimulatedItem['item']): string {
  return `${item.trackId} ${item.arrivalUs}`
}

function trackOf({ item }: SimulatedItem): Track {
  const { trackId: id, clockRate } = item
  return clockRate === 90_000
    ? { id, kind: 'video', codec: 'h264', clockRate, payloadType: 96 }
    : { id, kind: 'audio', codec: 'opus', clockRate, payloadType: 111 }
}

function bytesOf({ item, ssrc, sequenceNumber }: SimulatedItem): Uint8Array {
  const rtpTimestamp = ((item.rtpTimestamp % 2 ** 32) + 2 ** 32) % 2 ** 32
  if (item.type !== 'sender-report') {
    const isVideo = item.type === 'access-unit'
    return serializeRtpPacket({
      payloadType: isVideo ? 96 : 111,
      sequenceNumber,
      rtpTimestamp,
      ssrc,
      marker: isVideo,
      payload: isVideo ? (PICTURES[sequenceNumber % 2] as Uint8Array) : OPUS,
    })
  }
  const cname = new TextEncoder().encode(item.cname ?? '')
  const chunkBytes = item.cname === undefined ? 0 : 4 * Math.ceil((4 + 2 + cname.byteLength + 1) / 4)
  const bytes = new Uint8Array(28 + (chunkBytes === 0 ? 0 : 4 + chunkBytes))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x80c8_0006)
  view.setUint32(4, ssrc)
  view.setUint32(8, Math.floor(item.ntpUs / 1e6) + NTP_TO_UNIX_SECONDS)
  view.setUint32(12, Math.floor(((item.ntpUs % 1e6) / 1e6) * 2 ** 32))
  view.setUint32(16, rtpTimestamp)
  if (chunkBytes === 0) return bytes
  view.setUint32(28, 0x81ca_0000 + chunkBytes / 4)
  view.setUint32(32, ssrc)
  bytes.set([1, cname.byteLength, ...cname], 36)
  return bytes
}

function stapA(nalUnits: readonly string[]): Uint8Array {
  const parts = nalUnits.map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))
  return Uint8Array.from([0x78, ...parts.flatMap((part) => [part.byteLength >> 8, part.byteLength & 0xff, ...part])])
}
