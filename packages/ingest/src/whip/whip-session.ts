import { randomBytes, randomUUID } from 'node:crypto'
import { type MonotonicClock, monotonicClock, type TrackTarget } from '@rushes/media'
import { isRtcp, RtpPacket } from '@rushes/rtp-depacketizer'
import type { IngestEvent } from '../session/ingest-event.js'
import { RtpSession } from '../session/rtp-session.js'
import type { SessionStats } from '../session/session-stats.js'
import type { UdpCandidate } from './ice-candidate.js'
import type { Offer } from './offer.js'
import type { SecureTransport } from './secure-transport.js'
import { TRANSPORT_CC_URI, TransportFeedback, transportSequenceNumber } from './transport-feedback.js'

/** Why a session ended. */
export type WhipEndReason =
  /** The publisher sent DELETE. */
  | 'deleted'
  /** The publisher closed the connection. */
  | 'hung-up'
  /** Nothing was heard of the publisher for `idleTimeoutMs`. */
  | 'idle'
  /** No connection came about within `connectTimeoutMs`. */
  | 'not-connected'
  /** The connection failed: a certificate that is not the offer's, for one. */
  | 'failed'
  /** The host closed it. */
  | 'closed'

/** What happens in a session, beside what happens to its tracks. */
export type WhipEvent =
  | IngestEvent
  | { readonly type: 'connected'; readonly sessionId: string }
  | { readonly type: 'ended'; readonly sessionId: string; readonly reason: WhipEndReason }

/** Counters of a session. */
export interface WhipSessionStats extends SessionStats {
  /** Packets that could not be decrypted. */
  readonly undecryptable: number
  /** Packets of feedback for congestion control that went out; 0 where the publisher does not take any. */
  readonly feedbackSent: number
}

/** A session, as the host sees it. */
export interface WhipSession {
  readonly id: string
  readonly participantId: string
  /** Media can come, or has come. */
  readonly isConnected: boolean
  readonly stats: WhipSessionStats
  /** Asks for a keyframe of every video track. */
  requestKeyframe(): void
  /** Ends the tracks and the connection. */
  close(): Promise<void>
}

/** What a session is made of. */
export interface WhipSessionOptions {
  readonly id: string
  readonly offer: Offer
  readonly target: TrackTarget
  readonly participantId: string
  readonly connectTimeoutUs: number
  readonly idleTimeoutUs: number
  readonly sourceTimeoutUs: number
  readonly onEvent: (event: WhipEvent) => void
  readonly clock?: MonotonicClock
}

/** How often feedback for congestion control goes out: the first probes of a sender wait for it. */
const FEEDBACK_US = 50_000
const CHECK_US = 500_000

/** One publisher: a transport, and the RTP session behind it. */
export class PublisherSession implements WhipSession {
  readonly id: string
  readonly participantId: string
  /** Entity tag of the one ICE generation that there is. */
  readonly entityTag: string = `"${randomUUID()}"`
  readonly usernameFragment: string
  readonly #options: WhipSessionOptions
  readonly #clock: MonotonicClock
  readonly #rtp: RtpSession
  readonly #ssrc: number
  readonly #feedback: TransportFeedback | undefined
  readonly #feedbackId: number
  readonly #packet = new RtpPacket()
  #transport: SecureTransport | undefined
  #cancelTimer: (() => void) | undefined
  #armedUs = Number.POSITIVE_INFINITY
  #feedbackUs = Number.POSITIVE_INFINITY
  #checkUs: number
  #connectedUs: number | undefined
  #heardUs: number
  #startedUs: number
  #mediaSsrc = 0
  #feedbackSent = 0
  #ended: Promise<void> | undefined

  constructor(options: WhipSessionOptions) {
    this.#options = options
    this.id = options.id
    this.participantId = options.participantId
    this.usernameFragment = options.offer.usernameFragment
    this.#clock = options.clock ?? monotonicClock
    this.#startedUs = this.#heardUs = this.#clock.nowUs()
    this.#checkUs = this.#startedUs + CHECK_US
    // 0 is what an unknown source has in feedback.
    this.#ssrc = randomBytes(4).readUInt32BE() || 1
    const { media } = options.offer
    const extensions = Object.entries(media[0]?.headerExtensions ?? {})
    // Bundled sections number their extensions alike (RFC 9143 §9.1).
    this.#feedbackId = Number(extensions.find(([, uri]) => uri === TRANSPORT_CC_URI)?.[0] ?? -1)
    this.#feedback = this.#feedbackId < 0 ? undefined : new TransportFeedback()
    this.#rtp = new RtpSession({
      media,
      participantId: options.participantId,
      target: options.target,
      ssrc: this.#ssrc,
      cname: randomUUID(),
      random: Math.random,
      send: (bytes) => this.#transport?.sendRtcp(bytes),
      onEvent: options.onEvent,
      sourceTimeoutUs: options.sourceTimeoutUs,
    })
  }

  get stats(): WhipSessionStats {
    const { undecryptable = 0 } = this.#transport ?? {}
    return { ...this.#rtp.stats, undecryptable, feedbackSent: this.#feedbackSent }
  }

  /** Media can come, or has come. */
  get isConnected(): boolean {
    return this.#connectedUs !== undefined
  }

  /** Connects over `transport`, in the background. */
  start(transport: SecureTransport): void {
    this.#transport = transport
    this.#arm()
    transport.connect().then(
      () => {
        if (this.#ended !== undefined) return
        this.#connectedUs = this.#heardUs = this.#clock.nowUs()
        this.#options.onEvent({ type: 'connected', sessionId: this.id })
      },
      () => this.#end('failed'),
    )
  }

  /** Takes a decrypted packet. */
  receive(bytes: Uint8Array): void {
    if (this.#ended !== undefined) return
    const nowUs = this.#clock.nowUs()
    this.#heardUs = nowUs
    if (this.#feedback !== undefined && !isRtcp(bytes)) this.#noteArrival(this.#feedback, bytes, nowUs)
    this.#rtp.receive(bytes, nowUs)
    this.#arm()
  }

  /** The publisher has shown that it is there. */
  heard(): void {
    this.#heardUs = this.#clock.nowUs()
  }

  addCandidates(candidates: readonly UdpCandidate[]): void {
    for (const candidate of candidates) this.#transport?.addRemoteCandidate(candidate)
  }

  /** Asks for a keyframe of every video track. */
  requestKeyframe(): void {
    this.#rtp.requestKeyframe()
  }

  /** Ends the tracks and the connection. */
  async close(reason: WhipEndReason = 'closed'): Promise<void> {
    this.#end(reason)
    await this.#ended
  }

  #end(reason: WhipEndReason): void {
    if (this.#ended !== undefined) return
    this.#cancelTimer?.()
    // BYE goes out first, while there is a way to send it.
    this.#rtp.close()
    this.#ended = this.#transport?.close() ?? Promise.resolve()
    this.#options.onEvent({ type: 'ended', sessionId: this.id, reason })
  }

  /** The transport has ended by itself. */
  transportClosed(reason: 'hung-up' | 'failed'): void {
    this.#end(reason)
  }

  #noteArrival(feedback: TransportFeedback, bytes: Uint8Array, nowUs: number): void {
    const packet = this.#packet
    if (packet.read(bytes) !== undefined) return
    const sequenceNumber = transportSequenceNumber(packet, this.#feedbackId)
    if (sequenceNumber < 0) return
    this.#mediaSsrc = packet.ssrc
    feedback.received(sequenceNumber, nowUs)
    if (this.#feedbackUs === Number.POSITIVE_INFINITY) this.#feedbackUs = nowUs + FEEDBACK_US
  }

  #tick(nowUs: number): void {
    this.#rtp.tick(nowUs)
    if (nowUs >= this.#feedbackUs) {
      this.#feedbackUs = Number.POSITIVE_INFINITY
      this.#feedback?.flush(this.#ssrc, this.#mediaSsrc, (bytes) => {
        this.#feedbackSent++
        this.#transport?.sendRtcp(bytes)
      })
    }
    if (nowUs < this.#checkUs) return
    this.#checkUs = nowUs + CHECK_US
    const { connectTimeoutUs, idleTimeoutUs } = this.#options
    if (this.#connectedUs === undefined) {
      if (nowUs - this.#startedUs >= connectTimeoutUs) this.#end('not-connected')
    } else if (nowUs - this.#heardUs >= idleTimeoutUs) this.#end('idle')
  }

  #arm(): void {
    const deadlineUs = Math.min(this.#rtp.nextDeadline() ?? this.#checkUs, this.#feedbackUs, this.#checkUs)
    if (this.#ended !== undefined || deadlineUs >= this.#armedUs) return
    this.#cancelTimer?.()
    this.#armedUs = deadlineUs
    this.#cancelTimer = this.#clock.schedule(deadlineUs, () => {
      this.#armedUs = Number.POSITIVE_INFINITY
      this.#tick(this.#clock.nowUs())
      this.#arm()
    })
  }
}
