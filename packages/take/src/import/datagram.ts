import { viewOf } from './capture-input.js'
import type { CapturedFrame } from './capture-stats.js'

/** One UDP datagram. */
export interface Datagram {
  /** IP addresses as text. */
  readonly sourceHost: string
  readonly sourcePort: number
  readonly destinationHost: string
  readonly destinationPort: number
  readonly payload: Uint8Array
}

/** Why a frame gave no datagram. */
export type DatagramFault =
  /** A link type that is not read. */
  | 'unknown-link'
  /** ARP and the like. */
  | 'not-ip'
  /** TCP and the like. */
  | 'not-udp'
  /** A part of a datagram: fragments are not put together. */
  | 'fragment'
  /** The capture kept only the beginning of the frame. */
  | 'cut-short'
  | 'malformed'

const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd
const vlanTypes: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100])
/** AF_INET6 of the systems that write such captures. */
const inet6Families: ReadonlySet<number> = new Set([10, 24, 28, 30])
const UDP = 17
/** Hop-by-hop options, routing, destination options. */
const skippedHeaders: ReadonlySet<number> = new Set([0, 43, 60])
const IPV6_FRAGMENT = 44

/** The UDP datagram in a frame: Ethernet with VLAN tags, Linux cooked (both versions), raw IP, BSD loopback. */
export function datagramOf({ linkType, data }: CapturedFrame): Datagram | DatagramFault {
  const view = viewOf(data)
  try {
    switch (linkType) {
      case 1:
        return etherTyped(view, 12)
      case 113:
        return etherTyped(view, 14)
      case 276:
        // The protocol stands first, the addresses behind it.
        return network(view, 20, view.getUint16(0))
      case 0:
      case 108: {
        // The family is in the byte order of the machine that captured (NULL), or of the network (LOOP).
        const family = Math.min(view.getUint32(0), view.getUint32(0, true))
        return family === 2 ? ipv4(view, 4) : inet6Families.has(family) ? ipv6(view, 4) : 'not-ip'
      }
      case 12:
      case 14:
      case 101:
        return view.getUint8(0) >>> 4 === 6 ? ipv6(view, 0) : ipv4(view, 0)
      case 228:
        return ipv4(view, 0)
      case 229:
        return ipv6(view, 0)
      default:
        return 'unknown-link'
    }
  } catch (error) {
    // A DataView says so when a header goes beyond the end of what was captured.
    if (error instanceof RangeError) return 'cut-short'
    throw error
  }
}

function etherTyped(view: DataView, at: number): Datagram | DatagramFault {
  let type = view.getUint16(at)
  let end = at + 2
  while (vlanTypes.has(type)) {
    type = view.getUint16(end + 2)
    end += 4
  }
  return network(view, end, type)
}

function network(view: DataView, at: number, type: number): Datagram | DatagramFault {
  return type === ETHERTYPE_IPV4 ? ipv4(view, at) : type === ETHERTYPE_IPV6 ? ipv6(view, at) : 'not-ip'
}

/** RFC 791 §3.1. */
function ipv4(view: DataView, at: number): Datagram | DatagramFault {
  const first = view.getUint8(at)
  const headerBytes = (first & 15) * 4
  if (first >>> 4 !== 4 || headerBytes < 20) return 'malformed'
  if (view.getUint8(at + 9) !== UDP) return 'not-udp'
  if ((view.getUint16(at + 6) & 0x3fff) !== 0) return 'fragment'
  return udp(view, at + headerBytes, ipv4Text(view, at + 12), ipv4Text(view, at + 16))
}

/** RFC 8200 §3, §4. */
function ipv6(view: DataView, at: number): Datagram | DatagramFault {
  if (view.getUint8(at) >>> 4 !== 6) return 'malformed'
  let next = view.getUint8(at + 6)
  let end = at + 40
  while (skippedHeaders.has(next)) {
    next = view.getUint8(end)
    end += (view.getUint8(end + 1) + 1) * 8
  }
  if (next === IPV6_FRAGMENT) return 'fragment'
  return next === UDP ? udp(view, end, ipv6Text(view, at + 8), ipv6Text(view, at + 24)) : 'not-udp'
}

/** RFC 768. What is behind its length is padding of the link. */
function udp(view: DataView, at: number, sourceHost: string, destinationHost: string): Datagram | DatagramFault {
  const length = view.getUint16(at + 4)
  if (length < 8) return 'malformed'
  if (at + length > view.byteLength) return 'cut-short'
  const payload = new Uint8Array(view.buffer, view.byteOffset + at + 8, length - 8)
  const [sourcePort, destinationPort] = [view.getUint16(at), view.getUint16(at + 2)]
  return { sourceHost, sourcePort, destinationHost, destinationPort, payload }
}

function ipv4Text(view: DataView, at: number): string {
  return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`
}

/** RFC 5952: lower case, the first of the longest runs of two or more zero groups shortened. */
function ipv6Text(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(at + index * 2).toString(16))
  let start = -1
  let longest = 1
  for (let from = 0; from < 8; from += 1) {
    let to = from
    while (groups[to] === '0') to += 1
    if (to - from > longest) [start, longest] = [from, to - from]
  }
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`
}
