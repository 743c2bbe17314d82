/** Bytes per second of the slowest line on which transfers get through. */
const SLOWEST_BYTES_PER_SECOND = 1024
/**
 * What the buffers of two systems hold of one connection on a slow line, at most. Bytes that were handed to the system
 * are out of our sight: they may be on their way when nothing seems to move.
 */
const UNSEEN_BYTES = 2 * 1024 * 1024

/**
 * How long a transfer may be silent before it is dead, when `bytes` of it were handed over and not answered yet:
 * `silenceMs`, and what it takes to carry those bytes over a slow line.
 */
export function patienceMs(silenceMs: number, bytes: number): number {
  return silenceMs + Math.ceil((Math.min(bytes, UNSEEN_BYTES) / SLOWEST_BYTES_PER_SECOND) * 1000)
}
