/** Candidates of session descriptions: by them it is decided that media takes the way through a relay, and no other. */

const CANDIDATE = /^a=candidate:(\S+) (\d+) (\S+) (\d+) (\S+) (\d+) typ (\S+).*$/gm

/** Whoever gets this learns where the other is from what comes (RFC 8445 §7.3.1.3, peer-reflexive). */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=candidate:.*\r?\n/gm, '')
}

/** The one UDP port on loopback that is named. @throws Error where there is another number of them */
export function loopbackPort(sdp: string): number {
  const ports = new Set<number>()
  for (const [, , , transport, , address, port] of sdp.matchAll(CANDIDATE)) {
    if (transport?.toLowerCase() === 'udp' && address === '127.0.0.1') ports.add(Number(port))
  }
  const [port] = ports
  if (port === undefined || ports.size !== 1) throw new Error(`${ports.size} ports on loopback instead of one`)
  return port
}

/** Names the relay where the server was named, and nothing else. */
export function throughRelay(sdp: string, relayPort: number): string {
  return sdp.replace(/^a=candidate:.*\r?\n/gm, (line) =>
    / 127\.0\.0\.1 \d+ typ /.test(line) ? line.replace(/ 127\.0\.0\.1 \d+ typ /, ` 127.0.0.1 ${relayPort} typ `) : '',
  )
}
