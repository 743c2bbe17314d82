import { randomBytes, randomInt } from 'node:crypto'
import { ConfigurationError, monotonicClock } from '@rushes/media'
import type { IngestMedia } from '../sdp/ingest-description.js'
import type { IngestEvent } from '../session/ingest-event.js'
import type { MediaStats, SessionStats } from '../session/session-stats.js'
import { checkUdpOptions, mediaOf, type UdpIngestOptions } from './udp-options.js'
import { openUdpSockets } from './udp-sockets.js'
import { UdpTransport } from './udp-transport.js'

/** Where one media section is received. */
export interface UdpEndpoint {
  readonly mid: string
  readonly kind: 'audio' | 'video'
  readonly address: string
  readonly port: number
  /** The same as `port` with rtcp-mux. */
  readonly rtcpPort: number
}

/** Counters of all sockets together, and of each media section. */
export interface UdpIngestStats extends SessionStats {
  /** Datagrams from addresses that are not the sender's. */
  readonly foreignAddress: number
  /** RTCP that could not be sent. */
  readonly sendErrors: number
  /** What the system granted for a socket, in bytes: asked for more, Linux gives `net.core.rmem_max`. */
  readonly receiveBufferBytes: number
  readonly media: readonly MediaStats[]
}

/** RTP on UDP ports, on its way into a recording. */
export interface UdpIngest {
  readonly endpoints: readonly UdpEndpoint[]
  readonly stats: UdpIngestStats
  /** Asks the sender for a keyframe of one section, or of all. Recordings ask by themselves. */
  requestKeyframe(mid?: string): void
  /** Says BYE, ends the tracks, closes the sockets. */
  close(): Promise<void>
}

/**
 * Receives plain RTP on UDP ports: from Janus (`rtp_forward`), mediasoup (PlainTransport), GStreamer, ffmpeg. Resolves
 * when the ports are open.
 * @throws ConfigurationError where an option is wrong or a port cannot be had
 */
export async function createUdpIngest(options: UdpIngestOptions): Promise<UdpIngest> {
  checkUdpOptions(options)
  const groups = groupsOf(mediaOf(options))
  if (options.ports !== undefined && options.ports.length !== groups.length) {
    throw new ConfigurationError('ports', `must give ${groups.length}, one for each transport`, options.ports.length)
  }
  const clock = options.clock ?? monotonicClock
  const shared = {
    participantId: options.participantId,
    target: options.target,
    cname: randomBytes(9).toString('base64url'),
    senderCname: randomBytes(9).toString('base64url'),
    random: Math.random,
    onEvent: options.onEvent ?? ((_: IngestEvent) => {}),
    nack: options.nack,
    keyframeRequests: options.keyframeRequests,
    maxBitrateBps: options.maxBitrateBps,
    sourceTimeoutUs: (options.sourceTimeoutMs ?? 10_000) * 1000,
  }
  const transports: UdpTransport[] = []
  try {
    for (const [index, media] of groups.entries()) {
      const first = media[0]
      if (first === undefined) continue
      const ssrc = randomInt(1, 2 ** 32)
      const transport = new UdpTransport({ ...shared, media, ssrc }, options.remote ?? {}, clock)
      const port = options.ports?.[index] ?? first.port
      const rtcpPort = first.rtcpMux
        ? undefined
        : options.ports === undefined
          ? first.rtcpPort
          : port === 0
            ? 0
            : port + 1
      const where = {
        address: options.bindAddress ?? '127.0.0.1',
        port,
        rtcpPort,
        receiveBufferBytes: options.receiveBufferBytes ?? 4_194_304,
        field: options.ports === undefined ? `port of section ${first.mid}` : `ports[${index}]`,
      }
      transport.attach(await openUdpSockets(where, transport.receive))
      transports.push(transport)
      if (options.announce === 'at-once') transport.session.announce()
    }
  } catch (error) {
    await Promise.all(transports.map((transport) => transport.close()))
    throw error
  }
  return ingestOf(transports, groups)
}

function ingestOf(transports: readonly UdpTransport[], groups: readonly (readonly IngestMedia[])[]): UdpIngest {
  const endpoints = transports.flatMap((transport, index) =>
    (groups[index] ?? []).map(({ mid, kind }) => ({ mid, kind, ...transport.addresses })),
  )
  const receiveBufferBytes = transports[0]?.receiveBufferBytes ?? 0
  let closing: Promise<void> | undefined
  return {
    endpoints,
    get stats() {
      const all = transports.map(({ session }) => session.stats)
      const sum = (of: (stats: SessionStats) => number): number => all.reduce((total, stats) => total + of(stats), 0)
      return {
        packets: sum(({ packets }) => packets),
        bytes: sum(({ bytes }) => bytes),
        rtcpPackets: sum(({ rtcpPackets }) => rtcpPackets),
        rtcpSent: sum(({ rtcpSent }) => rtcpSent),
        malformed: sum(({ malformed }) => malformed),
        unknownSsrc: sum(({ unknownSsrc }) => unknownSsrc),
        foreignAddress: transports.reduce((total, { foreign }) => total + foreign, 0),
        sendErrors: transports.reduce((total, { sendErrors }) => total + sendErrors, 0),
        receiveBufferBytes,
        media: all.flatMap(({ media }) => media),
      }
    },
    requestKeyframe: (mid) => {
      for (const { session } of transports) session.requestKeyframe(mid)
    },
    close: () => {
      closing ??= Promise.all(transports.map((transport) => transport.close())).then(() => {})
      return closing
    },
  }
}

/** The sections of each transport: those of one bundle together. */
function groupsOf(media: readonly IngestMedia[]): readonly (readonly IngestMedia[])[] {
  const groups = new Map<string, IngestMedia[]>()
  for (const section of media) {
    const key = section.bundle ?? `section ${section.mid}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [section])
    else group.push(section)
  }
  return [...groups.values()]
}
