import {
  ConfigurationError,
  type MonotonicClock,
  monotonicClock,
  type TrackSink,
  type TrackTarget,
  type VideoCodec,
} from '@rushes/media'
import { parseRtcpCompound, RtpPacket } from '@rushes/rtp-depacketizer'
import { checkNackOptions } from '../repair/nack-generator.js'
import type { IngestMedia } from '../sdp/ingest-description.js'
import { TrackOutput } from '../session/track-output.js'
import { SimulcastSelector } from '../simulcast/simulcast-selector.js'
import { ReportCompleter } from './report-completer.js'
import { rewriteReport } from './rewrite-report.js'
import { mediaOf, tracksOf } from './werift-media.js'
import { WeriftRequester, type WeriftSender } from './werift-requester.js'
import type { WeriftReceiver, WeriftRtpPacket, WeriftTrack } from './werift-shapes.js'
import type { RecordedWeriftTrack, RecordWeriftTrackOptions, WeriftTrackStats } from './werift-track-options.js'

/** One source for each encoding; more are restarts. */
const MAX_SOURCES = 16
const TICK_US = 100_000

/** Passes the packets of a werift track, or of all encodings of one, to a target. */
export class WeriftRecording implements RecordedWeriftTrack {
  readonly #options: RecordWeriftTrackOptions
  readonly #clock: MonotonicClock
  readonly #receiver: WeriftReceiver | undefined
  readonly #media: IngestMedia
  readonly #output: TrackOutput
  readonly #selector: SimulcastSelector | undefined
  readonly #reports: ReportCompleter
  readonly #requester: WeriftRequester | undefined
  readonly #packet = new RtpPacket()
  readonly #subscriptions: { unSubscribe(): void }[] = []
  /** SSRCs of the track, to the encoding that they send. */
  readonly #sources = new Map<number, string>()
  readonly #counters = { packets: 0, reports: 0, malformed: 0 }
  #ssrc = 0
  #sink: TrackSink | undefined
  #cancelTick: (() => void) | undefined
  #isStopped = false

  /** @throws ConfigurationError */
  constructor(target: TrackTarget, track: WeriftTrack, options: RecordWeriftTrackOptions) {
    this.#options = options
    this.#clock = options.clock ?? monotonicClock
    if (typeof target?.addTrack !== 'function') throw new ConfigurationError('target', 'must be a TrackTarget')
    if (typeof options.participantId !== 'string' || options.participantId === '') {
      throw new ConfigurationError('participantId', 'must be a string that is not empty', options.participantId)
    }
    this.#receiver = options.receiver ?? options.peer?.getReceivers().find(({ tracks }) => tracks.includes(track))
    if (options.peer !== undefined && this.#receiver === undefined) {
      throw new ConfigurationError('peer', 'must be the one that the track came from')
    }
    this.#media = mediaOf(track, this.#receiver, options)
    const keepSink: TrackTarget = {
      addTrack: (added) => {
        this.#sink = target.addTrack(added)
        return this.#sink
      },
    }
    const { participantId, onEvent = () => {} } = options
    this.#output = new TrackOutput(this.#media, participantId, keepSink, onEvent, () => this.#requestKeyframe())
    const tracks = tracksOf(track, this.#receiver, options.rid)
    this.#selector = tracks.length > 1 ? this.#createSelector(tracks) : undefined
    this.#reports = new ReportCompleter(
      (ssrc) => this.#sources.has(ssrc),
      (ssrc, bytes) => this.#report(ssrc, bytes),
    )
    this.#requester = this.#createRequester()
    this.#subscribe(tracks)
  }

  get sink(): TrackSink | undefined {
    return this.#isStopped ? undefined : this.#sink
  }

  get stats(): WeriftTrackStats {
    const { repaired = 0 } = this.#requester ?? {}
    return { ...this.#counters, repaired, pressed: this.#output.pressed, layer: this.#selector?.stats.layer }
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#cancelTick?.()
    this.#requester?.close()
    for (const subscription of this.#subscriptions) subscription.unSubscribe()
    this.#output.end('closed')
  }

  #subscribe(tracks: readonly WeriftTrack[]): void {
    const stop = (): void => this.stop()
    let alive = tracks.length
    for (const track of tracks) {
      const layer = track.rid ?? ''
      this.#subscriptions.push(
        track.onReceiveRtp.subscribe(
          (packet) => this.#receive(layer, packet),
          () => {
            alive--
            if (alive === 0) this.stop()
          },
        ),
      )
    }
    const transport = this.#receiver?.dtlsTransport
    if (transport === undefined) {
      // The reports of the track alone come without the name that stands beside them.
      for (const track of tracks) {
        this.#subscriptions.push(track.onReceiveRtcp.subscribe((packet) => this.#reports.push(packet)))
      }
    } else {
      this.#subscriptions.push(
        transport.onRtcp.subscribe((packet) => this.#reports.push(packet)),
        // A peer that is closed does not end its tracks.
        transport.onStateChange.subscribe((state) => {
          if (state === 'closed' || state === 'failed') stop()
        }, stop),
      )
    }
    if (this.#selector !== undefined) this.#tick(this.#selector)
  }

  #receive(layer: string, packet: WeriftRtpPacket): void {
    const arrivalUs = this.#clock.nowUs()
    const serialized = packet.serialize()
    // Not the Buffer itself: whoever slices it would get a view where a copy is meant.
    const bytes = new Uint8Array(serialized.buffer, serialized.byteOffset, serialized.byteLength)
    const parsed = this.#packet
    if (parsed.read(bytes) !== undefined) {
      this.#counters.malformed++
      return
    }
    this.#counters.packets++
    if (!this.#sources.has(parsed.ssrc)) this.#addSource(parsed.ssrc, layer)
    this.#requester?.received(parsed.ssrc, parsed.sequenceNumber, arrivalUs)
    this.#reports.flush()
    if (this.#selector === undefined) {
      this.#ssrc = parsed.ssrc
      this.#output.media(bytes, parsed.payloadType, arrivalUs)
    } else this.#selector.push(layer, parsed, arrivalUs, this.#emitSelected)
  }

  readonly #emitSelected = (bytes: Uint8Array, arrivalUs: number): void => {
    this.#output.media(bytes, bytes[1]! & 0x7f, arrivalUs)
  }

  #addSource(ssrc: number, layer: string): void {
    for (const oldest of this.#sources.keys()) {
      if (this.#sources.size < MAX_SOURCES) break
      this.#sources.delete(oldest)
      this.#requester?.forget(oldest)
    }
    this.#sources.set(ssrc, layer)
  }

  #report(ssrc: number, bytes: Uint8Array): void {
    this.#counters.reports++
    const arrivalUs = this.#clock.nowUs()
    if (this.#selector === undefined) {
      if (ssrc === this.#ssrc) this.#output.rtcp(bytes, arrivalUs)
      return
    }
    const report = parseRtcpCompound(bytes).packets.find(({ type }) => type === 'sender-report')
    if (report?.type !== 'sender-report' || report.ntpUs === undefined) return
    const { ntpUs, rtpTimestamp } = report
    const compound = (newSsrc: number, newTimestamp: number): Uint8Array => rewriteReport(bytes, newSsrc, newTimestamp)
    this.#selector.senderReport(
      this.#sources.get(ssrc) ?? '',
      { ssrc, ntpUs, rtpTimestamp, compound },
      arrivalUs,
      (out) => this.#output.rtcp(out, arrivalUs),
    )
  }

  #createSelector(tracks: readonly WeriftTrack[]): SimulcastSelector {
    const first = this.#media.formats[0]
    return new SimulcastSelector({
      codec: (first?.codec ?? 'vp8') as VideoCodec,
      clockRate: first?.clockRate ?? 90_000,
      layers: tracks.map(({ rid = '' }) => ({ id: rid })),
      onKeyframeNeeded: (layer) => {
        for (const [ssrc, known] of this.#sources) if (known === layer) this.#sendPli(ssrc)
      },
    })
  }

  #createRequester(): WeriftRequester | undefined {
    const { nack = this.#media.feedback.nack } = this.#options
    const transport = this.#receiver?.dtlsTransport
    if (nack === false || transport?.sendRtcp === undefined) return undefined
    const options = nack === true ? {} : nack
    checkNackOptions(options)
    return new WeriftRequester(transport as WeriftSender, this.#receiver?.rtcpSsrc ?? 1, options, this.#clock)
  }

  #tick(selector: SimulcastSelector): void {
    const nowUs = this.#clock.nowUs()
    selector.tick(nowUs, this.#emitSelected)
    this.#cancelTick = this.#clock.schedule(nowUs + TICK_US, () => this.#tick(selector))
  }

  #requestKeyframe(): void {
    const ssrc = this.#selector === undefined ? this.#ssrc : this.#selector.currentSsrc
    if (ssrc !== undefined) this.#sendPli(ssrc)
  }

  #sendPli(ssrc: number): void {
    // A peer that is just being closed refuses: then there is nobody to ask.
    void this.#receiver?.sendRtcpPLI(ssrc).catch(() => {})
    this.#options.onKeyframeNeeded?.(ssrc)
  }
}
