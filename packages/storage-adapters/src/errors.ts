import { RushesError } from '@rushes/media'

/**
 * Why a store did not do what it was asked:
 * - `STORE_BAD_KEY`: the key breaks a rule of keys.
 * - `STORE_KEY_OUTSIDE_BASE`: the key, or a symbolic link on its way, leads out of the store.
 * - `STORE_ACCESS_DENIED`: the rights do not suffice.
 * - `STORE_NO_SPACE`: the disk or the quota is full.
 * - `STORE_UNAVAILABLE`: the store cannot be reached or fails; trying again may help.
 * - `STORE_NOT_FOUND`: there is no such object, or no such bucket.
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
  | 'STORE_NOT_FOUND'
  | 'STORE_ABORTED'
  | 'STORE_BODY_FAILED'
  | 'STORE_TOO_LARGE'
  | 'STORE_CANNOT_SIGN'

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
    this.retryable = options.retryable ?? (code === 'STORE_UNAVAILABLE' || code === 'STORE_NO_SPACE')
    if (options.key !== undefined) this.key = options.key
  }
}
