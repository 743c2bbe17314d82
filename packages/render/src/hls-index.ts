import { type HlsSummary, serializeMultivariantPlaylist, type VariantStream } from '@rushes/hls-segmenter'
import type { OutputObject } from '@rushes/media'

/** One of several variants as the multivariant playlist names it. */
export interface IndexedVariant {
  /** Its media playlist, relative to the multivariant one. */
  readonly uri: string
  readonly summary: HlsSummary
  /** In place of those that have occurred. */
  readonly codecs: readonly string[] | undefined
}

/** How the multivariant playlist of several variants is written. */
export interface IndexOptions {
  readonly name: string
  readonly container: 'ts' | 'cmaf'
  /** The playlists that it names are whole; else bit rates are declared by what there is so far. */
  readonly isFinal: boolean
  readonly frameRate: number | undefined
}

// Of what grows only the first segment is known, whose picture may be still: headroom over it, and a floor.
const HEADROOM = 3
const FLOOR_720P = 2_500_000
const PIXELS_720P = 921_600
/** Half of the pixels need more than half of the bits. */
const FLOOR_EXPONENT = 0.75

/** The multivariant playlist (RFC 8216 §4.3.4) of the same pictures in several sizes, the largest first. */
export function hlsIndex(variants: readonly IndexedVariant[], options: IndexOptions): OutputObject {
  const { name, container, isFinal, frameRate } = options
  const text = serializeMultivariantPlaylist({
    // 6 has EXT-X-MAP (RFC 8216 §7).
    version: container === 'cmaf' ? 6 : 3,
    independentSegments: variants.every(({ summary }) => summary.independentSegments),
    variants: variants.map((variant) => variantStream(variant, isFinal, frameRate)),
  })
  return {
    type: 'object',
    name,
    contentType: 'application/vnd.apple.mpegurl',
    cacheControl: isFinal ? 'max-age=31536000, immutable' : 'no-cache',
    body: [new TextEncoder().encode(text)],
  }
}

function variantStream(
  { uri, summary, codecs = summary.codecs }: IndexedVariant,
  isFinal: boolean,
  frameRate: number | undefined,
): VariantStream {
  const { averageBandwidth, peakBandwidth, resolutions } = summary
  const [resolution] = [...resolutions].sort((a, b) => b.width * b.height - a.width * a.height)
  return {
    uri,
    ...(isFinal ? { bandwidth: peakBandwidth, averageBandwidth } : { bandwidth: declaredBandwidth(summary) }),
    ...(codecs.length === 0 ? {} : { codecs }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(frameRate === undefined || resolution === undefined ? {} : { frameRate }),
  }
}

function declaredBandwidth({ averageBandwidth, resolutions }: HlsSummary): number {
  const pixels = Math.max(0, ...resolutions.map(({ width, height }) => width * height))
  const floor = FLOOR_720P * Math.min(1, pixels / PIXELS_720P) ** FLOOR_EXPONENT
  return Math.ceil(Math.max(HEADROOM * averageBandwidth, floor))
}
