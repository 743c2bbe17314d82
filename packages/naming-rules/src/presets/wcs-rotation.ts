import { ConfigurationError } from '@rushes/media'

/** When a recording goes on in the next part. */
export type WcsRotation = { readonly seconds: number } | { readonly bytes: number }

const MEGABYTE = 1_048_576

/**
 * Reads WCS's `record_rotation`: `10` is a part every ten seconds, `10M` one every ten megabytes of 1,048,576 bytes.
 * @throws ConfigurationError `rotation`
 */
export function parseWcsRotation(text: string): WcsRotation {
  const [, digits, unit] = /^([1-9]\d{0,8})(M?)$/.exec(text) ?? []
  if (digits === undefined) {
    throw new ConfigurationError('rotation', 'must be seconds (10) or megabytes (10M), from 1 to 999999999', text)
  }
  return unit === 'M' ? { bytes: Number(digits) * MEGABYTE } : { seconds: Number(digits) }
}
