export { WhipError, type WhipErrorCode } from './errors.js'
export type { IceOptions } from './ice-addresses.js'
export { whipEndpoint } from './whip-endpoint.js'
export type {
  WhipAcceptance,
  WhipEndpointOptions,
  WhipIceServer,
  WhipPublication,
  WhipRefusal,
} from './whip-options.js'
export { startWhipServer, type WhipServer, type WhipServerOptions } from './whip-server.js'
export type { WhipEndReason, WhipEvent, WhipSession, WhipSessionStats } from './whip-session.js'
