import type { Finding } from '../finding.js'
import type { TransportStreamListing } from './listing.js'
import type { TransportStreamOptions } from './options.js'
import { TransportStreamReader } from './transport-stream-reader.js'

/** A stream in one piece, or in consecutive segments. */
export type TransportStreamInput = Uint8Array | readonly Uint8Array[]

/**
 * Checks a transport stream against ISO/IEC 13818-1, ITU-T H.264 Annex B and RFC 8216 §3.2, as far as a muxer can break
 * them, the T-STD buffer model aside. Counters, tables and clocks are followed across the segments; what holds for each
 * segment is checked for each. A broken stream gives findings, never an error. No findings means: nothing found.
 */
export function checkTransportStream(input: TransportStreamInput, options: TransportStreamOptions = {}): Finding[] {
  return read(input, options).findings.finish()
}

/** What is in a transport stream: access units and audio frames with their times. Says nothing about faults. */
export function readTransportStream(
  input: TransportStreamInput,
  options: TransportStreamOptions = {},
): TransportStreamListing {
  return read(input, options).listing
}

function read(input: TransportStreamInput, options: TransportStreamOptions): TransportStreamReader {
  const reader = new TransportStreamReader(options)
  for (const segment of input instanceof Uint8Array ? [input] : input) reader.addSegment(segment)
  reader.finish()
  return reader
}
