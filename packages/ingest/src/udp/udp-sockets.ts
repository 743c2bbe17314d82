import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { ConfigurationError } from '@rushes/media'

/** The sockets of one transport; with rtcp-mux there is only the first. */
export interface UdpSockets {
  readonly rtp: Socket
  readonly rtcp: Socket | undefined
}

/** Takes a datagram, whose bytes now belong to the handler. */
export type DatagramHandler = (bytes: Uint8Array, from: RemoteInfo, isRtcpPort: boolean) => void

/** Attempts to find two free neighbouring ports. */
const MAX_ATTEMPTS = 32

/**
 * Opens the sockets of one transport. Free ports are chosen in pairs, the even one for RTP (RFC 3550 §11).
 * @throws ConfigurationError naming `field` where a port is taken or the address is not this machine's
 */
export async function openUdpSockets(
  where: {
    readonly address: string
    readonly port: number
    /** `undefined` with rtcp-mux. */
    readonly rtcpPort: number | undefined
    readonly receiveBufferBytes: number
    readonly field: string
  },
  onDatagram: DatagramHandler,
): Promise<UdpSockets> {
  const { address, port, rtcpPort, field } = where
  for (let attempt = 0; ; attempt++) {
    const rtp = await bind(address, port, where.receiveBufferBytes, field)
    const chosen = rtp.address().port
    const wanted = rtcpPort === 0 ? chosen + 1 : rtcpPort
    const isPair = port !== 0 || rtcpPort !== 0 || (chosen % 2 === 0 && chosen < 65_535)
    let rtcp: Socket | undefined
    try {
      if (wanted !== undefined && isPair) rtcp = await bind(address, wanted, undefined, field)
    } catch (error) {
      rtp.close()
      if (port !== 0 || attempt >= MAX_ATTEMPTS) throw error
      continue
    }
    if (!isPair) {
      rtp.close()
      if (attempt >= MAX_ATTEMPTS) throw new ConfigurationError(field, 'no two neighbouring ports are free')
      continue
    }
    rtp.on('message', (bytes, from) => onDatagram(viewOf(bytes), from, false))
    rtcp?.on('message', (bytes, from) => onDatagram(viewOf(bytes), from, true))
    return { rtp, rtcp }
  }
}

async function bind(
  address: string,
  port: number,
  receiveBufferBytes: number | undefined,
  field: string,
): Promise<Socket> {
  const type = isIPv6(address) ? 'udp6' : 'udp4'
  const socket = createSocket(
    receiveBufferBytes === undefined ? { type } : { type, recvBufferSize: receiveBufferBytes },
  )
  try {
    socket.bind({ address, port, exclusive: true })
    await once(socket, 'listening')
  } catch (cause) {
    socket.close()
    const error = new ConfigurationError(field, `cannot listen on ${address} port ${port}: ${(cause as Error).message}`)
    error.cause = cause
    throw error
  }
  return socket
}

/** Not the Buffer itself: whoever slices it would get a view where a copy is meant. */
function viewOf(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
