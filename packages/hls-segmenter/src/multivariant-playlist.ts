/** The multivariant playlist (RFC 8216 §4.3.4, where it is still called Master Playlist): model, writing and reading. */

import type { ParsedMedia } from 'm3u8-parser'
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
  /** AUDIO: the group of audio renditions to play with it. */
  readonly audioGroup?: string
}

/** One EXT-X-MEDIA of sound (RFC 8216 §4.3.4.1). */
export interface AudioRendition {
  /** GROUP-ID: a variant names it as its `audioGroup`. */
  readonly groupId: string
  /** NAME, unlike all others of the group. */
  readonly name: string
  /** LANGUAGE (RFC 5646). */
  readonly language?: string
  /** The media playlist; absent where the sound is in the variant itself. */
  readonly uri?: string
  /** DEFAULT: played unless the user chooses another; one of a group at most. */
  readonly isDefault: boolean
  /** AUTOSELECT: may be chosen by the system's language. A default one always may. */
  readonly autoselect: boolean
}

/** A multivariant playlist, as far as Rushes writes it: with audio renditions, without others. */
export interface MultivariantPlaylist {
  readonly version: number
  readonly independentSegments: boolean
  readonly audio?: readonly AudioRendition[]
  readonly variants: readonly VariantStream[]
}

/** The whole playlist. Throws {@link HlsPlaylistError} for what RFC 8216 forbids. */
export function serializeMultivariantPlaylist(playlist: MultivariantPlaylist): string {
  let text = `#EXTM3U\n#EXT-X-VERSION:${checkInteger('version', playlist.version, 1)}\n`
  if (playlist.independentSegments) text += '#EXT-X-INDEPENDENT-SEGMENTS\n'
  const audio = playlist.audio ?? []
  for (const rendition of audio) text += serializeAudio(rendition)
  checkAudio(audio)
  for (const variant of playlist.variants) {
    const { audioGroup, averageBandwidth, codecs, resolution, frameRate } = variant
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
      // Less is written as 0, which is no rate.
      if (!(frameRate >= 0.001 && frameRate < 1e6)) refuse('frameRate', 'must be at least 0.001', frameRate)
      text += `,FRAME-RATE=${frameRate.toFixed(3)}`
    }
    if (audioGroup !== undefined) {
      if (!audio.some(({ groupId }) => groupId === audioGroup))
        refuse('audioGroup', 'must be of a rendition', audioGroup)
      text += `,AUDIO=${quoted('audioGroup', audioGroup)}`
    }
    text += `\n${checkUri('uri', variant.uri)}\n`
  }
  return text
}

function serializeAudio({ groupId, name, language, uri, isDefault, autoselect }: AudioRendition): string {
  let text = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=${quoted('groupId', groupId)},NAME=${quoted('name', name)}`
  if (language !== undefined) text += `,LANGUAGE=${quoted('language', language)}`
  text += `,DEFAULT=${isDefault ? 'YES' : 'NO'},AUTOSELECT=${autoselect ? 'YES' : 'NO'}`
  if (uri !== undefined) text += `,URI=${quoted('uri', checkUri('uri', uri))}`
  return `${text}\n`
}

/** RFC 8216 §4.3.4.1, §4.3.4.1.1. */
function checkAudio(audio: readonly AudioRendition[]): void {
  const names = new Set<string>()
  const defaults = new Set<string>()
  for (const { groupId, name, isDefault, autoselect } of audio) {
    const key = JSON.stringify([groupId, name])
    if (names.has(key)) refuse('name', 'must be unlike all others of its group', name)
    names.add(key)
    if (!isDefault) continue
    if (!autoselect) refuse('autoselect', 'must be true for a default rendition', autoselect)
    if (defaults.has(groupId)) refuse('isDefault', 'may be true once in a group', name)
    defaults.add(groupId)
  }
}

/** Reads a multivariant playlist. Renditions but of sound are refused rather than lost; other tags are passed over. */
export function parseMultivariantPlaylist(text: string): MultivariantPlaylist {
  const manifest = readPlaylist(text)
  if (manifest.segments.length > 0 || manifest.targetDuration !== undefined) {
    throw new HlsPlaylistError('HLS_WRONG_PLAYLIST_KIND', 'this is not a multivariant playlist: it has segments')
  }
  const { AUDIO: audioGroups = {}, ...otherGroups } = manifest.mediaGroups ?? {}
  if (Object.values(otherGroups).some((groups) => Object.keys(groups).length > 0)) {
    throw new HlsPlaylistError(
      'HLS_PLAYLIST_UNSUPPORTED',
      'renditions (EXT-X-MEDIA) other than AUDIO are not supported',
    )
  }
  const audio = Object.entries(audioGroups).flatMap(([groupId, group]) =>
    Object.entries(group).map(([name, media]) => readAudio(groupId, name, media)),
  )
  const variants = (manifest.playlists ?? []).map(({ uri, attributes = {} }): VariantStream => {
    const {
      BANDWIDTH: bandwidth,
      'AVERAGE-BANDWIDTH': averageBandwidth,
      CODECS: codecs,
      RESOLUTION: resolution,
      'FRAME-RATE': frameRate,
      AUDIO: audioGroup,
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
      ...(audioGroup === undefined ? {} : { audioGroup }),
    }
  })
  return {
    version: checkInteger('version', manifest.version ?? 1, 1),
    independentSegments: manifest.independentSegments === true,
    ...(audio.length === 0 ? {} : { audio }),
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
  readonly AUDIO?: string
}

function readAudio(groupId: string, name: string, media: ParsedMedia): AudioRendition {
  const { default: isDefault = false, autoselect = false, language, uri } = media
  return {
    groupId,
    name,
    ...(language === undefined ? {} : { language }),
    ...(uri === undefined ? {} : { uri }),
    isDefault,
    // Where AUTOSELECT is absent, DEFAULT=YES implies it.
    autoselect: autoselect || isDefault,
  }
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
