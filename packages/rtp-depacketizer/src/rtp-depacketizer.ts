import {
  ConfigurationError,
  type Emit,
  type SenderReport,
  type SourceItem,
  type TimedStage,
  type Track,
} from '@rushes/media'
import type { DepacketizerOptions, ResolvedDepacketizerOptions } from './depacketizer-options.js'
import { resolveDepacketizerOptions } from './depacketizer-options.js'
import { cnameOf, EarlyReports, type ReceivedReport } from './early-reports.js'
import { Insertion, type OrderedPacketSink, ReorderBuffer } from './reorder-buffer.js'
import { isRtcp, parseRtcpCompound } from './rtcp-packet.js'
import { bytesOf, type RtpArrival, type RtpInput, type RtpPacketLike, readPacketLike } from './rtp-input.js'
import { RtpPacket } from './rtp-packet.js'
import type { RtpMalformed, RtpStats } from './rtp-stats.js'
import { RtpTimestampUnwrapper } from './rtp-timestamp.js'
import { MAX_PROBATION, SourceProbation } from './source-probation.js'

/**
 * Seconds that the RTP time of one source may step back, or ahead of arrival. Encoders reorder and networks delay by
 * far less; a restarted source begins at a random timestamp, up to 13 hours off.
 */
const MAX_TIMESTAMP_STEP_SECONDS = 10

/**
 * After its BYE a source may go on for so long: one that paces what its encoder still gives out says goodbye too early.
 * Whoever goes on for longer has not meant it, and is ended nevertheless.
 */
const MAX_TIME_AFTER_BYE_US = 2_000_000

/** Hz. The steps above must stay below 2^31 ticks to be told from a wrap. */
const MAX_CLOCK_RATE = 100_000_000

const discard: Emit<SourceItem> = () => {}

/**
 * What all depacketizers share: RTP and RTCP in one input, one source at a time, the order of packets, the epochs, and
 * the sender reports (RFC 3550). A codec's depacketizer gets the packets in order, with what is missing between them.
 */
export abstract class RtpDepacketizer implements TimedStage<RtpInput, SourceItem>, OrderedPacketSink {
  readonly #track: Track
  readonly #options: ResolvedDepacketizerOptions
  readonly #stats: RtpStats & { malformed: Record<RtpMalformed, number> }
  readonly #buffer: ReorderBuffer
  readonly #probation: SourceProbation
  readonly #timestamps = new RtpTimestampUnwrapper()
  readonly #maxTimestampStep: number
  /** -1 where it is not given. */
  readonly #payloadType: number
  readonly #givenSsrc: number | undefined
  #ssrc = -1
  #epoch = -1
  /** A packet of this epoch has been passed on: its RTP time is known. */
  #running = false
  #emit: Emit<SourceItem> = discard
  /** The packet being read; a new one is made only when the buffer keeps it. */
  #scratch = new RtpPacket()
  /** Of the last packet with a payload that belonged to the source; time also by its reports, where they are ahead. */
  #lastTimestamp = 0
  #lastPayloadType = -1
  #lastArrivalUs: number | undefined
  #anyPayload = false
  readonly #earlyReports = new EarlyReports()
  #cname: string | undefined
  #byeUs = 0
  #byeDeadlineUs: number | undefined
  #ended = false

  constructor(
    track: Track,
    options: DepacketizerOptions,
    stats: RtpStats & { malformed: Record<RtpMalformed, number> },
  ) {
    checkTrack(track)
    this.#track = track
    this.#options = resolveDepacketizerOptions(options)
    this.#stats = stats
    this.#buffer = new ReorderBuffer(this.#options, stats, this)
    this.#maxTimestampStep = track.clockRate * MAX_TIMESTAMP_STEP_SECONDS
    this.#probation = new SourceProbation(this.#maxTimestampStep)
    this.#payloadType = track.payloadType ?? -1
    this.#givenSsrc = track.ssrc
  }

  /** Takes a packet in order: `lost` never came before it. An empty payload is padding, which takes a number only. */
  protected abstract depacketize(packet: RtpPacket, rtpTimestamp: number, lost: number): void
  /** The source has ended or restarts: emits what is complete, forgets what is not. */
  protected abstract endSource(): void
  abstract get stats(): Readonly<RtpStats>

  /** Counts the restarts of the source, from 0. */
  protected get epoch(): number {
    return this.#epoch
  }

  protected emit(item: SourceItem): void {
    this.#emit(item)
  }

  protected signalKeyframeNeeded(reason: 'start' | 'loss'): void {
    this.#options.onSignal?.({ type: 'keyframe-needed', trackId: this.#track.id, reason })
  }

  push(input: RtpInput, emit: Emit<SourceItem>): void {
    this.#emit = emit
    if (this.#ended) {
      this.#stats.afterEnd++
      return
    }
    const bytes = bytesOf(input)
    const { arrivalUs } = input as RtpArrival | RtpPacketLike
    if (arrivalUs !== undefined) {
      this.#advanceTime(arrivalUs)
      // BYE and a long silence: the input is of another sender.
      if (this.#ended) {
        this.#stats.afterEnd++
        return
      }
    }
    if (bytes !== undefined && isRtcp(bytes)) {
      this.#pushRtcp(bytes, arrivalUs)
      return
    }
    const packet = this.#scratch
    const damage = bytes === undefined ? readPacketLike(packet, input as RtpPacketLike) : packet.read(bytes)
    this.#stats.packets++
    if (damage !== undefined) {
      this.#stats.malformed[damage]++
      return
    }
    this.#stats.bytes += packet.bytes.byteLength
    packet.arrivalUs = arrivalUs
    this.#pushPacket(packet)
  }

  tick(nowUs: number, emit: Emit<SourceItem>): void {
    this.#emit = emit
    if (!this.#ended) this.#advanceTime(nowUs)
  }

  nextDeadline(): number | undefined {
    if (this.#ended) return undefined
    const deadline = this.#buffer.nextDeadline()
    if (this.#byeDeadlineUs === undefined) return deadline
    return deadline === undefined ? this.#byeDeadlineUs : Math.min(deadline, this.#byeDeadlineUs)
  }

  flush(emit: Emit<SourceItem>): void {
    this.#emit = emit
    this.#end()
    this.#emit = discard
  }

  /** For the reorder buffer. */
  deliver(packet: RtpPacket, lost: number): void {
    const isEmpty = packet.payloadOffset >= packet.payloadEnd
    const rtpTimestamp = isEmpty
      ? this.#timestamps.place(packet.rtpTimestamp)
      : this.#timestamps.unwrap(packet.rtpTimestamp)
    if (isEmpty) {
      if (this.#payloadType < 0 || packet.payloadType === this.#payloadType) this.#stats.paddingOnly++
    } else if (!this.#running) {
      this.#running = true
      for (const report of this.#earlyReports.take(this.#ssrc)) this.#emitReport(report)
    }
    this.depacketize(packet, rtpTimestamp, lost)
  }

  #advanceTime(nowUs: number): void {
    this.#buffer.expire(nowUs)
    if (this.#byeDeadlineUs === undefined || nowUs < this.#byeDeadlineUs) return
    // A packet of a new source is waiting for a second one that proves it: the track may be going on.
    if (this.#probation.size > 0) this.#byeDeadlineUs = nowUs + this.#options.maxDelayUs + 1
    else this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#stats.strays += this.#probation.clear()
    this.#buffer.flush()
    this.endSource()
    this.#ended = true
    this.#emit({ type: 'track-end', trackId: this.#track.id })
  }

  #pushPacket(packet: RtpPacket): void {
    const isForeignType = this.#payloadType >= 0 && packet.payloadType !== this.#payloadType
    if (isForeignType) this.#stats.foreignPayloadType++
    if (packet.ssrc !== this.#ssrc) {
      if (this.#givenSsrc !== undefined && packet.ssrc !== this.#givenSsrc) this.#stats.foreignSsrc++
      else if (isForeignType) return
      else if (this.#epoch < 0) this.#beginEpoch(packet.ssrc, packet)
      else this.#probe(packet)
      return
    }
    // DTMF, comfort noise or FEC among the media: it has used up a sequence number, and that is all.
    if (isForeignType) packet.payloadEnd = packet.payloadOffset
    if (packet.payloadEnd > packet.payloadOffset && this.#isOutOfTime(packet)) this.#probe(packet)
    else this.#accept(packet)
  }

  #accept(packet: RtpPacket): void {
    const hasPayload = packet.payloadEnd > packet.payloadOffset
    const { rtpTimestamp, payloadType, arrivalUs } = packet
    const insertion = this.#buffer.push(packet)
    if (insertion >= Insertion.jumpedAhead) {
      this.#judgeJump(packet, insertion)
      return
    }
    if (insertion === Insertion.dropped) return
    if (insertion === Insertion.held && packet === this.#scratch) this.#scratch = new RtpPacket()
    if (hasPayload) {
      this.#lastTimestamp = rtpTimestamp
      this.#lastPayloadType = payloadType
      this.#lastArrivalUs = arrivalUs
      this.#anyPayload = true
      if (this.#byeDeadlineUs !== undefined && arrivalUs !== undefined) this.#awaitAfterBye(arrivalUs)
    }
    // The source goes on: what was on probation was not its successor.
    if (this.#probation.size > 0) this.#stats.strays += this.#probation.clear()
  }

  #judgeJump(packet: RtpPacket, insertion: number): void {
    const ticks = (packet.rtpTimestamp - this.#lastTimestamp) | 0
    // An old packet sent once more, and not a source that begins: that would begin at a random timestamp.
    if (insertion === Insertion.jumpedBack && ticks <= 0 && ticks >= -this.#maxTimestampStep) this.#stats.late++
    else this.#probe(packet)
  }

  /** Whether no loss and no silence explains an RTP time. */
  #isOutOfTime({ rtpTimestamp, arrivalUs }: { rtpTimestamp: number; arrivalUs: number | undefined }): boolean {
    const ticks = (rtpTimestamp - this.#lastTimestamp) | 0
    if ((ticks <= this.#maxTimestampStep && ticks >= -this.#maxTimestampStep) || !this.#anyPayload) return false
    if (ticks < 0) return true
    // A paused source comes back with its time ahead, by as much as has passed here.
    if (arrivalUs === undefined || this.#lastArrivalUs === undefined) return false
    const elapsed = ((arrivalUs - this.#lastArrivalUs) / 1_000_000) * this.#track.clockRate
    return ticks - elapsed > this.#maxTimestampStep
  }

  /** A packet that does not continue the source: proof of a restart, or kept until there is one. */
  #probe(packet: RtpPacket): void {
    const isCompanion =
      packet.ssrc !== this.#ssrc && this.#payloadType < 0 && packet.payloadType !== this.#lastPayloadType
    if (this.#probation.proves(packet, isCompanion ? MAX_PROBATION : 2)) this.#beginEpoch(packet.ssrc, packet)
    else {
      this.#stats.strays += this.#probation.add(packet)
      if (packet === this.#scratch) this.#scratch = new RtpPacket()
    }
  }

  #beginEpoch(ssrc: number, packet: RtpPacket): void {
    const waiting = this.#probation.take()
    if (this.#epoch >= 0) {
      this.#buffer.flush()
      this.endSource()
      this.#buffer.restart()
    }
    this.#epoch++
    this.#stats.epochs++
    if (ssrc !== this.#ssrc) this.#cname = undefined
    this.#ssrc = ssrc
    this.#running = false
    this.#anyPayload = false
    this.#timestamps.reset()
    this.#byeDeadlineUs = undefined
    for (const held of waiting) this.#accept(held)
    this.#accept(packet)
  }

  #pushRtcp(bytes: Uint8Array, arrivalUs: number | undefined): void {
    this.#stats.rtcpPackets++
    const { packets, damaged } = parseRtcpCompound(bytes)
    if (damaged) this.#stats.malformed.rtcp++
    this.#cname = cnameOf(this.#ssrc, packets) ?? this.#cname
    for (const packet of packets) {
      // BYE comes last (RFC 3550 §6.1); what a sender puts behind it is of no track any more.
      if (this.#ended) return
      if (packet.type === 'sender-report') {
        const { ssrc, ntpUs, rtpTimestamp } = packet
        if (this.#givenSsrc !== undefined && ssrc !== this.#givenSsrc) continue
        if (ntpUs === undefined) this.#stats.malformed['sender-report-without-time']++
        else this.#pushReport({ ssrc, ntpUs, rtpTimestamp, cname: cnameOf(ssrc, packets), arrivalUs })
      } else if (packet.type === 'bye' && packet.ssrcs.includes(this.#ssrc)) this.#pushBye(arrivalUs)
    }
  }

  #pushReport(report: ReceivedReport): void {
    const belongs = report.ssrc === this.#ssrc && this.#running && !this.#isOutOfTime(report)
    if (belongs) this.#emitReport(report)
    else this.#earlyReports.add(report)
  }

  #emitReport(report: ReceivedReport): void {
    // Reports go on while a track is silent: they keep the place in RTP time. Old ones say nothing of it.
    const isAhead = ((report.rtpTimestamp - this.#lastTimestamp) | 0) > 0
    if (isAhead) {
      this.#lastTimestamp = report.rtpTimestamp
      this.#lastArrivalUs = report.arrivalUs ?? this.#lastArrivalUs
    }
    const item: { -readonly [Key in keyof SenderReport]: SenderReport[Key] } = {
      type: 'sender-report',
      trackId: this.#track.id,
      epoch: this.#epoch,
      clockRate: this.#track.clockRate,
      ntpUs: report.ntpUs,
      rtpTimestamp: isAhead
        ? this.#timestamps.unwrap(report.rtpTimestamp)
        : this.#timestamps.place(report.rtpTimestamp),
    }
    if (report.arrivalUs !== undefined) item.arrivalUs = report.arrivalUs
    const cname = report.cname ?? this.#cname
    if (cname !== undefined) item.cname = cname
    this.#stats.senderReports++
    this.#emit(item)
  }

  #pushBye(arrivalUs: number | undefined): void {
    if (!this.#options.endOnBye) return
    // What the network has overtaken by the BYE may still come.
    if (arrivalUs === undefined) this.#end()
    else {
      this.#byeUs = arrivalUs
      this.#awaitAfterBye(arrivalUs)
    }
  }

  /** A packet that came at `lastUs` may be followed by others. */
  #awaitAfterBye(lastUs: number): void {
    const { maxDelayUs } = this.#options
    this.#byeDeadlineUs = Math.min(lastUs + maxDelayUs, this.#byeUs + Math.max(maxDelayUs, MAX_TIME_AFTER_BYE_US))
  }
}

function checkTrack(track: Track): void {
  if (typeof track.id !== 'string' || track.id === '') {
    throw new ConfigurationError('track.id', 'must be a string that is not empty', track.id)
  }
  if (!Number.isSafeInteger(track.clockRate) || track.clockRate <= 0 || track.clockRate > MAX_CLOCK_RATE) {
    throw new ConfigurationError('track.clockRate', `must be an integer from 1 to ${MAX_CLOCK_RATE}`, track.clockRate)
  }
  checkField('track.ssrc', track.ssrc, 0xffff_ffff)
  checkField('track.payloadType', track.payloadType, 127)
}

function checkField(field: string, value: number | undefined, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) return
  throw new ConfigurationError(field, `must be an integer from 0 to ${max}`, value)
}
