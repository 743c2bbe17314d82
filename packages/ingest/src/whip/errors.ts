import { RushesError } from '@rushes/media'

/** Every refusal, with the HTTP status that it is answered with. */
const STATUS = {
  /** The offer is no session description, or lacks what WebRTC needs. */
  WHIP_BAD_OFFER: 400,
  /** The trickle fragment cannot be read. */
  WHIP_BAD_FRAGMENT: 400,
  /** No token, or a wrong one. */
  WHIP_UNAUTHORIZED: 401,
  /** `onPublish` refused. */
  WHIP_REFUSED: 403,
  /** There is no such session, or no longer. */
  WHIP_NO_SESSION: 404,
  WHIP_METHOD_NOT_ALLOWED: 405,
  /** Another entity tag than the session's. */
  WHIP_PRECONDITION_FAILED: 412,
  WHIP_OFFER_TOO_LARGE: 413,
  WHIP_UNSUPPORTED_MEDIA_TYPE: 415,
  /** The offer has nothing that can be received here. */
  WHIP_NO_COMMON_CODEC: 422,
  /** ICE restarts are not done: publish anew. */
  WHIP_ICE_RESTART: 422,
  /** `If-Match` is missing. */
  WHIP_PRECONDITION_REQUIRED: 428,
  /** All sessions that `maxSessions` allows are taken. */
  WHIP_TOO_MANY_SESSIONS: 503,
  /** No UDP port could be had. */
  WHIP_NO_PORT: 503,
  /** The endpoint is being closed. */
  WHIP_CLOSED: 503,
  /** Something failed here; the host's `onError` is told what. */
  WHIP_FAILED: 500,
} as const

/** Code of a {@link WhipError}. */
export type WhipErrorCode = keyof typeof STATUS

/** A request that is refused. The message is sent to the publisher: it holds nothing that is not theirs. */
export class WhipError extends RushesError<WhipErrorCode> {
  /** HTTP status. */
  readonly status: number
  constructor(code: WhipErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options)
    this.status = STATUS[code]
  }
}
