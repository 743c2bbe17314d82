export { createUdpIngest, type UdpEndpoint, type UdpIngest, type UdpIngestStats } from './udp-ingest.js'
export type { UdpIngestOptions, UdpRemote, UdpStream } from './udp-options.js'
