/** The smallest part but for the last, in bytes. */
export const MIN_PART_BYTES: number = 5 * 1024 ** 2
/** The largest part, and the largest object of one request, in bytes. */
export const MAX_PART_BYTES: number = 5 * 1024 ** 3
/** Parts of one object. */
export const MAX_PARTS = 10_000

/** Parts of a stream after which parts become twice as large. */
const PARTS_OF_ONE_SIZE = 1000

/** Bytes of each part of an object whose size is known: `wanted`, or as many whole MiB as 10,000 parts need. */
export function partSizeFor(bytes: number, wanted: number): number {
  const mib = 1024 ** 2
  return Math.max(wanted, Math.ceil(bytes / MAX_PARTS / mib) * mib)
}

/**
 * Bytes of part `number` (from 1) of an object whose size is not known. They double every 1,000 parts, so that memory
 * stays small for what is small and 10,000 parts hold more than the 5 TiB that an object may have.
 */
export function partSizeAt(number: number, first: number): number {
  return Math.min(MAX_PART_BYTES, first * 2 ** Math.floor((number - 1) / PARTS_OF_ONE_SIZE))
}
