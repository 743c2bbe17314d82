import { isRtcpPacket } from '../rtpdump.js'
import { viewOf } from './capture-input.js'
import type { Datagram } from './datagram.js'
import type { PacketSample } from './guess-format.js'
import { rtcpSendersOf } from './rtcp-senders.js'

/** A stream of RTP packets in a capture. */
export interface RtpStream {
  /** As `streamKey` makes it. */
  readonly key: string
  readonly source: string
  readonly destination: string
  readonly sourceHost: string
  readonly destinationHost: string
  readonly destinationPort: number
  readonly ssrc: number
  /** The payload type of most packets. */
  readonly payloadType: number
  readonly packets: number
  readonly firstUs: number
  readonly lastUs: number
  readonly samples: readonly PacketSample[]
  readonly cname?: string
  /** A DTLS handshake was seen between the two: the payloads are encrypted (RFC 5764). */
  readonly encrypted: boolean
}

/** Why a datagram was not used. */
export type DatagramKind = 'stun' | 'dtls' | 'turn' | 'not-rtp' | 'bad-rtcp' | 'rtcp-without-stream' | 'not-a-stream'

/** Samples for guessing: about a second of video. */
const SAMPLES = 100
const SAMPLE_BYTES = 32
/** Candidates beyond this are noise that looks like RTP; the smallest are dropped. */
const MAX_CANDIDATES = 4096
/** RFC 3550 appendix A.1. */
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
/** Shares of packets that follow each other, and that have one payload type, in what is taken for a stream. */
const MIN_SEQUENTIAL = 0.9
const MIN_ONE_TYPE = 0.5

interface Candidate {
  readonly datagram: Datagram
  readonly ssrc: number
  readonly payloadTypes: Map<number, number>
  readonly samples: (PacketSample & { readonly payloadType: number })[]
  readonly firstUs: number
  lastUs: number
  packets: number
  sequential: number
  lastSequenceNumber: number
}

/** Finds the RTP streams in datagrams: first `push` all of them, then ask. */
export class RtpStreamFinder {
  readonly #candidates = new Map<string, Candidate>()
  readonly #cnames = new Map<string, string>()
  readonly #encrypted = new Set<string>()

  /** `undefined` for RTP and RTCP; else what the datagram is (RFC 7983 §7). */
  push(datagram: Datagram, timestampUs: number): DatagramKind | undefined {
    const { payload } = datagram
    const first = payload[0] ?? 255
    if (first <= 3) return 'stun'
    if (first >= 20 && first <= 63) {
      this.#encrypted.add(pairOf(datagram)).add(pairOf(reversed(datagram)))
      return 'dtls'
    }
    if (first >= 64 && first <= 79) return 'turn'
    if (first >>> 6 !== 2 || payload.byteLength < 8) return 'not-rtp'
    if (isRtcpPacket(payload)) {
      const senders = rtcpSendersOf(payload)
      if (senders === undefined) return 'bad-rtcp'
      for (const { ssrc, cname } of senders.cnames) this.#cnames.set(`${datagram.sourceHost} ${ssrc}`, cname)
      return undefined
    }
    const rtpPayload = rtpPayloadOf(payload)
    if (rtpPayload === undefined) return 'not-rtp'
    this.#count(datagram, timestampUs, rtpPayload)
    return undefined
  }

  /** What has at least `minPackets` packets and behaves like a stream, by time of its first packet. */
  streams(minPackets: number): readonly RtpStream[] {
    const found: RtpStream[] = []
    for (const [key, candidate] of this.#candidates) {
      const { datagram, ssrc, packets, firstUs, lastUs, samples } = candidate
      const [payloadType, ofType] = mostFrequent(candidate.payloadTypes)
      if (packets < minPackets || ofType < packets * MIN_ONE_TYPE) continue
      if (candidate.sequential < (packets - 1) * MIN_SEQUENTIAL) continue
      const cname = this.#cnames.get(`${datagram.sourceHost} ${ssrc}`)
      found.push({
        key,
        source: addressOf(datagram.sourceHost, datagram.sourcePort),
        destination: addressOf(datagram.destinationHost, datagram.destinationPort),
        sourceHost: datagram.sourceHost,
        destinationHost: datagram.destinationHost,
        destinationPort: datagram.destinationPort,
        ssrc,
        payloadType,
        packets,
        firstUs,
        lastUs,
        samples: samples.filter((sample) => sample.payloadType === payloadType),
        ...(cname === undefined ? {} : { cname }),
        encrypted: this.#encrypted.has(pairOf(datagram)),
      })
    }
    return found.sort((one, other) => one.firstUs - other.firstUs)
  }

  #count(datagram: Datagram, timestampUs: number, payload: Uint8Array): void {
    const view = viewOf(datagram.payload)
    const [ssrc, sequenceNumber] = [view.getUint32(8), view.getUint16(2)]
    const payloadType = view.getUint8(1) & 127
    const key = streamKey(datagram, ssrc)
    let candidate = this.#candidates.get(key)
    if (candidate === undefined) {
      if (this.#candidates.size >= MAX_CANDIDATES) this.#dropSmallest()
      const { payload: _, ...addresses } = datagram
      candidate = {
        datagram: { ...addresses, payload: new Uint8Array(0) },
        ssrc,
        payloadTypes: new Map(),
        samples: [],
        firstUs: timestampUs,
        lastUs: timestampUs,
        packets: 0,
        sequential: 0,
        lastSequenceNumber: sequenceNumber,
      }
      this.#candidates.set(key, candidate)
    } else {
      const step = (sequenceNumber - candidate.lastSequenceNumber) & 0xffff
      if (step < MAX_DROPOUT || step > 0xffff - MAX_MISORDER) candidate.sequential += 1
      candidate.lastSequenceNumber = sequenceNumber
    }
    candidate.packets += 1
    candidate.lastUs = timestampUs
    candidate.payloadTypes.set(payloadType, (candidate.payloadTypes.get(payloadType) ?? 0) + 1)
    if (candidate.samples.length < SAMPLES) {
      const rtpTimestamp = view.getUint32(4)
      candidate.samples.push({ timestampUs, rtpTimestamp, payloadType, payload: payload.slice(0, SAMPLE_BYTES) })
    }
  }

  /** Noise has few packets for each SSRC: the smaller half goes. */
  #dropSmallest(): void {
    const bySize = [...this.#candidates].sort(([, one], [, other]) => one.packets - other.packets)
    for (const [key] of bySize.slice(0, MAX_CANDIDATES / 2)) this.#candidates.delete(key)
  }
}

/** Packets of one stream have the same. */
export function streamKey(datagram: Omit<Datagram, 'payload'>, ssrc: number): string {
  return `${pairOf(datagram)} ${ssrc}`
}

/** The payload without header and padding (RFC 3550 §5.1, §5.3.1), or `undefined` when the packet is no RTP. */
export function rtpPayloadOf(packet: Uint8Array): Uint8Array | undefined {
  if (packet.byteLength < 12) return undefined
  const first = packet[0] as number
  let start = 12 + (first & 15) * 4
  if ((first & 0x10) !== 0) {
    if (start + 4 > packet.byteLength) return undefined
    start += 4 + (((packet[start + 2] as number) << 8) | (packet[start + 3] as number)) * 4
  }
  const end = packet.byteLength - ((first & 0x20) === 0 ? 0 : (packet.at(-1) as number))
  return start > end ? undefined : packet.subarray(start, end)
}

function mostFrequent(counts: ReadonlyMap<number, number>): readonly [number, number] {
  let best: readonly [number, number] = [-1, 0]
  for (const entry of counts) if (entry[1] > best[1]) best = entry
  return best
}

function pairOf({ sourceHost, sourcePort, destinationHost, destinationPort }: Omit<Datagram, 'payload'>): string {
  return `${sourceHost} ${sourcePort} ${destinationHost} ${destinationPort}`
}

function reversed(datagram: Datagram): Datagram {
  return {
    sourceHost: datagram.destinationHost,
    sourcePort: datagram.destinationPort,
    destinationHost: datagram.sourceHost,
    destinationPort: datagram.sourcePort,
    payload: datagram.payload,
  }
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
