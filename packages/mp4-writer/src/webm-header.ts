import type { AudioConfiguration, Configuration, VideoConfiguration } from '@rushes/media'
import { joinBoxes, sizeOf } from './box.js'
import { av1Configuration } from './codec-configuration.js'
import {
  type Element,
  element,
  floatElement,
  textElement,
  uintElement,
  voidElement,
  wideElementHeader,
  wideUintElement,
} from './ebml.js'
import type { Mp4Metadata } from './file-tags.js'
import { WebmError } from './webm-errors.js'

/** Element identifiers of Matroska (RFC 9559 §5.1). */
const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  dateUtc: 0x4461,
  title: 0x7ba9,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
} as const

/** Room for the header, which is written again when a track begins late: about 50 tracks. */
export const HEADER_BYTES: number = 8 * 1024
const SEGMENT_HEADER_BYTES = 12
const NANOSECONDS_PER_TICK = 1_000_000
/** 2001-01-01T00:00Z, from which Matroska counts dates. */
const DATE_ORIGIN_MS = 978_307_200_000
/** What an Opus decoder needs before a place that was jumped to (RFC 7845 §4.6): 80 ms. */
const OPUS_PRE_ROLL_NS = 80_000_000

const WEBM_CODECS: ReadonlySet<string> = new Set(['vp8', 'vp9', 'av1', 'opus'])

/** Throws `WEBM_UNSUPPORTED_CODEC`. */
export function checkWebmCodec(codec: string): void {
  if (WEBM_CODECS.has(codec)) return
  throw new WebmError('WEBM_UNSUPPORTED_CODEC', `WebM holds ${[...WEBM_CODECS].join(', ')}, not ${codec}`)
}

/** A track as the header shows it. */
export interface WebmTrack {
  /** From 1. */
  readonly number: number
  readonly configuration: Configuration
}

/** What becomes known at the end. */
export interface WebmEnding {
  readonly durationMs: number
  /** Bytes of the file. */
  readonly fileBytes: number
  /** Position of the cues, in the file. */
  readonly cuesPosition: number
}

/** Everything before the first cluster: {@link HEADER_BYTES}. Throws `WEBM_UNSUPPORTED_CODEC`. */
export function webmHeader(
  tracks: readonly WebmTrack[],
  metadata: Mp4Metadata,
  ending: WebmEnding | undefined,
): Uint8Array {
  const ebml = ebmlHeader()
  const segmentStart = sizeOf(ebml) + SEGMENT_HEADER_BYTES
  const info = segmentInfo(metadata, ending?.durationMs)
  // The positions in it have a fixed size, so that the first attempt tells where the others are.
  const seekBytes = sizeOf(seekHead(0, 0, 0))
  const infoPosition = seekBytes
  const tracksPosition = infoPosition + sizeOf(info)
  // Without cues yet, their entry points to the first cluster: better than a hole in a table of fixed size.
  const cuesPosition = (ending?.cuesPosition ?? HEADER_BYTES) - segmentStart
  const trackElement = element(ID.tracks, ...tracks.map((track) => trackEntry(track)))
  const fixed = [
    ...ebml,
    wideElementHeader(ID.segment, ending === undefined ? undefined : ending.fileBytes - segmentStart),
    ...(ending === undefined ? voidElement(seekBytes) : seekHead(infoPosition, tracksPosition, cuesPosition)),
    ...info,
  ]
  const free = HEADER_BYTES - sizeOf(fixed) - sizeOf(trackElement)
  if (free >= 9) return joinBoxes([...fixed, ...trackElement, ...voidElement(free)])
  // Too many tracks: the latest are left out.
  return webmHeader(tracks.slice(0, -1), metadata, ending)
}

function ebmlHeader(): Element {
  return element(
    ID.ebml,
    uintElement(0x4286, 1), // EBML version
    uintElement(0x42f7, 1), // version needed to read
    uintElement(0x42f2, 4), // longest identifier
    uintElement(0x42f3, 8), // longest length
    textElement(0x4282, 'webm'),
    uintElement(0x4287, 4), // document type version: SimpleBlock, CodecDelay
    uintElement(0x4285, 2), // version needed to read
  )
}

function seekHead(info: number, tracks: number, cues: number): Element {
  const entry = (id: number, position: number): Element =>
    element(ID.seek, uintElement(ID.seekId, id), wideUintElement(ID.seekPosition, position))
  return element(ID.seekHead, entry(ID.info, info), entry(ID.tracks, tracks), entry(ID.cues, cues))
}

function segmentInfo({ title, startedAt }: Mp4Metadata, durationMs: number | undefined): Element {
  const date = new Uint8Array(8)
  if (startedAt !== undefined) {
    new DataView(date.buffer).setBigInt64(0, BigInt(startedAt.getTime() - DATE_ORIGIN_MS) * 1_000_000n)
  }
  return element(
    ID.info,
    uintElement(ID.timestampScale, NANOSECONDS_PER_TICK),
    // As long as it takes: room for the duration, which must not be 0.
    durationMs === undefined || durationMs === 0 ? voidElement(11) : floatElement(ID.duration, durationMs),
    ...(startedAt === undefined ? [] : [element(ID.dateUtc, date)]),
    ...(title === undefined ? [] : [textElement(ID.title, title)]),
    textElement(ID.muxingApp, 'Rushes'),
    textElement(ID.writingApp, 'Rushes'),
  )
}

function trackEntry({ number, configuration }: WebmTrack): Element {
  const isVideo = configuration.kind === 'video'
  return element(
    ID.trackEntry,
    uintElement(0xd7, number),
    uintElement(0x73c5, number), // unique identifier
    uintElement(0x83, isVideo ? 1 : 2), // track type
    uintElement(0x9c, 0), // no lacing
    ...(isVideo ? videoFields(configuration) : audioFields(configuration)),
  )
}

function videoFields({ codec, codecString, width, height, sequenceHeader }: VideoConfiguration): Element[] {
  const names = { vp8: 'V_VP8', vp9: 'V_VP9', av1: 'V_AV1' } as const
  if (codec !== 'vp8' && codec !== 'vp9' && codec !== 'av1') {
    throw new WebmError('WEBM_UNSUPPORTED_CODEC', `WebM holds no ${codecString}`)
  }
  const fields = [textElement(0x86, names[codec])]
  if (codec === 'av1') {
    const content = av1Configuration(codecString, sequenceHeader)
    if (content === undefined) throw new WebmError('WEBM_UNSUPPORTED_CODEC', `${codecString} is no AV1 codec string`)
    fields.push(element(0x63a2, content))
  }
  return [...fields, element(0xe0, uintElement(0xb0, width), uintElement(0xba, height))]
}

function audioFields({ codec, codecString, channels }: AudioConfiguration): Element[] {
  if (codec !== 'opus' || (channels !== 1 && channels !== 2)) {
    throw new WebmError('WEBM_UNSUPPORTED_CODEC', `WebM holds no ${codecString} of ${channels} channels`)
  }
  return [
    textElement(0x86, 'A_OPUS'),
    element(0x63a2, opusHead(channels)),
    uintElement(0x56aa, 0), // codec delay: the packets come from the middle of a call
    uintElement(0x56bb, OPUS_PRE_ROLL_NS),
    element(0xe1, floatElement(0xb5, 48_000), uintElement(0x9f, channels)),
  ]
}

/** The identification header of Opus (RFC 7845 §5.1), with a pre-skip of 0. */
function opusHead(channels: number): Uint8Array {
  const head = new Uint8Array(19)
  head.set(new TextEncoder().encode('OpusHead'))
  head[8] = 1
  head[9] = channels
  new DataView(head.buffer).setUint32(12, 48_000, true)
  return head
}

/** A place to jump to. */
export interface CuePoint {
  readonly timeMs: number
  readonly track: number
  /** Of its cluster, in the file. */
  readonly clusterPosition: number
}

/** The cues (RFC 9559 §5.1.5). */
export function cuesElement(cues: readonly CuePoint[]): Uint8Array {
  const segmentStart = sizeOf(ebmlHeader()) + SEGMENT_HEADER_BYTES
  const points = cues.map(({ timeMs, track, clusterPosition }) =>
    element(
      ID.cuePoint,
      uintElement(ID.cueTime, timeMs),
      element(
        ID.cueTrackPositions,
        uintElement(ID.cueTrack, track),
        uintElement(ID.cueClusterPosition, clusterPosition - segmentStart),
      ),
    ),
  )
  return joinBoxes(element(ID.cues, ...points))
}
