import { type AudioCodec, ConfigurationError, type TrackTarget, type VideoCodec } from '@rushes/media'
import type { FastifyRequest } from 'fastify'
import { type IceAddresses, type IceOptions, iceAddresses } from './ice-addresses.js'
import type { WhipEvent, WhipSession } from './whip-session.js'

/** Who wants to publish. */
export interface WhipPublication {
  /** Of the session that this will be; nobody can guess it. */
  readonly sessionId: string
  /** What follows the prefix in the URL, `undefined` where nothing does. */
  readonly stream: string | undefined
  readonly request: FastifyRequest
}

/** Where a publication goes. */
export interface WhipAcceptance {
  readonly target: TrackTarget
  readonly participantId: string
  readonly onEvent?: (event: WhipEvent) => void
  /** The session, for statistics and to end it. */
  readonly onSession?: (session: WhipSession) => void
}

/** A publication is not wanted; the reason is sent to the publisher. */
export interface WhipRefusal {
  readonly refuse: string
}

/** A STUN or TURN server that publishers may use (RFC 9725 §4.6). */
export interface WhipIceServer {
  /** `stun:…`, `turn:…` or `turns:…`. */
  readonly url: string
  readonly username?: string
  readonly credential?: string
}

/** Options of `whipEndpoint`. */
export interface WhipEndpointOptions {
  /** Decides where a publication goes, or refuses it. What it throws is answered with 500 and told to `onError`. */
  readonly onPublish: (
    publication: WhipPublication,
  ) => WhipAcceptance | WhipRefusal | Promise<WhipAcceptance | WhipRefusal>
  /**
   * Whether a request may be made, by its bearer token (RFC 6750): asked for every request but OPTIONS.
   * @defaultValue everybody may
   */
  readonly authorize?: (request: FastifyRequest, token: string | undefined) => boolean | Promise<boolean>
  readonly ice?: IceOptions
  /** Told to publishers in `Link` headers. @defaultValue [] */
  readonly iceServers?: readonly WhipIceServer[]
  /** Sessions at the same time. @defaultValue 100 */
  readonly maxSessions?: number
  /** Bytes of an offer. @defaultValue 65,536 */
  readonly maxOfferBytes?: number
  /** Time for a connection to come about, in milliseconds. @defaultValue 30,000 */
  readonly connectTimeoutMs?: number
  /** Silence, connectivity checks included, that ends a session, in milliseconds. @defaultValue 15,000 */
  readonly idleTimeoutMs?: number
  /** Silence of one track that ends it, in milliseconds. @defaultValue 10,000 */
  readonly sourceTimeoutMs?: number
  /** Those that are taken, best first. @defaultValue all, in the publisher's order */
  readonly videoCodecs?: readonly VideoCodec[]
  readonly audioCodecs?: readonly AudioCodec[]
  /**
   * Takes RED (RFC 2198) where it is offered: about twice the bit rate of sound, and single losses leave no gap. Not with
   * Chromium where sync counts: with RED its sender reports of the sound are 30 to 90 ms off. @defaultValue false
   */
  readonly audioRedundancy?: boolean
  /** Ask that silence be not sent. @defaultValue true */
  readonly opusDtx?: boolean
  /** Ceiling of each video track, in bits per second. @defaultValue none */
  readonly maxVideoBitrateBps?: number
  /** `Access-Control-Allow-Origin`; `null` sends no CORS headers. @defaultValue '*' */
  readonly allowOrigin?: string | null
  /** What failed here and not at the publisher. */
  readonly onError?: (error: Error) => void
}

/** Options with their defaults. */
export interface WhipSettings {
  readonly addresses: IceAddresses
  readonly maxSessions: number
  readonly maxOfferBytes: number
  readonly connectTimeoutUs: number
  readonly idleTimeoutUs: number
  readonly sourceTimeoutUs: number
}

/** Checks options. @throws ConfigurationError */
export function whipSettings(options: WhipEndpointOptions): WhipSettings {
  if (typeof options.onPublish !== 'function') throw new ConfigurationError('onPublish', 'must be a function')
  for (const [index, { url }] of (options.iceServers ?? []).entries()) {
    // Into a header goes only what cannot end it.
    if (!/^(stuns?|turns?):[^\s<>"]+$/.test(url)) {
      throw new ConfigurationError(`iceServers[${index}].url`, 'must be a stun:, turn: or turns: URL', url)
    }
  }
  positive('maxVideoBitrateBps', options.maxVideoBitrateBps, 1)
  return {
    addresses: iceAddresses(options.ice ?? {}),
    maxSessions: positive('maxSessions', options.maxSessions, 100),
    maxOfferBytes: positive('maxOfferBytes', options.maxOfferBytes, 65_536),
    connectTimeoutUs: positive('connectTimeoutMs', options.connectTimeoutMs, 30_000) * 1000,
    idleTimeoutUs: positive('idleTimeoutMs', options.idleTimeoutMs, 15_000) * 1000,
    sourceTimeoutUs: positive('sourceTimeoutMs', options.sourceTimeoutMs, 10_000) * 1000,
  }
}

function positive(field: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (!Number.isFinite(value) || value <= 0) throw new ConfigurationError(field, 'must be greater than 0', value)
  return value
}
