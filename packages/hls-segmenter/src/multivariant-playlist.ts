/** The multivariant playlist (RFC 8216 §4.3.4, where it is still called Master Playlist): model, writing and reading. */

import { HlsPlaylistError } from './errors.js'
import { readPlaylist } from './playlist-reader.js'
import { checkInteger, checkUri, quoted, refuse } from './playlist-text.js'

/** One EXT-X-STREAM-INF with its URI. */
export interface VariantStream {
  /** The media playlist, relative to the multivariant one. */
  readonly uri: string
  /** BANDWIDTH: peak segment bit rate, bit/s. */
  readonly bandwidth: number
  /** AVERAGE-BANDWIDTH, bit/s. */
  readonly averageBandwidth?: number
  /** CODECS: one RFC 6381 string for each format that occurs. */
  readonly codecs?: readonly string[]
  /** RESOLUTION, pixels. */
  readonly resolution?: { readonly width: number; readonly height: number }
  /** FRAME-RATE: frames per second, to three decimals. */
  readonly frameRate?: number
}

/** A multivariant playlist, as far as Rushes writes it: without renditions. */
export interface MultivariantPlaylist {
  readonly version: number
  readonly independentSegments: boolean
  readonly variants: readonly VariantStream[]
}

/** The whole playlist. Throws {@link HlsPlaylistError} for what RFC 8216 forbids. */
export function serializeMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  let text = `#EXTM3U\n#EXT-X-VERSION:${checkInteger('version', playlist.version, 1)}\n`
  if (playlist.independentSegments) text += '#EXT-X-INDEPENDENT-SEGMENTS\n'
  for (const variant of playlist.variants) {
    const { averageBandwidth, codecs, resolution, frameRate } = variant
    text += `#EXT-X-STREAM-INF:BANDWIDTH=${checkInteger('bandwidth', variant.bandwidth, 0)}`
    if (averageBandwidth !== undefined) {
      text += `,AVERAGE-BANDWIDTH=${checkInteger('averageBandwidth', averageBandwidth, 0)}`
    }
    if (codecs !== undefined) {
      if (codecs.length === 0 || codecs.some((codec) => !/^[^\s,]+$/.test(codec))) {
        refuse('codecs', 'must be RFC 6381 strings without commas and white space', codecs)
      }
      text += `,CODECS=${quoted('codecs', codecs.join(','))}`
    }
    if (resolution !== undefined) {
      const { width, height } = resolution
      text += `,RESOLUTION=${checkInteger('resolution.width', width, 1)}x${checkInteger('resolution.height', height, 1)}`
    }
    if (frameRate !== undefined) {
      if (!(frameRate > 0 && frameRate < 1e6)) refuse('frameRate', 'must be frames per second above 0', frameRate)
      text += `,FRAME-RATE=${frameRate.toFixed(3)}`
    }
    text += `\n${checkUri('uri', variant.uri)}\n`
  }
  return text
}

/** Reads a multivariant playlist. Renditions (EXT-X-MEDIA) are refused rather than lost; other tags are passed over. */
export function parseMultivariantPlaylist(text: string): MultivariantPlaylist {
  const manifest = readPlaylist(text)
  if (manifest.segments.length > 0 || manifest.targetDuration !== undefined) {
    throw new HlsPlaylistError('HLS_WRONG_PLAYLIST_KIND', 'this is not a multivariant playlist: it has segments')
  }
  if (Object.values(manifest.mediaGroups ?? {}).some((groups) => Object.keys(groups).length > 0)) {
    throw new HlsPlaylistError('HLS_PLAYLIST_UNSUPPORTED', 'renditions (EXT-X-MEDIA) are not supported')
  }
  const variants = (manifest.playlists ?? []).map(({ uri, attributes = {} }): VariantStream => {
    const {
      BANDWIDTH: bandwidth,
      'AVERAGE-BANDWIDTH': averageBandwidth,
      CODECS: codecs,
      RESOLUTION: resolution,
      'FRAME-RATE': frameRate,
    } = attributes as Attributes
    if (bandwidth === undefined) refuse('bandwidth', 'every variant must have one', uri)
    return {
      uri,
      bandwidth: checkInteger('bandwidth', bandwidth, 0),
      ...(averageBandwidth === undefined
        ? {}
        : { averageBandwidth: checkInteger('averageBandwidth', Number(averageBandwidth), 0) }),
      ...(codecs === undefined ? {} : { codecs: codecs.split(',').map((codec) => codec.trim()) }),
      ...(resolution === undefined ? {} : { resolution: readResolution(resolution) }),
      ...(frameRate === undefined ? {} : { frameRate: readFrameRate(frameRate) }),
    }
  })
  return {
    version: checkInteger('version', manifest.version ?? 1, 1),
    independentSegments: manifest.independentSegments === true,
    variants,
  }
}

/** As m3u8-parser leaves them: some are numbers already. */
interface Attributes {
  readonly BANDWIDTH?: number
  readonly 'AVERAGE-BANDWIDTH'?: string
  readonly CODECS?: string
  readonly RESOLUTION?: { readonly width?: number; readonly height?: number }
  readonly 'FRAME-RATE'?: number
}

function readResolution({ width = 0, height = 0 }: { readonly width?: number; readonly height?: number }): {
  width: number
  height: number
} {
  return {
    width: checkInteger('resolution.width', width, 1),
    height: checkInteger('resolution.height', height, 1),
  }
}

function readFrameRate(frameRate: number): number {
  if (!Number.isFinite(frameRate) || frameRate < 0) refuse('frameRate', 'must be frames per second', frameRate)
  return frameRate
}
