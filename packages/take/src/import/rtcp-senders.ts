import { viewOf } from './capture-input.js'

/** Who speaks in an RTCP compound packet. */
export interface RtcpSenders {
  /** SSRCs of sender reports, else that of the first packet's sender: whose streams the packet is about. */
  readonly ssrcs: readonly number[]
  readonly cnames: readonly { readonly ssrc: number; readonly cname: string }[]
}

const SENDER_REPORT = 200
const SOURCE_DESCRIPTION = 202
const CNAME = 1

/** Reads a compound packet (RFC 3550 §6.1); `undefined` when it is not one: damaged, or encrypted. */
export function rtcpSendersOf(packet: Uint8Array): RtcpSenders | undefined {
  const view = viewOf(packet)
  const senders: number[] = []
  const cnames: { readonly ssrc: number; readonly cname: string }[] = []
  let first: number | undefined
  for (let at = 0; at < packet.byteLength; ) {
    if (at + 4 > packet.byteLength || view.getUint8(at) >>> 6 !== 2) return undefined
    const type = view.getUint8(at + 1)
    const end = at + (view.getUint16(at + 2) + 1) * 4
    if (type < 192 || type > 223 || end > packet.byteLength) return undefined
    if (end >= at + 8) first ??= view.getUint32(at + 4)
    if (type === SENDER_REPORT && end >= at + 28) senders.push(view.getUint32(at + 4))
    if (type === SOURCE_DESCRIPTION) readChunks(packet.subarray(at + 4, end), view.getUint8(at) & 31, cnames)
    at = end
  }
  return { ssrcs: senders.length > 0 ? senders : first === undefined ? [] : [first], cnames }
}

/** The chunks of a source description (RFC 3550 §6.5). */
function readChunks(bytes: Uint8Array, count: number, cnames: { ssrc: number; cname: string }[]): void {
  const view = viewOf(bytes)
  let at = 0
  for (let chunk = 0; chunk < count && at + 4 <= bytes.byteLength; chunk += 1) {
    const ssrc = view.getUint32(at)
    at += 4
    while (at < bytes.byteLength && bytes[at] !== 0) {
      const length = bytes[at + 1] ?? 0
      if (bytes[at] === CNAME && at + 2 + length <= bytes.byteLength) {
        cnames.push({ ssrc, cname: new TextDecoder().decode(bytes.subarray(at + 2, at + 2 + length)) })
      }
      at += 2 + length
    }
    // The list ends in zeros up to the next word.
    at = (Math.floor(at / 4) + 1) * 4
  }
}
