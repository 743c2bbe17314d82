import { ConfigurationError, type VideoCodec } from '@rushes/media'
import type { RtpPacket } from '@rushes/rtp-depacketizer'
import { keyframeStart } from './keyframe-start.js'
import { LayerMapping } from './layer-mapping.js'
import { type HeldPacket, SimulcastLayer } from './simulcast-layer.js'

/** One encoding, as described beforehand. */
export interface SimulcastLayerOptions {
  /** Unique: a rid, or anything that names the layer. */
  readonly id: string
  /** Pixels, where known; otherwise keyframes tell it. */
  readonly width?: number
  readonly height?: number
}

/** Options of {@link SimulcastSelector}. Times in microseconds. */
export interface SimulcastSelectorOptions {
  readonly codec: VideoCodec
  /** Hz. @defaultValue 90_000 */
  readonly clockRate?: number
  readonly layers: readonly SimulcastLayerOptions[]
  /** The layers stand from the smallest to the largest; decides where picture sizes are not known. @defaultValue false */
  readonly layersAscend?: boolean
  /** SSRC of the output. @defaultValue that of the first layer that is chosen */
  readonly ssrc?: number
  /** A layer without packets for so long is dead. Senders at 1 frame a second need more. @defaultValue 1_500_000 */
  readonly aliveUs?: number
  /** Called when a keyframe of a layer is needed to switch to it: answer with PLI to its SSRC. */
  readonly onKeyframeNeeded?: (layer: string) => void
}

/** What a selector has done. */
export interface SimulcastStats {
  readonly layer: string | undefined
  readonly target: string | undefined
  readonly switches: number
  /** Switches without sender reports of both layers: placed by arrival. */
  readonly switchesByArrival: number
  readonly keyframesRequested: number
  /** Packets of layers that are not chosen. */
  readonly unused: number
  /** Packets that came after their part of the output was over. */
  readonly late: number
}

/** Takes a rewritten RTP or RTCP packet. */
export type EmitPacket = (bytes: Uint8Array, arrivalUs: number) => void

/** How long a switch waits for a lost first packet of the keyframe, or for the rest of the picture before it. */
const MAX_SWITCH_DELAY_US = 100_000
const KEYFRAME_RETRY_US = 500_000
/** A layer that would put the output back by more has reports that contradict: arrival is better. */
const MAX_STEP_BACK_US = 500_000
/** A layer must show that it stays before a switch up to it is begun. */
const STEADY_US = 500_000

/**
 * Makes one continuous RTP stream of several encodings of the same pictures: the largest that is alive. It switches at
 * keyframes only, between whole pictures, and rewrites SSRC, sequence numbers, timestamps and sender reports so that
 * the output looks like one sender: time that never steps back, no gap but for packets that were really lost.
 */
export class SimulcastSelector {
  readonly #options: SimulcastSelectorOptions
  readonly #clockRate: number
  readonly #aliveUs: number
  readonly #layers = new Map<string, SimulcastLayer>()
  #ssrc: number | undefined
  #current: SimulcastLayer | undefined
  #target: SimulcastLayer | undefined
  #mapping: LayerMapping | undefined
  /** The part before the last switch: its lost packets may still come. */
  #previous: { readonly layer: SimulcastLayer; readonly mapping: LayerMapping } | undefined
  #highestOut = -1
  /** The last picture may be unfinished, and its layer is gone. */
  #isBroken = false
  #lastTimestampOut = 0
  #lastTimestampUs = 0
  #askedUs = Number.NEGATIVE_INFINITY
  readonly #stats = { switches: 0, switchesByArrival: 0, keyframesRequested: 0, unused: 0, late: 0 }

  /** @throws ConfigurationError */
  constructor(options: SimulcastSelectorOptions) {
    this.#options = options
    this.#clockRate = options.clockRate ?? 90_000
    this.#aliveUs = options.aliveUs ?? 1_500_000
    this.#ssrc = options.ssrc
    if (!(this.#aliveUs > 0)) throw new ConfigurationError('aliveUs', 'must be greater than 0', options.aliveUs)
    if (!(this.#clockRate > 0)) throw new ConfigurationError('clockRate', 'must be greater than 0', options.clockRate)
    if (options.layers.length === 0) throw new ConfigurationError('layers', 'must name at least one layer')
    for (const [rank, { id, width, height }] of options.layers.entries()) {
      if (this.#layers.has(id)) throw new ConfigurationError('layers', 'must have ids that differ', id)
      this.#layers.set(id, new SimulcastLayer(id, rank, (width ?? 0) * (height ?? 0)))
    }
  }

  get stats(): SimulcastStats {
    return { ...this.#stats, layer: this.#current?.id, target: this.#target?.id }
  }

  /** SSRC of the layer that is being put out: to whom requests of the output go. */
  get currentSsrc(): number | undefined {
    return this.#current?.ssrc
  }

  /** Takes a packet of a layer, in any order; `packet` is only read. Layers that were not described are passed over. */
  push(layerId: string, packet: RtpPacket, arrivalUs: number, emit: EmitPacket): void {
    const layer = this.#layers.get(layerId)
    if (layer === undefined) {
      this.#stats.unused++
      return
    }
    if (layer.ssrc !== packet.ssrc) this.#restart(layer, packet.ssrc)
    const isEmpty = packet.payloadOffset >= packet.payloadEnd
    // Padding behind a whole picture leaves it whole.
    const ends = packet.marker || (isEmpty && layer.highestMarker)
    const extended = layer.note(packet.sequenceNumber, ends, packet.bytes.byteLength, arrivalUs)
    const rtpTimestamp = isEmpty
      ? layer.timestamps.place(packet.rtpTimestamp)
      : layer.timestamps.unwrap(packet.rtpTimestamp)
    const start = isEmpty ? undefined : keyframeStart(this.#options.codec, packet.payload)
    if (start?.width !== undefined && start.height !== undefined) layer.area = start.width * start.height
    this.#choose(arrivalUs)
    const held: HeldPacket = { bytes: packet.bytes, extended, rtpTimestamp, arrivalUs }
    if (layer === this.#current) this.#forward(held, emit)
    else if (this.#previous?.layer === layer && this.#previous.mapping.covers(extended)) {
      this.#write(held, this.#previous.mapping, emit)
    } else if (layer === this.#target || this.#current === undefined) {
      layer.hold(held)
      if (start !== undefined && (layer.keyframeTimestamp === undefined || rtpTimestamp > layer.keyframeTimestamp)) {
        layer.keyframeTimestamp = rtpTimestamp
        layer.keyframeUs = arrivalUs
      }
    } else this.#stats.unused++
    this.#trySwitch(arrivalUs, emit)
  }

  /**
   * Takes a sender report of a layer (RFC 3550 §6.4.1): its bytes from the header on, at least 28. Reports of the layer
   * that is put out come out again, as one of the output, with the canonical name.
   */
  senderReport(layerId: string, report: SelectorReport, arrivalUs: number, emit: EmitPacket): void {
    const layer = this.#layers.get(layerId)
    if (layer === undefined || layer.ssrc !== report.ssrc || !layer.timestamps.started) return
    const rtpTimestamp = layer.timestamps.place(report.rtpTimestamp)
    layer.clock = { ntpUs: report.ntpUs, rtpTimestamp }
    if (layer !== this.#current || this.#mapping === undefined || this.#ssrc === undefined) return
    const out = report.compound(this.#ssrc, (rtpTimestamp + this.#mapping.timestampOffset) >>> 0)
    emit(out, arrivalUs)
  }

  /** Lets time pass: finds dead layers, repeats requests, ends waits. To be called about ten times a second. */
  tick(nowUs: number, emit: EmitPacket): void {
    this.#choose(nowUs)
    this.#trySwitch(nowUs, emit)
  }

  #restart(layer: SimulcastLayer, ssrc: number): void {
    if (this.#previous?.layer === layer) this.#previous = undefined
    if (layer === this.#current) {
      // What follows has nothing to do with what was: as a switch, from the layer to itself.
      this.#current = undefined
      this.#mapping = undefined
      this.#target = undefined
      this.#isBroken = true
    }
    layer.restart(ssrc)
  }

  #choose(nowUs: number): void {
    let best: SimulcastLayer | undefined
    for (const layer of this.#layers.values()) {
      if (!this.#isAlive(layer, nowUs)) continue
      const mayBegin = this.#current === undefined || layer === this.#current || nowUs - layer.firstUs >= STEADY_US
      if (mayBegin || !this.#isAlive(this.#current, nowUs)) {
        if (best === undefined || this.#isBetter(layer, best)) best = layer
      }
    }
    // A pause of all layers changes nothing.
    if (best === undefined) return
    const target = best === this.#current ? undefined : best
    if (target !== this.#target) {
      // Before the first choice every layer keeps its first keyframe.
      if (this.#current !== undefined) this.#target?.release()
      this.#target = target
      this.#askedUs = Number.NEGATIVE_INFINITY
    }
    if (target === undefined || nowUs - this.#askedUs < KEYFRAME_RETRY_US) return
    if (target.keyframeTimestamp !== undefined) return
    // The first packets of a call begin with a keyframe: that one needs no asking.
    if (this.#askedUs === Number.NEGATIVE_INFINITY && nowUs - target.firstUs < MAX_SWITCH_DELAY_US) return
    this.#askedUs = nowUs
    this.#stats.keyframesRequested++
    this.#options.onKeyframeNeeded?.(target.id)
  }

  #isAlive(layer: SimulcastLayer | undefined, nowUs: number): boolean {
    return layer !== undefined && nowUs - layer.lastArrivalUs < this.#aliveUs
  }

  #isBetter(layer: SimulcastLayer, other: SimulcastLayer): boolean {
    if (layer.area > 0 && other.area > 0 && layer.area !== other.area) return layer.area > other.area
    if (this.#options.layersAscend === true) return layer.rank > other.rank
    // Encodings of one picture differ by much more than this; without the margin noise would make it switch.
    const margin = other === this.#current ? 1.5 : layer === this.#current ? 1 / 1.5 : 1
    return layer.bitrateBps > other.bitrateBps * margin
  }

  #forward(packet: HeldPacket, emit: EmitPacket): void {
    if (this.#mapping?.covers(packet.extended) === true) this.#write(packet, this.#mapping, emit)
    else this.#stats.late++
  }

  #trySwitch(nowUs: number, emit: EmitPacket): void {
    const target = this.#target
    const keyframe = target?.keyframeTimestamp
    if (target === undefined || keyframe === undefined) return
    const isOverdue = nowUs - target.keyframeUs >= MAX_SWITCH_DELAY_US
    const first = target.held
      .filter(({ rtpTimestamp }) => rtpTimestamp === keyframe)
      .reduce((lowest, { extended }) => Math.min(lowest, extended), Number.POSITIVE_INFINITY)
    // A keyframe's parameter sets may have been overtaken by its slices.
    if (!isOverdue && !target.has(first - 1) && !this.#isFirstOfLayer(target, first)) return
    const current = this.#current
    const isWhole = current === undefined ? !this.#isBroken : current.highestMarker
    if (!isWhole && !isOverdue && current !== undefined && this.#isAlive(current, nowUs)) return
    this.#switchTo(target, first, isWhole ? 1 : 2, emit)
  }

  #isFirstOfLayer(layer: SimulcastLayer, first: number): boolean {
    // Nothing has come before it: there is nothing to wait for but its reordering, for which a few packets suffice.
    return layer.held.length >= 4 && layer.held.every(({ extended }) => extended >= first)
  }

  /** `step`: from the last sequence number of the output; 2 leaves a gap where a picture was left unfinished. */
  #switchTo(target: SimulcastLayer, first: number, step: number, emit: EmitPacket): void {
    const packets = target.held.filter(({ extended }) => extended >= first).sort((a, b) => a.extended - b.extended)
    const head = packets[0]
    if (head === undefined) return
    let sequenceOffset = 0
    let timestampOffset = 0
    if (this.#highestOut >= 0) {
      sequenceOffset = this.#highestOut + step - first
      timestampOffset = this.#timestampOffset(target, head)
      this.#stats.switches++
    }
    if (this.#current !== undefined && this.#mapping !== undefined) {
      this.#mapping.lastExtended = this.#current.highest
      this.#previous = { layer: this.#current, mapping: this.#mapping }
    }
    this.#ssrc ??= target.ssrc
    this.#mapping = new LayerMapping(first, sequenceOffset, timestampOffset)
    this.#current = target
    this.#target = undefined
    this.#isBroken = false
    for (const layer of this.#layers.values()) layer.release()
    for (const packet of packets) this.#write(packet, this.#mapping, emit)
  }

  #timestampOffset(target: SimulcastLayer, head: HeldPacket): number {
    const elapsedTicks = Math.max(1, Math.round(((head.arrivalUs - this.#lastTimestampUs) * this.#clockRate) / 1e6))
    const byArrival = this.#lastTimestampOut + elapsedTicks - head.rtpTimestamp
    const clock = this.#current?.clock
    if (clock === undefined || target.clock === undefined || this.#mapping === undefined) {
      this.#stats.switchesByArrival++
      return byArrival
    }
    const ticks = Math.round(((target.clock.ntpUs - clock.ntpUs) * this.#clockRate) / 1_000_000)
    const byReports = clock.rtpTimestamp + this.#mapping.timestampOffset + ticks - target.clock.rtpTimestamp
    const maxStepBack = (MAX_STEP_BACK_US * this.#clockRate) / 1_000_000
    const out = head.rtpTimestamp + byReports
    if (out < this.#lastTimestampOut - maxStepBack || Math.abs(byReports - byArrival) > maxStepBack * 10) {
      this.#stats.switchesByArrival++
      return byArrival
    }
    return byReports
  }

  #write(packet: HeldPacket, mapping: LayerMapping, emit: EmitPacket): void {
    const sequenceNumber = mapping.sequenceNumber(packet.extended)
    // 1 ms: as little as a picture can be moved and still be told from the one before it.
    const step = Math.ceil(this.#clockRate / 1000)
    const timestamp = mapping.timestamp(packet.rtpTimestamp, this.#lastTimestampOut, step)
    if (this.#highestOut < 0 || timestamp > this.#lastTimestampOut) {
      this.#lastTimestampOut = timestamp
      this.#lastTimestampUs = packet.arrivalUs
    }
    this.#highestOut = Math.max(this.#highestOut, sequenceNumber)
    const bytes = new Uint8Array(packet.bytes)
    const view = new DataView(bytes.buffer)
    view.setUint16(2, sequenceNumber & 0xffff)
    view.setUint32(4, timestamp >>> 0)
    view.setUint32(8, this.#ssrc ?? 0)
    emit(bytes, packet.arrivalUs)
  }
}

/** A sender report as {@link SimulcastSelector} takes it. */
export interface SelectorReport {
  readonly ssrc: number
  /** Microseconds since 1970, by the sender. */
  readonly ntpUs: number
  /** As on the wire. */
  readonly rtpTimestamp: number
  /** The report as a compound of its own, of another source and time. */
  readonly compound: (ssrc: number, rtpTimestamp: number) => Uint8Array
}
