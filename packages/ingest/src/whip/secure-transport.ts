import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { isRtcp } from '@rushes/rtp-depacketizer'
import {
  defaultPeerConfig,
  IceCandidate,
  isMedia,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  type IceOptions as WeriftIceOptions,
} from 'werift'
import type { LocalTransport } from './answer.js'
import { announced, type IceAddresses } from './ice-addresses.js'
import type { UdpCandidate } from './ice-candidate.js'
import type { Offer } from './offer.js'

/** What a transport tells of. */
export interface SecureTransportEvents {
  /** RTP or RTCP, decrypted; the bytes belong to the receiver. */
  readonly onPacket: (bytes: Uint8Array) => void
  /** A connectivity check of the peer: it is still there. */
  readonly onCheck: () => void
  /** The peer has closed the connection, or it failed. */
  readonly onClosed: (reason: 'hung-up' | 'failed') => void
}

/** No publisher has more addresses; each costs checks with each of ours, until there is a connection. */
const MAX_REMOTE_CANDIDATES = 64
/** A second of 30 Mbit/s: the system's default holds hardly one large keyframe. */
const RECEIVE_BUFFER_BYTES = 4_194_304

/**
 * ICE, DTLS and SRTP with one peer (RFC 8445, RFC 5764, RFC 3711), done by werift. Only its transports are used: media
 * goes from the decryption straight to our own session, whose repair and reports know more than werift's.
 */
export class SecureTransport {
  readonly #ice: RTCIceTransport
  readonly #dtls: PlainMediaDtls
  readonly #addresses: IceAddresses
  readonly #events: SecureTransportEvents
  #remoteCandidates = 0
  #closed = false

  constructor(addresses: IceAddresses, events: SecureTransportEvents) {
    this.#addresses = addresses
    this.#events = events
    const gatherer = new RTCIceGatherer(this.#options())
    // werift's four digits are too few for a name that nobody must guess.
    gatherer.connection.localUsername = randomBytes(9).toString('base64')
    gatherer.connection.localPassword = randomBytes(18).toString('base64')
    // By default werift asks a public server for our address: five seconds where it cannot be reached, and nobody else
    // needs to know who publishes when.
    delete gatherer.connection.stunServer
    this.#ice = new RTCIceTransport(gatherer)
    this.#dtls = new PlainMediaDtls(this.#ice, (bytes) => events.onPacket(bytes))
  }

  /** Packets that could not be decrypted. */
  get undecryptable(): number {
    return this.#dtls.undecryptable
  }

  get isConnected(): boolean {
    return this.#dtls.state === 'connected'
  }

  /** Opens ports, takes over what the offer says, and returns our side; no candidates: no port could be had. */
  async prepare(offer: Offer): Promise<LocalTransport> {
    this.#dtls.localCertificate = await RTCDtlsTransport.SetupCertificate()
    this.#ice.connection.iceControlling = offer.iceLite
    const { usernameFragment, password, iceLite } = offer
    this.#ice.setRemoteParams(new RTCIceParameters({ usernameFragment, password, iceLite }))
    const setup = offer.setup === 'active' ? 'passive' : 'active'
    this.#dtls.role = setup === 'active' ? 'client' : 'server'
    const fingerprints = offer.fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value))
    this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, setup === 'active' ? 'server' : 'client'))
    await this.#ice.gather()
    this.#prepareSockets()
    for (const candidate of offer.candidates) this.addRemoteCandidate(candidate)
    const [fingerprint] = this.#dtls.localParameters.fingerprints
    const { localUsername, localPassword } = this.#ice.connection
    return {
      usernameFragment: localUsername,
      password: localPassword,
      fingerprint: { algorithm: fingerprint?.algorithm ?? '', value: fingerprint?.value ?? '' },
      setup,
      candidates: this.#localCandidates(),
    }
  }

  /** Connects; resolves once media can come. Rejects where it failed, or where it was closed before. */
  async connect(): Promise<void> {
    this.#dtls.onStateChange.subscribe((state) => {
      if (this.#closed || (state !== 'closed' && state !== 'failed')) return
      this.#events.onClosed(state === 'closed' ? 'hung-up' : 'failed')
    })
    await this.#ice.start()
    await this.#dtls.start()
  }

  /** Takes a candidate that came later. */
  addRemoteCandidate({ foundation, address, port, priority, type }: UdpCandidate): void {
    if (this.isConnected || this.#remoteCandidates >= MAX_REMOTE_CANDIDATES) return
    this.#remoteCandidates++
    const candidate = new IceCandidate(1, foundation, address, port, priority, 'udp', type)
    void this.#ice.addRemoteCandidate(candidate)?.catch(() => {})
  }

  /** Encrypts and sends RTCP; before the connection is there it goes nowhere. */
  sendRtcp(bytes: Uint8Array): void {
    if (this.#closed || !this.#dtls.srtpStarted) return
    const encrypted = this.#dtls.srtcp.encrypt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    void this.#ice.connection.send(encrypted).catch(() => {})
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#dtls.stop().catch(() => {})
  }

  #options(): Partial<WeriftIceOptions> {
    const { listen, portRange } = this.#addresses
    const only = (family: boolean): string | undefined => {
      const list = listen.filter((address) => isIPv4(address) === family)
      return list.length === 1 ? list[0] : undefined
    }
    const [udp4, udp6] = [only(true), only(false)]
    return {
      // The list is ours: with its own, loopback and chosen addresses could not be told apart.
      useIpv4: false,
      useIpv6: false,
      additionalHostAddresses: [...listen],
      interfaceAddresses: { ...(udp4 === undefined ? {} : { udp4 }), ...(udp6 === undefined ? {} : { udp6 }) },
      ...(portRange === undefined ? {} : { portRange: [portRange[0], portRange[1]] }),
      // werift does not verify what a check says, so that at least the name must be ours: nobody else knows it.
      filterStunResponse: (message) => {
        const name = String(message.getAttributeValue('USERNAME') ?? '')
        const { localUsername, remoteUsername } = this.#ice.connection
        if (name !== `${localUsername}:${remoteUsername}`) return false
        this.#events.onCheck()
        return true
      },
    }
  }

  #localCandidates(): UdpCandidate[] {
    return this.#ice.localCandidates.flatMap(({ foundation, priority, ip, port }) =>
      announced(ip, this.#addresses).map((address) => ({ foundation, priority, address, port, type: 'host' as const })),
    )
  }

  /** werift's sockets have small buffers, and without a listener an error of theirs would end the process. */
  #prepareSockets(): void {
    const { protocols } = this.#ice.connection as unknown as { protocols?: readonly WeriftProtocol[] }
    for (const { transport } of protocols ?? []) {
      transport?.socket?.on('error', () => {})
      try {
        transport?.socket?.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
      } catch {
        // The system may refuse: then there are more losses to repair.
      }
    }
  }
}

interface WeriftProtocol {
  readonly transport?: {
    readonly socket?: { on(event: 'error', listener: () => void): void; setRecvBufferSize(bytes: number): void }
  }
}

/** DTLS whose media is passed on as bytes, and not taken apart. */
class PlainMediaDtls extends RTCDtlsTransport {
  undecryptable = 0
  readonly #onPacket: (bytes: Uint8Array) => void

  constructor(ice: RTCIceTransport, onPacket: (bytes: Uint8Array) => void) {
    super({ ...defaultPeerConfig }, ice, undefined, [
      ProtectionProfileAeadAes128Gcm,
      ProtectionProfileAes128CmHmacSha1_80,
    ])
    this.#onPacket = onPacket
  }

  override startSrtp(): void {
    if (this.srtpStarted) return
    this.srtpStarted = true
    this.updateSrtpSession()
    this.iceTransport.connection.onData.subscribe((data) => this.#receive(data))
  }

  #receive(data: Buffer): void {
    if (data.byteLength < 8 || !isMedia(data)) return
    let plain: Buffer
    try {
      plain = isRtcp(data) ? this.srtcp.decrypt(data) : this.srtp.decrypt(data)
    } catch {
      this.undecryptable++
      return
    }
    // Not the Buffer itself: whoever slices it would get a view where a copy is meant.
    this.#onPacket(new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength))
  }
}
