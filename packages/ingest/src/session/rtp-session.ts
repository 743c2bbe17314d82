import type { TrackTarget } from '@rushes/media'
import { isRtcp, parseRtcpCompound, type RtcpCompound, type RtcpPacket, RtpPacket } from '@rushes/rtp-depacketizer'
import { checkNackOptions, type NackOptions } from '../repair/nack-generator.js'
import { originalSequenceNumber } from '../repair/rtx.js'
import { type ReferenceTimeEcho, readClockEchoes, roundTripUs, type SenderClock } from '../rtcp/clock-echo.js'
import type { RtcpMessage } from '../rtcp/rtcp-writer.js'
import { serializeRtcp } from '../rtcp/rtcp-writer.js'
import type { IngestMedia } from '../sdp/ingest-description.js'
import { EarlyReports } from './early-reports.js'
import type { IngestEvent } from './ingest-event.js'
import { MediaReceiver } from './media-receiver.js'
import { RtpDemuxer } from './rtp-demuxer.js'
import type { RtpSource } from './rtp-source.js'
import type { MediaStats, SessionStats } from './session-stats.js'

/** What a session is given. */
export interface RtpSessionOptions {
  /** The sections that share the transport; one at least. */
  readonly media: readonly IngestMedia[]
  /** Whose tracks they are; a section's own `participantId` goes before it. */
  readonly participantId: string
  readonly target: TrackTarget
  /** The receiver's own, random. */
  readonly ssrc: number
  readonly cname: string
  /**
   * Canonical name for sender reports that come without one (ffmpeg sends them bare): the streams of one sender share a
   * clock, and without a name nobody would know. @defaultValue none
   */
  readonly senderCname?: string
  /** From 0 to 1: spreads reports in time (RFC 3550 §6.2). */
  readonly random: () => number
  /** Sends RTCP back; the bytes belong to the receiver. */
  readonly send: (bytes: Uint8Array) => void
  readonly onEvent: (event: IngestEvent) => void
  /** `true`: as by default; `false`: never; left out: where the section offers it. */
  readonly nack?: boolean | NackOptions | undefined
  /** How keyframes are asked for; left out: PLI, or FIR where only that is offered. */
  readonly keyframeRequests?: 'pli' | 'fir' | 'none' | undefined
  /** Ceiling to announce by REMB, bits per second. */
  readonly maxBitrateBps?: number | undefined
  readonly sourceTimeoutUs: number
}

/** Mean time between reports: much less than RFC 3550's 5 s, as feedback profiles allow (RFC 4585 §3.5). */
const REPORT_INTERVAL_US = 1_000_000
/** The first one goes out early: it tells the sender that somebody is there. */
const FIRST_REPORT_US = 200_000
const HOUSEKEEPING_US = 100_000
/** Whoever asks for keyframes, a sender hears no more than this. */
const KEYFRAME_REQUEST_US = 200_000
/** Sources to which requests were sent. */
const MAX_REQUESTED = 64

/**
 * The receiving side of one RTP session, without input or output: packets come in with their time, tracks go to the
 * target, RTCP goes out by `send`. Shared by every transport that carries plain RTP.
 */
export class RtpSession {
  readonly #options: RtpSessionOptions
  readonly #receivers: readonly MediaReceiver[]
  readonly #demuxer: RtpDemuxer
  readonly #packet = new RtpPacket()
  readonly #early = new EarlyReports()
  readonly #requests = new Map<number, { atUs: number; count: number }>()
  readonly #counters = { packets: 0, bytes: 0, rtcpPackets: 0, rtcpSent: 0, malformed: 0 }
  readonly #rates = new Map<string, { bytes: number; bitrateBps: number }>()
  readonly #keyframeRequests = new Map<string, number>()
  #nowUs = 0
  #reportUs = Number.POSITIVE_INFINITY
  #lastReportUs = 0
  #housekeepingUs = Number.POSITIVE_INFINITY
  #closed = false

  constructor(options: RtpSessionOptions) {
    this.#options = options
    // Bad bounds are to be told now and not with the first packet.
    if (typeof options.nack === 'object') checkNackOptions(options.nack)
    this.#receivers = options.media.map((media) => this.#createReceiver(media))
    this.#demuxer = new RtpDemuxer(this.#receivers)
  }

  /** Begins all tracks now, each with the first format of its section, rather than with their first packets. */
  announce(): void {
    for (const receiver of this.#receivers) receiver.announce()
  }

  /**
   * Takes RTP or RTCP, whose bytes now belong to the session. False where it is of no source that is known: it proves
   * nothing of where the sender is. Never throws.
   */
  receive(bytes: Uint8Array, arrivalUs: number): boolean {
    if (this.#closed) return false
    this.#nowUs = arrivalUs
    if (bytes.byteLength >= 4 && isRtcp(bytes)) {
      this.#counters.rtcpPackets++
      const compound = parseRtcpCompound(bytes)
      if (compound.damaged) this.#counters.malformed++
      return this.#readRtcp(bytes, compound, arrivalUs)
    }
    const packet = this.#packet
    if (packet.read(bytes) !== undefined) {
      this.#counters.malformed++
      return false
    }
    this.#counters.packets++
    this.#counters.bytes += bytes.byteLength
    packet.arrivalUs = arrivalUs
    const route = this.#demuxer.route(packet, arrivalUs)
    if (route === undefined) return false
    if (!Number.isFinite(this.#reportUs)) this.#begin(arrivalUs)
    if (route.kind === 'media') route.receiver.packet(packet, route.layer, arrivalUs)
    else if (route.kind === 'rtx') {
      const original = route.originalSsrc ?? sourceOfLayer(route.receiver, route.layer)?.ssrc
      route.receiver.retransmission(packet, original, originalSequenceNumber(packet), arrivalUs)
    }
    return true
  }

  /** Lets time pass: requests that are due, reports, time-outs. */
  tick(nowUs: number): void {
    if (this.#closed) return
    this.#nowUs = nowUs
    this.#sendNacks(nowUs)
    if (nowUs >= this.#housekeepingUs) {
      this.#housekeepingUs = nowUs + HOUSEKEEPING_US
      for (const receiver of this.#receivers) receiver.tick(nowUs)
    }
    if (nowUs >= this.#reportUs) this.#report(nowUs)
  }

  /** When `tick` has something to do next; `undefined` before the first packet. */
  nextDeadline(): number | undefined {
    if (this.#closed) return undefined
    let deadlineUs = Math.min(this.#reportUs, this.#housekeepingUs)
    for (const { sources } of this.#receivers) {
      for (const { nack } of sources.values()) deadlineUs = Math.min(deadlineUs, nack?.nextDeadline() ?? deadlineUs)
    }
    return Number.isFinite(deadlineUs) ? deadlineUs : undefined
  }

  /** Asks for a keyframe of a section, or of all. */
  requestKeyframe(mid?: string): void {
    for (const { media, currentSsrc } of this.#receivers) {
      if (media.kind === 'video' && currentSsrc !== undefined && (mid === undefined || mid === media.mid)) {
        this.#requestKeyframe(media, currentSsrc)
      }
    }
  }

  /** Says BYE and ends the tracks. */
  close(): void {
    if (this.#closed) return
    if (Number.isFinite(this.#reportUs)) {
      this.#send([...this.#compoundHead([]), { type: 'bye', senderSsrc: this.#options.ssrc }])
    }
    this.#closed = true
    for (const receiver of this.#receivers) receiver.close()
  }

  get stats(): SessionStats {
    const { unknownSsrc } = this.#demuxer.stats
    return { ...this.#counters, unknownSsrc, media: this.#receivers.map((receiver) => this.#mediaStats(receiver)) }
  }

  #createReceiver(media: IngestMedia): MediaReceiver {
    const { participantId, target, onEvent, sourceTimeoutUs } = this.#options
    return new MediaReceiver(media, {
      participantId: media.participantId ?? participantId,
      target,
      nack: this.#nackOf(media),
      timeoutUs: sourceTimeoutUs,
      onEvent,
      onSource: (ssrc) =>
        this.#early.take(ssrc, this.#nowUs, (bytes, arrivalUs) => {
          this.#readRtcp(bytes, parseRtcpCompound(bytes), arrivalUs)
        }),
      requestKeyframe: (ssrc) => this.#requestKeyframe(media, ssrc),
    })
  }

  #nackOf(media: IngestMedia): NackOptions | undefined {
    const { nack } = this.#options
    if (nack === false) return undefined
    if (nack === true) return {}
    if (nack !== undefined) return nack
    return media.feedback.nack || Object.keys(media.rtx).length > 0 ? {} : undefined
  }

  #begin(nowUs: number): void {
    this.#reportUs = nowUs + FIRST_REPORT_US
    this.#housekeepingUs = nowUs + HOUSEKEEPING_US
    this.#lastReportUs = nowUs
  }

  #readRtcp(bytes: Uint8Array, { packets }: RtcpCompound, arrivalUs: number): boolean {
    const clocks = new Map<number, SenderClock>()
    readClockEchoes(bytes, (item) => {
      if (item.type === 'sender-clock') clocks.set(item.ssrc, item)
      else this.#echo(item, arrivalUs)
    })
    const copy = (): Uint8Array => new Uint8Array(bytes)
    for (const packet of packets) {
      if (packet.type === 'sender-report')
        this.#senderReport(packet, packets, clocks.get(packet.ssrc), bytes, arrivalUs)
      else if (packet.type === 'bye') {
        for (const ssrc of packet.ssrcs) this.#demuxer.find(ssrc)?.receiver.bye(ssrc, copy, arrivalUs)
      }
    }
    return packets.some((packet) => this.#isOfKnownSource(packet))
  }

  #isOfKnownSource(packet: RtcpPacket): boolean {
    const knows = (ssrc: number): boolean => this.#demuxer.find(ssrc) !== undefined
    if (packet.type === 'sender-report' || packet.type === 'receiver-report') return knows(packet.ssrc)
    if (packet.type === 'source-description') return packet.chunks.some(({ ssrc }) => knows(ssrc))
    return packet.type === 'bye' && packet.ssrcs.some(knows)
  }

  #senderReport(
    packet: Extract<RtcpPacket, { type: 'sender-report' }>,
    compound: readonly RtcpPacket[],
    clock: SenderClock | undefined,
    bytes: Uint8Array,
    arrivalUs: number,
  ): void {
    const { ssrc, ntpUs, rtpTimestamp } = packet
    const receiver = this.#demuxer.find(ssrc)?.receiver
    const source = receiver?.sources.get(ssrc)
    if (receiver === undefined || source === undefined) {
      this.#early.add(ssrc, bytes, arrivalUs)
      return
    }
    if (clock === undefined || ntpUs === undefined) return
    source.statistics.senderReport(clock.ntpMiddle, arrivalUs)
    const given = cnameOf(compound, ssrc)
    const name = given ?? this.#options.senderCname
    const rewritten = (newSsrc: number, newTimestamp: number): Uint8Array =>
      rewriteReport(bytes.subarray(clock.offset, clock.offset + 28), newSsrc, newTimestamp, name)
    const report = { ssrc, ntpUs, rtpTimestamp, compound: rewritten }
    const asItCame = (): Uint8Array => (given === name ? new Uint8Array(bytes) : rewritten(ssrc, rtpTimestamp))
    receiver.senderReport(source, report, asItCame, arrivalUs)
  }

  #echo(echo: ReferenceTimeEcho, nowUs: number): void {
    if (echo.ssrc !== this.#options.ssrc) return
    const measuredUs = roundTripUs(echo, nowUs)
    if (measuredUs === undefined) return
    for (const { sources } of this.#receivers) {
      for (const { nack } of sources.values()) nack?.observeRoundTrip(measuredUs)
    }
  }

  #sendNacks(nowUs: number): void {
    for (const { sources, media } of this.#receivers) {
      for (const { nack, ssrc } of sources.values()) {
        const sequenceNumbers = nack?.due(nowUs) ?? []
        if (sequenceNumbers.length === 0) continue
        this.#feedback(media, { type: 'nack', senderSsrc: this.#options.ssrc, mediaSsrc: ssrc, sequenceNumbers })
      }
    }
  }

  #requestKeyframe(media: IngestMedia, ssrc: number): void {
    const { fir, pli } = media.feedback
    const kind = this.#options.keyframeRequests ?? (fir && !pli ? 'fir' : 'pli')
    if (kind === 'none' || this.#closed) return
    const request = this.#requests.get(ssrc) ?? { atUs: Number.NEGATIVE_INFINITY, count: 0 }
    if (this.#nowUs - request.atUs < KEYFRAME_REQUEST_US) return
    request.atUs = this.#nowUs
    request.count++
    this.#requests.delete(ssrc)
    this.#requests.set(ssrc, request)
    for (const oldest of this.#requests.keys()) {
      if (this.#requests.size <= MAX_REQUESTED) break
      this.#requests.delete(oldest)
    }
    this.#keyframeRequests.set(media.mid, (this.#keyframeRequests.get(media.mid) ?? 0) + 1)
    const ends = { senderSsrc: this.#options.ssrc, mediaSsrc: ssrc }
    this.#feedback(
      media,
      kind === 'pli' ? { type: 'pli', ...ends } : { type: 'fir', ...ends, commandNumber: request.count },
    )
  }

  /** Feedback goes out at once, behind an empty report unless reduced-size RTCP was agreed (RFC 4585 §3.1, RFC 5506). */
  #feedback(media: IngestMedia, message: RtcpMessage): void {
    this.#send(media.feedback.reducedSize ? [message] : [...this.#compoundHead([]), message])
  }

  #report(nowUs: number): void {
    const { ssrc, random, maxBitrateBps } = this.#options
    this.#reportUs = nowUs + Math.round(REPORT_INTERVAL_US * (0.5 + random()))
    const active: RtpSource[] = []
    for (const { sources } of this.#receivers) {
      for (const source of sources.values()) if (source.lastPacketUs >= this.#lastReportUs) active.push(source)
    }
    this.#updateRates(nowUs)
    const messages = this.#compoundHead(active)
    if (this.#receivers.some(({ media }) => media.feedback.referenceTime)) {
      messages.push({ type: 'receiver-reference-time', senderSsrc: ssrc, timeUs: nowUs })
    }
    if (maxBitrateBps !== undefined && active.length > 0) {
      const ssrcs = active.map((source) => source.ssrc)
      messages.push({ type: 'remb', senderSsrc: ssrc, bitrateBps: maxBitrateBps, ssrcs })
    }
    this.#send(messages)
    this.#lastReportUs = nowUs
  }

  #updateRates(nowUs: number): void {
    const seconds = (nowUs - this.#lastReportUs) / 1_000_000
    for (const { media, totals } of this.#receivers) {
      const { bytes } = totals
      const before = this.#rates.get(media.mid)?.bytes ?? 0
      const bitrateBps = seconds > 0 ? Math.max(0, Math.round(((bytes - before) * 8) / seconds)) : 0
      this.#rates.set(media.mid, { bytes, bitrateBps })
    }
  }

  #compoundHead(sources: readonly RtpSource[]): RtcpMessage[] {
    const { ssrc: senderSsrc, cname } = this.#options
    const reports = sources.map(({ statistics }) => statistics.report(this.#nowUs))
    return [
      { type: 'receiver-report', senderSsrc, reports },
      { type: 'source-description', senderSsrc, cname },
    ]
  }

  #send(messages: readonly RtcpMessage[]): void {
    this.#counters.rtcpSent++
    this.#options.send(serializeRtcp(messages))
  }

  #mediaStats(receiver: MediaReceiver): MediaStats {
    const { media, output, counters } = receiver
    const { totals } = receiver
    const current = receiver.sources.get(receiver.currentSsrc ?? -1)
    return {
      mid: media.mid,
      kind: media.kind,
      trackId: output.trackId,
      ssrc: receiver.currentSsrc,
      layer: receiver.selector?.stats.layer,
      packets: totals.packets,
      bytes: totals.bytes,
      bitrateBps: this.#rates.get(media.mid)?.bitrateBps ?? 0,
      lost: totals.lost,
      jitterUs: current?.statistics.jitterUs ?? 0,
      roundTripUs: current?.nack?.roundTripUs,
      nacksSent: totals.nacks,
      keyframeRequestsSent: this.#keyframeRequests.get(media.mid) ?? 0,
      recovered: { rtx: totals.rtx, red: totals.red, fec: totals.fec },
      repairedOnRequest: totals.repaired,
      unrepaired: totals.givenUp,
      duplicates: totals.duplicates,
      malformed: totals.malformed,
      strays: counters.strays,
      afterBye: counters.afterBye,
      pressed: output.pressed,
    }
  }
}

function sourceOfLayer(receiver: MediaReceiver, layer: string | undefined): RtpSource | undefined {
  if (layer === undefined) return undefined
  for (const source of receiver.sources.values()) if (source.layer === layer) return source
  return undefined
}

function cnameOf(compound: readonly RtcpPacket[], ssrc: number): string | undefined {
  for (const packet of compound) {
    if (packet.type !== 'source-description') continue
    const chunk = packet.chunks.find((known) => known.ssrc === ssrc)
    if (chunk?.cname !== undefined) return chunk.cname
  }
  return undefined
}

/** A sender report for another SSRC and RTP time, without report blocks, with the canonical name. */
function rewriteReport(report: Uint8Array, ssrc: number, rtpTimestamp: number, cname: string | undefined): Uint8Array {
  const description =
    cname === undefined ? new Uint8Array(0) : serializeRtcp([{ type: 'source-description', senderSsrc: ssrc, cname }])
  const bytes = new Uint8Array(28 + description.byteLength)
  bytes.set(report)
  bytes.set(description, 28)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x80
  view.setUint16(2, 6)
  view.setUint32(4, ssrc)
  view.setUint32(16, rtpTimestamp)
  return bytes
}
