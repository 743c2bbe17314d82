import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** What the network does to RTP. Chances from 0 to 1. */
export interface Impairment {
  readonly loss: number
  /** Packets held for `delayMs`, so that later ones overtake them. */
  readonly delayed?: number
  readonly delayMs?: number
  readonly seed: number
  /** Packets that come through unharmed at the beginning. */
  readonly sparesFirst?: number
  /** Decides what may be dropped: by default everything. */
  readonly mayDrop?: (packet: Uint8Array) => boolean
}

export interface Relay {
  /** Where the sender sends. */
  readonly rtpPort: number
  readonly rtcpPort: number
  /** Packets go there from now on. */
  connect(to: { readonly port: number; readonly rtcpPort: number }): void
  readonly stats: { rtp: number; dropped: number; droppedNumbers: number[] }
  close(): void
}

/** mulberry32: small, seeded, good enough to drop packets. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/**
 * A bad network between a sender and the ingest's ports: RTP suffers; RTCP passes, that of the ingest to
 * `senderRtcpPort`.
 */
export async function lossyRelay(senderRtcpPort: number, impairment: Impairment): Promise<Relay> {
  let to = { port: 9, rtcpPort: 9 }
  const random = generator(impairment.seed)
  const [rtp, rtcp] = await Promise.all([bound(), bound()])
  const stats: Relay['stats'] = { rtp: 0, dropped: 0, droppedNumbers: [] }
  let isClosed = false
  const forward = (bytes: Uint8Array): void => {
    if (!isClosed) rtp.send(bytes, to.port, '127.0.0.1')
  }
  rtp.on('message', (bytes) => {
    stats.rtp++
    const isSpared = stats.rtp <= (impairment.sparesFirst ?? 0)
    if (!isSpared && (impairment.mayDrop?.(bytes) ?? true) && random() < impairment.loss) {
      stats.dropped++
      stats.droppedNumbers.push(bytes.readUInt16BE(2))
    } else if (!isSpared && random() < (impairment.delayed ?? 0)) {
      setTimeout(() => forward(bytes), impairment.delayMs ?? 5)
    } else forward(bytes)
  })
  rtcp.on('message', (bytes, { port }) => {
    const target = port === to.rtcpPort ? senderRtcpPort : to.rtcpPort
    rtcp.send(bytes, target, '127.0.0.1')
  })
  return {
    rtpPort: rtp.address().port,
    rtcpPort: rtcp.address().port,
    stats,
    connect(endpoint) {
      to = { port: endpoint.port, rtcpPort: endpoint.rtcpPort }
    },
    close() {
      isClosed = true
      rtp.close()
      rtcp.close()
    },
  }
}
