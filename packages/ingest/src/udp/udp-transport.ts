import type { RemoteInfo } from 'node:dgram'
import type { MonotonicClock } from '@rushes/media'
import type { IngestEvent } from '../session/ingest-event.js'
import { RtpSession, type RtpSessionOptions } from '../session/rtp-session.js'
import { PeerAddress } from './peer-address.js'
import type { UdpRemote } from './udp-options.js'
import type { UdpSockets } from './udp-sockets.js'

/** One RTP session on its sockets: what comes in goes to the session, what it says goes back to the sender. */
export class UdpTransport {
  readonly session: RtpSession
  readonly #clock: MonotonicClock
  readonly #onEvent: (event: IngestEvent) => void
  readonly #peer: PeerAddress
  #sockets: UdpSockets | undefined
  #cancelTimer: (() => void) | undefined
  #armedUs = Number.POSITIVE_INFINITY
  #sendErrors = 0

  constructor(options: Omit<RtpSessionOptions, 'send'>, remote: UdpRemote, clock: MonotonicClock) {
    this.#clock = clock
    this.#onEvent = options.onEvent
    this.#peer = new PeerAddress(remote, options.media[0]?.rtcpMux ?? false)
    this.session = new RtpSession({ ...options, send: (bytes) => this.#send(bytes) })
  }

  /** Datagrams from addresses that are not the sender's. */
  get foreign(): number {
    return this.#peer.foreign
  }

  /** RTCP that the system refused to send, or that had nowhere to go. */
  get sendErrors(): number {
    return this.#sendErrors
  }

  /** Granted by the system for each socket, in bytes. */
  get receiveBufferBytes(): number {
    return this.#sockets?.rtp.getRecvBufferSize() ?? 0
  }

  get addresses(): { readonly address: string; readonly port: number; readonly rtcpPort: number } {
    const rtp = this.#sockets?.rtp.address()
    const port = rtp?.port ?? 0
    return { address: rtp?.address ?? '', port, rtcpPort: this.#sockets?.rtcp?.address().port ?? port }
  }

  /** Takes over the sockets, whose datagrams go to `receive`. */
  attach(sockets: UdpSockets): void {
    this.#sockets = sockets
    const fail = (error: Error): void => this.#onEvent({ type: 'error', error })
    sockets.rtp.on('error', fail)
    sockets.rtcp?.on('error', fail)
  }

  readonly receive = (bytes: Uint8Array, from: RemoteInfo, isRtcpPort: boolean): void => {
    const nowUs = this.#clock.nowUs()
    if (!this.#peer.allows(from, isRtcpPort, nowUs)) {
      const { address, port } = from
      if (this.#peer.shouldTell(from)) this.#onEvent({ type: 'foreign-address', address, port })
      return
    }
    this.#peer.confirm(from, isRtcpPort, this.session.receive(bytes, nowUs), nowUs)
    this.#arm()
  }

  async close(): Promise<void> {
    this.session.close()
    this.#cancelTimer?.()
    const { rtp, rtcp } = this.#sockets ?? {}
    // A turn, so that the BYE is with the system before its socket goes.
    await Promise.all(
      [rtp, rtcp].map(
        (socket) =>
          new Promise<void>((resolve) => {
            if (socket === undefined) resolve()
            else setImmediate(() => socket.close(resolve))
          }),
      ),
    )
  }

  #send(bytes: Uint8Array): void {
    const target = this.#peer.rtcpTarget
    const socket = this.#sockets?.rtcp ?? this.#sockets?.rtp
    if (target === undefined || socket === undefined) {
      this.#sendErrors++
      return
    }
    // Without the callback an unreachable sender would be an error event of the socket.
    socket.send(bytes, target.port, target.address, (error) => {
      if (error !== null) this.#sendErrors++
    })
  }

  #arm(): void {
    const deadlineUs = this.session.nextDeadline()
    if (deadlineUs === undefined || deadlineUs >= this.#armedUs) return
    this.#cancelTimer?.()
    this.#armedUs = deadlineUs
    this.#cancelTimer = this.#clock.schedule(deadlineUs, () => {
      this.#armedUs = Number.POSITIVE_INFINITY
      this.session.tick(this.#clock.nowUs())
      this.#arm()
    })
  }
}
