import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Random, seededRandom } from '../long/seeded-random.js'

/** What a relay does to packets. */
export interface RelayOptions {
  /** UDP port of the server, on loopback. */
  readonly serverPort: number
  /** Share of SRTP and SRTCP packets that get lost, each way, from 0 to 1. */
  readonly lossRate: number
  /** Least time on the way, one way, in milliseconds. */
  readonly delayMs: number
  /** Up to so much more, anew for each packet, so that packets overtake each other. */
  readonly jitterMs: number
  readonly seed: number
}

/** Packets of one direction. */
export interface RelayCounters {
  /** STUN and DTLS: they are delayed, and never lost. */
  readonly control: number
  readonly rtp: number
  readonly rtcp: number
  readonly rtpLost: number
  readonly rtcpLost: number
  /** Forwarded after one that had come later. */
  readonly overtaken: number
}

/** One SSRC on its way to the server. Everything that is read of a packet is outside its encryption. */
export interface RelayedStream {
  readonly ssrc: number
  readonly payloadTypes: ReadonlySet<number>
  /** Sequence numbers that the browser sent, each once. */
  readonly sent: ReadonlySet<number>
  /** Of those: what never left the relay. */
  readonly lost: ReadonlySet<number>
  /** Of those: what has the padding bit, as packets have that carry nothing else. */
  readonly padded: ReadonlySet<number>
  /** Timestamps of packets without padding: of video one for each picture. */
  readonly timestamps: ReadonlySet<number>
}

interface Counting {
  control: number
  rtp: number
  rtcp: number
  rtpLost: number
  rtcpLost: number
  overtaken: number
  readonly random: Random
  count: number
  newest: number
}

interface Stream {
  readonly ssrc: number
  readonly payloadTypes: Set<number>
  readonly sent: Set<number>
  readonly lost: Set<number>
  readonly padded: Set<number>
  readonly timestamps: Set<number>
}

/** The path between a browser and a server, both on loopback: it loses, delays and reorders, the same by each seed. */
export class LossyRelay {
  readonly #options: RelayOptions
  readonly #front: Socket = openSocket()
  /** For each address of the browser a socket of its own, so that the server can tell them apart. */
  readonly #backs = new Map<string, Socket>()
  readonly #streams = new Map<number, Stream>()
  readonly #toServer: Counting
  readonly #toBrowser: Counting
  readonly #onTheWay = new Set<NodeJS.Timeout>()
  #isClosed = false

  private constructor(options: RelayOptions) {
    this.#options = options
    this.#toServer = counting(options.seed)
    this.#toBrowser = counting(options.seed + 1)
    this.#front.on('message', (bytes, { port, address }) => {
      const back = this.#backOf(address, port)
      this.#note(bytes)
      this.#pass(bytes, this.#toServer, () => back.send(bytes, options.serverPort, '127.0.0.1'))
    })
  }

  static async open(options: RelayOptions): Promise<LossyRelay> {
    const relay = new LossyRelay(options)
    relay.#front.bind(0, '127.0.0.1')
    await once(relay.#front, 'listening')
    return relay
  }

  /** Where the browser sends to, on loopback. */
  get port(): number {
    return this.#front.address().port
  }

  get stats(): { readonly toServer: RelayCounters; readonly toBrowser: RelayCounters } {
    return { toServer: countersOf(this.#toServer), toBrowser: countersOf(this.#toBrowser) }
  }

  get streams(): readonly RelayedStream[] {
    return [...this.#streams.values()]
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#onTheWay) clearTimeout(timer)
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close()
  }

  #backOf(address: string, port: number): Socket {
    const name = `${address} ${port}`
    const known = this.#backs.get(name)
    if (known !== undefined) return known
    const back = openSocket()
    // Sending binds it to loopback's address, since that is where it sends to.
    back.on('message', (bytes) => this.#pass(bytes, this.#toBrowser, () => this.#front.send(bytes, port, address)))
    back.on('error', () => {})
    this.#backs.set(name, back)
    return back
  }

  #pass(bytes: Buffer, way: Counting, send: () => void): void {
    const kind = kindOf(bytes)
    way[kind]++
    // Drawn for every packet, so that what happens to one does not hang on the others.
    const isLost = way.random.next() < this.#options.lossRate
    const delayMs = this.#options.delayMs + way.random.next() * this.#options.jitterMs
    if (isLost && kind !== 'control') {
      if (kind === 'rtcp') way.rtcpLost++
      else {
        way.rtpLost++
        if (way === this.#toServer) this.#streams.get(bytes.readUInt32BE(8))?.lost.add(bytes.readUInt16BE(2))
      }
      return
    }
    const order = way.count++
    const timer = setTimeout(() => {
      this.#onTheWay.delete(timer)
      if (order < way.newest) way.overtaken++
      else way.newest = order
      send()
    }, delayMs)
    this.#onTheWay.add(timer)
  }

  #note(bytes: Buffer): void {
    if (kindOf(bytes) !== 'rtp') return
    const ssrc = bytes.readUInt32BE(8)
    let stream = this.#streams.get(ssrc)
    if (stream === undefined) {
      const sets = { payloadTypes: new Set<number>(), timestamps: new Set<number>() }
      stream = { ssrc, ...sets, sent: new Set(), lost: new Set(), padded: new Set() }
      this.#streams.set(ssrc, stream)
    }
    const sequence = bytes.readUInt16BE(2)
    stream.payloadTypes.add(bytes.readUInt8(1) & 0x7f)
    stream.sent.add(sequence)
    if ((bytes.readUInt8(0) & 0x20) !== 0) stream.padded.add(sequence)
    else stream.timestamps.add(bytes.readUInt32BE(4))
  }
}

/** With room for what comes while the process does something else: a loss here would be nobody's. */
function openSocket(): Socket {
  return createSocket({ type: 'udp4', recvBufferSize: 1_048_576 })
}

/** RFC 7983 §7 tells media from STUN and DTLS, RFC 5761 §4 tells RTCP from RTP. */
function kindOf(bytes: Buffer): 'control' | 'rtp' | 'rtcp' {
  const first = bytes[0] ?? 0
  if (bytes.byteLength < 12 || first < 128 || first > 191) return 'control'
  const second = bytes[1] ?? 0
  return second >= 192 && second <= 223 ? 'rtcp' : 'rtp'
}

function counting(seed: number): Counting {
  const random = seededRandom(seed)
  return { control: 0, rtp: 0, rtcp: 0, rtpLost: 0, rtcpLost: 0, overtaken: 0, random, count: 0, newest: -1 }
}

function countersOf({ control, rtp, rtcp, rtpLost, rtcpLost, overtaken }: Counting): RelayCounters {
  return { control, rtp, rtcp, rtpLost, rtcpLost, overtaken }
}
