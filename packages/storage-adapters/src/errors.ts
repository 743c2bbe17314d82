import { RushesError } from '@rushes/media'

/**
 * Why a store did not do what it was asked:
 * - `STORE_BAD_KEY`: the key breaks a rule of keys.
 * - `STORE_KEY_OUTSIDE_BASE`: the key, or a symbolic link on its way, leads out of the store.
 * - `STORE_ACCESS_DENIED`: the rights do not suffice, or the keys are wrong.
 * - `STORE_NO_SPACE`: the disk or the quota is full.
 * - `STORE_UNAVAILABLE`: the store cannot be reached or fails; trying again may help.
 * - `STORE_THROTTLED`: the store asks for fewer requests; trying again later helps.
 * - `STORE_CREDENTIALS_EXPIRED`: the session of the credentials is over; renewed ones help.
 * - `STORE_CORRUPTED`: what arrived is not what was sent; trying again helps.
 * - `STORE_NOT_FOUND`: there is no such object.
 * - `STORE_NO_BUCKET`: there is no such bucket, or it lies in another region.
 * - `STORE_BAD_SETTINGS`: the store refuses what the settings make of a request.
 * - `STORE_CLOSED`: the store was closed before.
 * - `STORE_ABORTED`: the caller's signal fired.
 * - `STORE_BODY_FAILED`: the body ended with an error, or gave something that is no bytes.
 * - `STORE_TOO_LARGE`: the object is larger than the caller or the store allows.
 * - `STORE_CANNOT_SIGN`: these credentials cannot make a URL that lasts so long, or none at all.
 */
export type StoreErrorCode =
  | 'STORE_BAD_KEY'
  | 'STORE_KEY_OUTSIDE_BASE'
  | 'STORE_ACCESS_DENIED'
  | 'STORE_NO_SPACE'
  | 'STORE_UNAVAILABLE'
  | 'STORE_THROTTLED'
  | 'STORE_CREDENTIALS_EXPIRED'
  | 'STORE_CORRUPTED'
  | 'STORE_NOT_FOUND'
  | 'STORE_NO_BUCKET'
  | 'STORE_BAD_SETTINGS'
  | 'STORE_CLOSED'
  | 'STORE_ABORTED'
  | 'STORE_BODY_FAILED'
  | 'STORE_TOO_LARGE'
  | 'STORE_CANNOT_SIGN'

const retryable: ReadonlySet<StoreErrorCode> = new Set([
  'STORE_UNAVAILABLE',
  'STORE_NO_SPACE',
  'STORE_THROTTLED',
  'STORE_CREDENTIALS_EXPIRED',
  'STORE_CORRUPTED',
])

/** A store did not do what it was asked. */
export class StoreError extends RushesError<StoreErrorCode> {
  /** The same call may succeed later. */
  readonly retryable: boolean
  /** The key concerned. */
  readonly key?: string
  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly key?: string; readonly retryable?: boolean } = {},
  ) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause })
    this.retryable = options.retryable ?? retryable.has(code)
    if (options.key !== undefined) this.key = options.key
  }
}
