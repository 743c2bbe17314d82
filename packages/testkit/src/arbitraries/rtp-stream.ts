import type { AccessUnit, AudioFrame, Track } from '@rushes/media'
import fc from 'fast-check'
import { type AudioFramesOptions, audioFrames } from './audio-frames.js'
import { type H264StreamOptions, h264Stream } from './h264-stream.js'
import { packetizeH264, packetizeOpus, paddingPacket, type SentPacket } from './packetize.js'

/** What a network does to the packets. */
export interface NetworkOptions {
  /** Packets that never come, alone and in bursts. @defaultValue true */
  readonly loss?: boolean
  /** Packets that come twice. @defaultValue true */
  readonly duplicates?: boolean
  /** How many packets later than its turn a packet may come, 0 for never. @defaultValue 16 */
  readonly reorderWindow?: number
  /** Packets with padding only, between units. @defaultValue true */
  readonly padding?: boolean
}

/** What source, and what network. */
export type RtpStreamOptions = NetworkOptions &
  (({ readonly codec: 'h264' } & H264StreamOptions) | ({ readonly codec: 'opus' } & Omit<AudioFramesOptions, 'codec'>))

/** What became of a unit on its way. */
export interface Carried {
  /** Unwrapped sequence numbers of its packets. */
  readonly firstSequence: number
  readonly lastSequence: number
  /** Packets of it that never came. */
  readonly lostPackets: number
}

/** A generated RTP stream: what was sent, and what came. */
export interface RtpStream<Unit> {
  readonly track: Track
  readonly units: readonly (Unit & Carried)[]
  /** In the order in which they came, duplicates included. */
  readonly packets: readonly Uint8Array[]
  /** In the order in which they were sent. */
  readonly sent: readonly SentPacket[]
  /** Unwrapped sequence numbers of the packets that never came, padding included, ascending. */
  readonly lost: readonly number[]
  /** No packet comes more than this many places after one that was sent later. */
  readonly reorderWindow: number
}

interface Fault {
  readonly at: number
  readonly kind: 'lose' | 'duplicate' | 'delay'
  readonly by: number
}

interface NetworkSeed {
  readonly faults: readonly Fault[]
  readonly paddings: readonly { readonly at: number; readonly count: number; readonly size: number }[]
  readonly firstSequence: number
  readonly maxPayloadBytes: number
  readonly aggregate: boolean
}

/** Packets of an H264 source with a network in between. */
export function rtpStream(options: RtpStreamOptions & { readonly codec: 'h264' }): fc.Arbitrary<RtpStream<AccessUnit>>
/** Packets of an Opus source with a network in between. */
export function rtpStream(options: RtpStreamOptions & { readonly codec: 'opus' }): fc.Arbitrary<RtpStream<AudioFrame>>
export function rtpStream(options: RtpStreamOptions): fc.Arbitrary<RtpStream<AccessUnit> | RtpStream<AudioFrame>> {
  const network = networkSeed(options)
  if (options.codec === 'h264') {
    return fc.record({ stream: h264Stream(options), network }).map(({ stream, network: seed }) => {
      const { accessUnits, track } = stream
      return carry(track, accessUnits, packetizeH264(accessUnits, seed), seed, options)
    })
  }
  return fc.record({ stream: audioFrames({ ...options, codec: 'opus' }), network }).map(({ stream, network: seed }) => {
    const { frames, track } = stream
    return carry(track, frames, packetizeOpus(frames, seed), seed, options)
  })
}

function networkSeed(options: RtpStreamOptions): fc.Arbitrary<NetworkSeed> {
  const window = options.reorderWindow ?? 16
  const kinds: Fault['kind'][] = [
    ...(options.loss === false ? [] : ['lose' as const]),
    ...(options.duplicates === false ? [] : ['duplicate' as const]),
    ...(window === 0 ? [] : ['delay' as const]),
  ]
  return fc.record({
    faults:
      kinds.length === 0
        ? fc.constant([])
        : fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom(...kinds), by: fc.nat() }), { maxLength: 20 }),
    paddings:
      options.padding === false
        ? fc.constant([])
        : fc.array(
            fc.record({
              at: fc.nat(),
              count: fc.integer({ min: 1, max: 4 }),
              size: fc.integer({ min: 1, max: 255 }),
            }),
            { maxLength: 3 },
          ),
    firstSequence: options.wraps === true ? fc.integer({ min: 65_500, max: 65_535 }) : fc.nat(60_000),
    maxPayloadBytes: fc.integer({ min: 100, max: 1400 }),
    aggregate: fc.boolean(),
  })
}

function carry<Unit extends { readonly rtpTimestamp: number }>(
  track: Track,
  units: readonly Unit[],
  media: readonly SentPacket[],
  seed: NetworkSeed,
  options: NetworkOptions,
): RtpStream<Unit> {
  const reorderWindow = options.reorderWindow ?? 16
  const sent = withPadding(units, media, seed)
  const lost = new Set<number>()
  // Each delivery by the place at which it happens; a delay of n places puts it after the n packets behind it.
  const deliveries = sent.map((packet, index) => ({ packet, place: index }))
  for (const { at, kind, by } of seed.faults) {
    const index = at % sent.length
    const places = reorderWindow === 0 ? 0 : by % (reorderWindow + 1)
    const delivery = deliveries[index] as (typeof deliveries)[number]
    if (kind === 'lose') {
      const end = Math.min(index + (by % 4 === 0 ? (by % 10) + 1 : 1), sent.length)
      for (let i = index; i < end; i++) lost.add((sent[i] as SentPacket).extendedSequence)
    } else if (kind === 'delay') delivery.place = index + places + 0.5
    else deliveries.push({ packet: delivery.packet, place: index + places + 0.5 })
  }
  const delivered = deliveries
    .filter(({ packet }) => !lost.has(packet.extendedSequence))
    .sort((a, b) => a.place - b.place)
    .map(({ packet }) => packet.data)
  const carried = units.map((unit, index) => {
    const own = sent.filter((packet) => packet.unit === index).map((packet) => packet.extendedSequence)
    return {
      ...unit,
      firstSequence: own[0] as number,
      lastSequence: own[own.length - 1] as number,
      lostPackets: own.filter((sequence) => lost.has(sequence)).length,
    }
  })
  return { track, units: carried, packets: delivered, sent, lost: [...lost].sort((a, b) => a - b), reorderWindow }
}

/** Puts padding between units, where senders put it, with the timestamp of the unit before, and numbers all anew. */
function withPadding(
  units: readonly { readonly rtpTimestamp: number }[],
  media: readonly SentPacket[],
  seed: NetworkSeed,
): SentPacket[] {
  const sent: SentPacket[] = []
  const paddingAfter = new Map(seed.paddings.map(({ at, count, size }) => [at % units.length, { count, size }]))
  for (const [index, packet] of media.entries()) {
    const extendedSequence = seed.firstSequence + sent.length
    new DataView(packet.data.buffer).setUint16(2, extendedSequence % 2 ** 16)
    sent.push({ ...packet, extendedSequence })
    const padding = media[index + 1]?.unit === packet.unit ? undefined : paddingAfter.get(packet.unit)
    if (padding === undefined) continue
    const { rtpTimestamp } = units[packet.unit] as { rtpTimestamp: number }
    for (let i = 0; i < padding.count; i++) {
      sent.push(paddingPacket(padding.size, seed.firstSequence + sent.length, rtpTimestamp))
    }
  }
  return sent
}
