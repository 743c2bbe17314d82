import type { TrackTarget, VideoCodec } from '@rushes/media'
import { RtpPacket } from '@rushes/rtp-depacketizer'
import type { NackOptions } from '../repair/nack-generator.js'
import type { IngestMedia } from '../sdp/ingest-description.js'
import { type SelectorReport, SimulcastSelector } from '../simulcast/simulcast-selector.js'
import type { IngestEvent } from './ingest-event.js'
import { RtpSource } from './rtp-source.js'
import { addSource, noTotals, type SourceTotals } from './source-totals.js'
import { TrackOutput } from './track-output.js'

/** What a receiver needs from the session around it. */
export interface MediaReceiverOptions {
  readonly participantId: string
  readonly target: TrackTarget
  readonly nack: NackOptions | undefined
  /** Microseconds without RTP or sender report after which the track ends. */
  readonly timeoutUs: number
  readonly onEvent: (event: IngestEvent) => void
  /** A source has been taken on: its sender reports may have come before it. */
  readonly onSource: (ssrc: number) => void
  /** Asks a source for a keyframe. */
  readonly requestKeyframe: (ssrc: number) => void
}

/** A source that is not yet believed, with its packets. */
interface Candidate {
  readonly source: RtpSource
  readonly packets: { readonly bytes: Uint8Array; readonly arrivalUs: number }[]
}

/** Packets in a row, none of the current source between them, that show that the sender has restarted. */
const PROOF_OF_RESTART = 5
/** RFC 3550 appendix A.1, MIN_SEQUENTIAL: packets that show that a first source is one. */
const PROOF_OF_SOURCE = 2
/** A current source that was silent for so long has to prove nothing. */
const SILENCE_US = 500_000
/** Sources remembered: three layers, and what restarted within the time-out. */
const MAX_SOURCES = 8
/** What the network let the BYE overtake may still come: as long as depacketizers wait. */
const BYE_GRACE_US = 500_000
/** A sender that paces what its encoder still gives out says it too early: it is heard out for so long. */
const MAX_TIME_AFTER_BYE_US = 2_000_000
/** Packets of a source that has ended are stragglers for so long; later ones are of a sender that goes on. */
const STRAGGLERS_US = 2_000_000
/** Sources that want to be the track at the same time: more are a mistake, or a flood. */
const MAX_CANDIDATES = 4
const MAX_CANDIDATE_PACKETS = 32

/** Receives one media section: decides which source is the track, or which layers are, and keeps the track in the target. */
export class MediaReceiver {
  readonly media: IngestMedia
  readonly output: TrackOutput
  readonly selector: SimulcastSelector | undefined
  /** By SSRC: the current one, layers, and who was current before. */
  readonly sources: Map<number, RtpSource> = new Map()
  readonly counters = { strays: 0, afterBye: 0, unknownPayloadType: 0 }
  readonly #options: MediaReceiverOptions
  readonly #declared: ReadonlySet<number>
  readonly #types: ReadonlySet<number>
  /** When each source that said BYE did so, and when nothing of it counts any more. */
  readonly #byes = new Map<number, { readonly atUs: number; endUs: number }>()
  readonly #told = new Set<number>()
  readonly #scratch = new RtpPacket()
  readonly #retired = noTotals()
  #current: RtpSource | undefined
  readonly #candidates = new Map<number, Candidate>()
  #layer: string | undefined
  #lastUs = Number.NaN
  #byeUs: number | undefined

  constructor(media: IngestMedia, options: MediaReceiverOptions) {
    this.media = media
    this.#options = options
    this.#declared = new Set(media.ssrcs)
    this.#types = new Set(media.formats.map(({ payloadType }) => payloadType))
    this.output = new TrackOutput(media, options.participantId, options.target, options.onEvent, () => {
      this.#requestKeyframe()
    })
    this.selector = this.#createSelector()
  }

  /** Counts of all sources that there have been. */
  get totals(): SourceTotals {
    const totals = { ...this.#retired }
    for (const source of this.sources.values()) addSource(totals, source)
    return totals
  }

  /** The source whose packets are the track. */
  get currentSsrc(): number | undefined {
    return this.selector === undefined ? this.#current?.ssrc : this.selector.currentSsrc
  }

  /** Begins the track before its first packet. */
  announce(): void {
    const format = this.media.formats[0]
    if (format !== undefined) this.output.begin(format)
  }

  /** Takes a packet of media; `layer` where a header extension or the description names it. */
  packet(packet: RtpPacket, layer: string | undefined, arrivalUs: number): void {
    const { ssrc } = packet
    const bye = this.#byes.get(ssrc)
    if (bye !== undefined) {
      if (arrivalUs < bye.endUs) bye.endUs = Math.min(arrivalUs + BYE_GRACE_US, bye.atUs + MAX_TIME_AFTER_BYE_US)
      else if (arrivalUs - bye.endUs < STRAGGLERS_US) {
        this.counters.afterBye++
        return
      } else this.#byes.delete(ssrc)
    }
    if (this.selector !== undefined) this.#layerPacket(this.selector, packet, layer, arrivalUs)
    else if (this.#current?.ssrc === ssrc) this.#currentPacket(this.#current, packet, arrivalUs)
    else this.#candidatePacket(packet, arrivalUs)
  }

  /** Takes a retransmission; `ssrc` of the original where it is known. */
  retransmission(packet: RtpPacket, ssrc: number | undefined, osn: number, arrivalUs: number): void {
    const payloadType = this.media.rtx[packet.payloadType]
    const source =
      ssrc !== undefined
        ? this.sources.get(ssrc)
        : // RFC 4588 §5.3: whoever has asked for it.
          this.sources.size === 1
          ? this.sources.values().next().value
          : [...this.sources.values()].find(({ nack }) => osn >= 0 && nack?.isMissing(osn) === true)
    if (source === undefined || payloadType === undefined) {
      this.counters.strays++
      return
    }
    source.retransmission(packet, payloadType, arrivalUs)
  }

  /** A sender report has come for a source of this section; `bytes` is the compound, as its own copy. */
  senderReport(source: RtpSource, report: SelectorReport, bytes: () => Uint8Array, arrivalUs: number): void {
    this.#lastUs = Math.max(this.#lastUs, arrivalUs)
    if (this.selector === undefined) {
      if (source === this.#current) this.output.rtcp(bytes(), arrivalUs)
    } else if (source.layer !== undefined) {
      this.selector.senderReport(source.layer, report, arrivalUs, (out) => this.output.rtcp(out, arrivalUs))
    }
  }

  /** A source has said that it ends. */
  bye(ssrc: number, bytes: () => Uint8Array, arrivalUs: number): void {
    if (!this.sources.has(ssrc)) return
    this.#byes.set(ssrc, { atUs: arrivalUs, endUs: arrivalUs + BYE_GRACE_US })
    if (this.selector === undefined) {
      if (this.#current?.ssrc !== ssrc) return
      this.output.rtcp(bytes(), arrivalUs)
      this.#byeUs = arrivalUs
    } else if ([...this.sources.keys()].every((known) => this.#byes.has(known))) this.#byeUs = arrivalUs
  }

  /** Lets time pass. */
  tick(nowUs: number): void {
    if (this.selector !== undefined) {
      this.selector.tick(nowUs, this.#emitSelected)
      this.#tellLayer()
    }
    if (this.#byeUs !== undefined && this.#hasSaidAll(nowUs)) this.#end('bye')
    else if (nowUs - this.#lastUs >= this.#options.timeoutUs) this.#end('timeout')
    for (const [ssrc, { endUs }] of this.#byes) if (nowUs - endUs >= STRAGGLERS_US) this.#byes.delete(ssrc)
  }

  /** Nothing more is awaited of those who said BYE. */
  #hasSaidAll(nowUs: number): boolean {
    for (const { endUs } of this.#byes.values()) if (nowUs < endUs) return false
    return true
  }

  /** Receives no more. */
  close(): void {
    this.#end('closed')
  }

  #end(reason: 'bye' | 'timeout' | 'closed'): void {
    this.#current = undefined
    this.#dropCandidates()
    this.#byeUs = undefined
    this.#lastUs = Number.NaN
    for (const source of this.sources.values()) this.#forget(source)
    this.output.end(reason)
  }

  #currentPacket(source: RtpSource, packet: RtpPacket, arrivalUs: number): void {
    if (this.#candidates.size > 0) this.#dropCandidates()
    this.#lastUs = arrivalUs
    source.push(packet, arrivalUs)
  }

  #dropCandidates(): void {
    for (const { packets } of this.#candidates.values()) this.counters.strays += packets.length
    this.#candidates.clear()
  }

  #candidatePacket(packet: RtpPacket, arrivalUs: number): void {
    let candidate = this.#candidates.get(packet.ssrc)
    if (candidate === undefined) {
      if (this.#candidates.size >= MAX_CANDIDATES) this.#dropCandidates()
      candidate = { source: this.#createSource(packet.ssrc), packets: [] }
      this.#candidates.set(packet.ssrc, candidate)
    }
    candidate.packets.push({ bytes: packet.bytes, arrivalUs })
    if (candidate.packets.length > MAX_CANDIDATE_PACKETS) {
      candidate.packets.shift()
      this.counters.strays++
    }
    if (!this.#isProven(candidate, arrivalUs)) return
    this.#candidates.delete(packet.ssrc)
    const isRestart = this.#current !== undefined
    // What is on its way from the old source no longer belongs to the track.
    if (this.#current !== undefined) this.#current.emit = () => {}
    this.#current = candidate.source
    this.#current.emit = this.#emitMedia
    this.#byeUs = undefined
    this.#remember(candidate.source)
    for (const held of candidate.packets) {
      if (this.#scratch.read(held.bytes) === undefined)
        this.#currentPacket(candidate.source, this.#scratch, held.arrivalUs)
    }
    this.#options.onSource(packet.ssrc)
    const { trackId } = this.output
    if (isRestart && trackId !== undefined) {
      this.#options.onEvent({ type: 'source-changed', mid: this.media.mid, trackId, ssrc: packet.ssrc })
    }
  }

  #isProven(candidate: Candidate, nowUs: number): boolean {
    const { ssrc } = candidate.source
    if (this.#current === undefined) return this.#declared.has(ssrc) || candidate.packets.length >= PROOF_OF_SOURCE
    if (this.#byeUs !== undefined) return candidate.packets.length >= PROOF_OF_SOURCE
    if (candidate.packets.length >= PROOF_OF_RESTART) return true
    return nowUs - this.#current.lastPacketUs >= SILENCE_US && candidate.packets.length >= PROOF_OF_SOURCE
  }

  #layerPacket(selector: SimulcastSelector, packet: RtpPacket, layer: string | undefined, arrivalUs: number): void {
    let source = this.sources.get(packet.ssrc)
    const isNew = source === undefined
    if (source === undefined) {
      const id = layer ?? this.#layerOf(packet.ssrc)
      if (id === undefined) {
        this.counters.strays++
        return
      }
      source = this.#createLayerSource(packet.ssrc, id, selector, arrivalUs)
    }
    this.#lastUs = arrivalUs
    if (!this.#byes.has(packet.ssrc)) this.#byeUs = undefined
    source.push(packet, arrivalUs)
    if (isNew) this.#options.onSource(packet.ssrc)
    if (selector.stats.layer !== this.#layer) this.#tellLayer()
  }

  #layerOf(ssrc: number): string | undefined {
    const layer = this.media.layers.find((known) => known.ssrc === ssrc)
    return layer === undefined ? undefined : String(ssrc)
  }

  readonly #emitMedia = (bytes: Uint8Array, arrivalUs: number): void => {
    const payloadType = bytes[1]! & 0x7f
    if (!this.#types.has(payloadType)) this.#tellUnsupported(payloadType)
    this.output.media(bytes, payloadType, arrivalUs)
  }

  readonly #emitSelected = (bytes: Uint8Array, arrivalUs: number): void => {
    this.output.media(bytes, bytes[1]! & 0x7f, arrivalUs)
  }

  #tellUnsupported(payloadType: number): void {
    this.counters.unknownPayloadType++
    if (this.#told.has(payloadType)) return
    this.#told.add(payloadType)
    const known = this.media.unsupported.find((format) => format.payloadType === payloadType)
    const encoding = known?.encoding ?? 'unknown'
    this.#options.onEvent({ type: 'unsupported-payload', mid: this.media.mid, payloadType, encoding })
  }

  #tellLayer(): void {
    const layer = this.selector?.stats.layer
    const { trackId } = this.output
    if (layer === undefined || layer === this.#layer || trackId === undefined) return
    this.#layer = layer
    this.#options.onEvent({ type: 'layer-changed', mid: this.media.mid, trackId, layer })
  }

  #createSource(ssrc: number): RtpSource {
    return new RtpSource(ssrc, this.media, this.media.formats[0]?.clockRate ?? 90_000, this.#options.nack)
  }

  #createLayerSource(ssrc: number, layer: string, selector: SimulcastSelector, nowUs: number): RtpSource {
    for (const old of this.sources.values()) {
      if (old.layer !== layer) continue
      // The layer has restarted: what comes of the old source must not look like a restart once more.
      this.#forget(old)
      this.#byes.set(old.ssrc, { atUs: nowUs, endUs: nowUs })
    }
    const source = this.#createSource(ssrc)
    source.layer = layer
    source.emit = (bytes, arrivalUs) => {
      if (this.#scratch.read(bytes) === undefined) selector.push(layer, this.#scratch, arrivalUs, this.#emitSelected)
    }
    this.#remember(source)
    return source
  }

  #remember(source: RtpSource): void {
    this.sources.set(source.ssrc, source)
    for (const oldest of this.sources.values()) {
      if (this.sources.size <= MAX_SOURCES) break
      this.#forget(oldest)
    }
  }

  #forget(source: RtpSource): void {
    this.sources.delete(source.ssrc)
    addSource(this.#retired, source)
  }

  #requestKeyframe(): void {
    const ssrc = this.currentSsrc
    if (ssrc !== undefined) this.#options.requestKeyframe(ssrc)
  }

  #createSelector(): SimulcastSelector | undefined {
    const { media } = this
    const format = media.formats[0]
    if (media.kind !== 'video' || media.layers.length < 2 || format === undefined) return undefined
    return new SimulcastSelector({
      codec: format.codec as VideoCodec,
      clockRate: format.clockRate,
      layersAscend: media.layersAscend,
      layers: media.layers.map(({ rid, ssrc, maxWidth, maxHeight }) => ({
        id: rid ?? String(ssrc),
        ...(maxWidth === undefined ? {} : { width: maxWidth }),
        ...(maxHeight === undefined ? {} : { height: maxHeight }),
      })),
      onKeyframeNeeded: (layer) => {
        for (const source of this.sources.values())
          if (source.layer === layer) this.#options.requestKeyframe(source.ssrc)
      },
    })
  }
}
