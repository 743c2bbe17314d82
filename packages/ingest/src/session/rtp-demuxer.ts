import type { RtpPacket } from '@rushes/rtp-depacketizer'
import type { MediaReceiver } from './media-receiver.js'

/** What a packet is, and whose. */
export interface Route {
  readonly receiver: MediaReceiver
  readonly kind: 'media' | 'rtx' | 'ignored'
  /** Simulcast: the layer that is sent, or repaired. */
  readonly layer: string | undefined
  /** RTX: the source that is repaired, where the description tells it. */
  readonly originalSsrc: number | undefined
  lastUs: number
}

const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid'
const RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'
const REPAIRED_RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'

/**
 * SSRCs that were learnt. Three layers with retransmission are six; a room's worth of restarts fits, a flood of made-up
 * SSRCs does not.
 */
const MAX_LEARNT = 64
/** A learnt SSRC that was silent for so long gives way to a new one. */
const IDLE_US = 10_000_000

/**
 * Tells whose a packet is, where several media sections share one transport (RFC 8843 §9.2): by SSRC where it is known,
 * otherwise by the mid or rid that the packet carries (RFC 8852), otherwise by a payload type that only one section has.
 */
export class RtpDemuxer {
  readonly #receivers: readonly MediaReceiver[]
  readonly #described = new Map<number, Route>()
  readonly #learnt = new Map<number, Route>()
  readonly #byPayloadType = new Map<number, MediaReceiver | undefined>()
  readonly #byMid = new Map<string, MediaReceiver>()
  readonly #ids: { readonly mid: number; readonly rid: number; readonly repairedRid: number }
  readonly stats = { unknownSsrc: 0, learnt: 0 }

  constructor(receivers: readonly MediaReceiver[]) {
    this.#receivers = receivers
    const extensions = new Map<string, number>()
    for (const receiver of receivers) {
      const { media } = receiver
      this.#byMid.set(media.mid, receiver)
      for (const [id, uri] of Object.entries(media.headerExtensions)) extensions.set(uri, Number(id))
      const types = [...media.formats.map(({ payloadType }) => payloadType), ...media.red, ...media.ulpfec]
      for (const type of [...types, ...Object.keys(media.rtx).map(Number)]) {
        // A type of two sections tells nothing.
        this.#byPayloadType.set(type, this.#byPayloadType.has(type) ? undefined : receiver)
      }
      this.#describe(receiver)
    }
    this.#ids = {
      mid: extensions.get(MID_URI) ?? -1,
      rid: extensions.get(RID_URI) ?? -1,
      repairedRid: extensions.get(REPAIRED_RID_URI) ?? -1,
    }
  }

  /** The receiver of an SSRC, or `undefined`. */
  find(ssrc: number): Route | undefined {
    return this.#described.get(ssrc) ?? this.#learnt.get(ssrc)
  }

  /** Whose the packet is, or `undefined`: counted. */
  route(packet: RtpPacket, nowUs: number): Route | undefined {
    const known = this.find(packet.ssrc)
    if (known !== undefined) {
      known.lastUs = nowUs
      return known
    }
    const route = this.#classify(packet, nowUs)
    if (route === undefined || !this.#learn(packet.ssrc, route, nowUs)) {
      this.stats.unknownSsrc++
      return undefined
    }
    return route
  }

  #describe(receiver: MediaReceiver): void {
    const { media } = receiver
    const common = { receiver, layer: undefined, originalSsrc: undefined, lastUs: 0 }
    for (const ssrc of media.ssrcs) this.#described.set(ssrc, { ...common, kind: 'media' })
    for (const { ssrc, rid } of media.layers) {
      if (ssrc !== undefined) this.#described.set(ssrc, { ...common, kind: 'media', layer: rid ?? String(ssrc) })
    }
    for (const [rtx, original] of Object.entries(media.rtxSsrcs)) {
      this.#described.set(Number(rtx), { ...common, kind: 'rtx', originalSsrc: original })
    }
    for (const ssrc of media.ignoredSsrcs) this.#described.set(ssrc, { ...common, kind: 'ignored' })
  }

  #classify(packet: RtpPacket, nowUs: number): Route | undefined {
    const mid = this.#text(packet, this.#ids.mid)
    const rid = this.#text(packet, this.#ids.rid)
    const repairedRid = this.#text(packet, this.#ids.repairedRid)
    const layer = repairedRid ?? rid
    const receiver =
      mid !== undefined
        ? this.#byMid.get(mid)
        : ((layer === undefined ? undefined : this.#receiverOfLayer(layer)) ??
          this.#byPayloadType.get(packet.payloadType))
    if (receiver === undefined) return undefined
    const { media } = receiver
    const { payloadType } = packet
    const common = { receiver, layer, originalSsrc: undefined, lastUs: nowUs }
    if (repairedRid !== undefined || media.rtx[payloadType] !== undefined) return { ...common, kind: 'rtx' }
    const isMedia =
      media.formats.some((format) => format.payloadType === payloadType) ||
      media.red.includes(payloadType) ||
      media.ulpfec.includes(payloadType)
    // A source does not begin with tones or comfort noise, and a FEC stream of its own is no track.
    if (!isMedia) return undefined
    // A packet of some layer that does not say of which: later ones may.
    if (receiver.selector !== undefined && layer === undefined) return undefined
    return { ...common, kind: 'media' }
  }

  #receiverOfLayer(rid: string): MediaReceiver | undefined {
    const owners = this.#receivers.filter(({ media }) => media.layers.some((layer) => layer.rid === rid))
    return owners.length === 1 ? owners[0] : undefined
  }

  #text(packet: RtpPacket, id: number): string | undefined {
    if (id < 0 || packet.headerExtensionByte(id) < 0) return undefined
    const found = packet.headerExtensions.find((extension) => extension.id === id)
    return found === undefined ? undefined : new TextDecoder().decode(found.data)
  }

  #learn(ssrc: number, route: Route, nowUs: number): boolean {
    if (this.#learnt.size >= MAX_LEARNT) {
      let oldest: [number, Route] | undefined
      for (const entry of this.#learnt) if (oldest === undefined || entry[1].lastUs < oldest[1].lastUs) oldest = entry
      if (oldest === undefined || nowUs - oldest[1].lastUs < IDLE_US) return false
      this.#learnt.delete(oldest[0])
    }
    this.#learnt.set(ssrc, route)
    this.stats.learnt++
    return true
  }
}
