import { StoreError } from '../errors.js'

/**
 * What an error says about who is in trouble:
 * - `store`: the store as a whole, for a while;
 * - `destination`: the store refuses, and somebody has to change rights or settings;
 * - `suspect`: it refuses this object, and maybe all others too;
 * - `object-retry`: this object, this time;
 * - `object`: this object, for good.
 */
export type ErrorClass = 'store' | 'destination' | 'suspect' | 'object-retry' | 'object'

/** Tells whose trouble an error is. */
export function classify(error: StoreError): ErrorClass {
  switch (error.code) {
    case 'STORE_UNAVAILABLE':
    case 'STORE_THROTTLED':
    case 'STORE_CREDENTIALS_EXPIRED':
    case 'STORE_NO_SPACE':
      return error.retryable ? 'store' : 'suspect'
    case 'STORE_NO_BUCKET':
    case 'STORE_CLOSED':
      return error.retryable ? 'store' : 'destination'
    case 'STORE_ACCESS_DENIED':
    case 'STORE_BAD_SETTINGS':
      return error.retryable ? 'store' : 'suspect'
    case 'STORE_CORRUPTED':
    case 'STORE_ABORTED':
      return 'object-retry'
    default:
      return error.retryable ? 'object-retry' : 'object'
  }
}

/**
 * Whatever a store rejected with, as a `StoreError`. What is none may be anything, and is tried again; its text may hold
 * anything too, and stays in `cause`.
 */
export function asStoreError(error: unknown, key: string): StoreError {
  if (error instanceof StoreError) return error
  const name = error instanceof Error ? error.name : typeof error
  return new StoreError('STORE_UNAVAILABLE', `${key}: the store failed with a ${name}`, { cause: error, key })
}
