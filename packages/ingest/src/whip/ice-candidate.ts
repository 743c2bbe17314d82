import { isIP } from 'node:net'
import type { ParsedCandidate } from '../sdp/parsed-sdp.js'

/** Where a peer can be reached: a UDP candidate with an address of numbers (RFC 8839 §5.1). */
export interface UdpCandidate {
  readonly foundation: string
  readonly priority: number
  readonly address: string
  readonly port: number
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay'
}

/** No publisher has more addresses; each costs checks with each of ours. */
const MAX_CANDIDATES = 32
const TYPES: ReadonlySet<string> = new Set(['host', 'srflx', 'prflx', 'relay'])

/**
 * Those that can be used: UDP, first component, numeric address, each once. Names (`….local`) are passed over: whoever
 * hides its address behind one reaches us first, and is known from then on.
 */
export function usableCandidates(parsed: readonly ParsedCandidate[]): UdpCandidate[] {
  const usable = new Map<string, UdpCandidate>()
  for (const { foundation, component, transport, priority, ip, port, type } of parsed) {
    if (component !== 1 || transport.toLowerCase() !== 'udp' || !TYPES.has(type)) continue
    if (typeof ip !== 'string' || isIP(ip) === 0) continue
    if (!Number.isInteger(port) || port < 1 || port > 65_535) continue
    const rank = Number(priority)
    if (!Number.isInteger(rank) || rank < 0 || rank > 0xffff_ffff) continue
    const candidate = { foundation: String(foundation), priority: rank, address: ip, port }
    usable.set(`${ip} ${port}`, { ...candidate, type: type as UdpCandidate['type'] })
    if (usable.size === MAX_CANDIDATES) break
  }
  return [...usable.values()]
}

/** The attribute line of a candidate of ours, without line end. */
export function candidateLine({ foundation, priority, address, port, type }: UdpCandidate): string {
  return `a=candidate:${foundation} 1 udp ${priority} ${address} ${port} typ ${type}`
}
