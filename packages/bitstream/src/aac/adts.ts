import { BitstreamError } from '../errors.js'
import type { AacParameters } from './audio-specific-config.js'
import { channelConfigurationOf, channelsOf, SAMPLING_FREQUENCIES } from './sampling-frequencies.js'

/** An ADTS header (ISO/IEC 14496-3 §1.A.2.2: adts_fixed_header and adts_variable_header). */
export interface AdtsHeader {
  /** Audio object type, 1 to 4: 2 for AAC LC. */
  readonly objectType: number
  /** Hz. */
  readonly sampleRate: number
  /** Absent where a program config element tells it (channel_configuration 0). */
  readonly channels?: number
  /** 7, or 9 with a CRC. */
  readonly headerLengthBytes: number
  /** Header included, 7 to 8191. */
  readonly frameLengthBytes: number
  /** Raw data blocks in the frame, 1 to 4; nearly always 1. */
  readonly rawDataBlocks: number
}

/** An ADTS frame: its header, and the raw data without it (a view). */
export interface AdtsFrame {
  readonly header: AdtsHeader
  readonly data: Uint8Array
}

/** Length of the header that {@link adtsHeader} makes: it has no CRC. */
const HEADER_BYTES = 7
/** aac_frame_length has 13 bits. */
const MAX_FRAME_BYTES = 8191

/**
 * The header of a raw AAC frame of `rawFrameLengthBytes` bytes (header not counted, at most 8184), with buffer fullness
 * 0x7FF (variable rate). Throws BitstreamError `ADTS_BAD_HEADER` where a value has no code in ADTS.
 */
export function adtsHeader(parameters: AacParameters, rawFrameLengthBytes: number): Uint8Array {
  const { objectType = 2, sampleRate, channels } = parameters
  const frequencyIndex = SAMPLING_FREQUENCIES.indexOf(sampleRate)
  const channelConfiguration = channelConfigurationOf(channels)
  const length = rawFrameLengthBytes + HEADER_BYTES
  if (![1, 2, 3, 4].includes(objectType) || frequencyIndex < 0 || channelConfiguration === undefined) {
    throw new BitstreamError(
      'ADTS_BAD_HEADER',
      `ADTS has no code for object type ${objectType}, ${sampleRate} Hz, ${channels} channels`,
    )
  }
  if (!(rawFrameLengthBytes >= 0 && length <= MAX_FRAME_BYTES)) {
    throw new BitstreamError('ADTS_BAD_HEADER', `a frame has ${MAX_FRAME_BYTES} bytes at most, got ${length}`)
  }
  return Uint8Array.of(
    0xff,
    0xf1, // MPEG-4, layer 0, no CRC
    ((objectType - 1) << 6) | (frequencyIndex << 2) | (channelConfiguration >>> 2),
    ((channelConfiguration & 3) << 6) | (length >>> 11),
    (length >>> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc, // rest of the buffer fullness, one raw data block
  )
}

/** Parses the header at `offset`. Throws BitstreamError `ADTS_BAD_HEADER`. */
export function parseAdtsHeader(bytes: Uint8Array, offset = 0): AdtsHeader {
  if (offset + HEADER_BYTES > bytes.byteLength) throw new BitstreamError('ADTS_BAD_HEADER', 'the header is cut short')
  const second = bytes[offset + 1]!
  if (bytes[offset] !== 0xff || (second & 0xf6) !== 0xf0) {
    throw new BitstreamError('ADTS_BAD_HEADER', `no syncword with layer 0 at ${offset}`)
  }
  const third = bytes[offset + 2]!
  const fourth = bytes[offset + 3]!
  const sixth = bytes[offset + 5]!
  const sampleRate = SAMPLING_FREQUENCIES[(third >>> 2) & 15]
  if (sampleRate === undefined) throw new BitstreamError('ADTS_BAD_HEADER', 'sampling_frequency_index is reserved')
  const channels = channelsOf(((third & 1) << 2) | (fourth >>> 6))
  const headerLengthBytes = (second & 1) === 1 ? HEADER_BYTES : HEADER_BYTES + 2
  const frameLengthBytes = ((fourth & 3) << 11) | (bytes[offset + 4]! << 3) | (sixth >>> 5)
  if (frameLengthBytes < headerLengthBytes) {
    throw new BitstreamError('ADTS_BAD_HEADER', `the frame length ${frameLengthBytes} is shorter than the header`)
  }
  return {
    objectType: (third >>> 6) + 1,
    sampleRate,
    ...(channels === undefined ? {} : { channels }),
    headerLengthBytes,
    frameLengthBytes,
    rawDataBlocks: (bytes[offset + 6]! & 3) + 1,
  }
}

/**
 * The frames of a stretch of ADTS that begins with a header. Throws BitstreamError `ADTS_BAD_HEADER` where a header is
 * damaged or the last frame is cut short.
 */
export function splitAdts(bytes: Uint8Array): AdtsFrame[] {
  const frames: AdtsFrame[] = []
  for (let offset = 0; offset < bytes.byteLength; ) {
    const header = parseAdtsHeader(bytes, offset)
    const end = offset + header.frameLengthBytes
    if (end > bytes.byteLength) throw new BitstreamError('ADTS_BAD_HEADER', `the frame at ${offset} is cut short`)
    frames.push({ header, data: bytes.subarray(offset + header.headerLengthBytes, end) })
    offset = end
  }
  return frames
}
