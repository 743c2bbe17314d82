import { BitReader } from '../bit-reader.js'
import { BitstreamError } from '../errors.js'
import { channelConfigurationOf, channelsOf, SAMPLING_FREQUENCIES } from './sampling-frequencies.js'

/** What an AudioSpecificConfig says of the AAC core (ISO/IEC 14496-3 §1.6.2.1). */
export interface AudioSpecificConfig {
  /** Audio object type of the core: 2 for AAC LC. */
  readonly objectType: number
  /** Hz, of the core: with SBR the output has twice as many. */
  readonly sampleRate: number
  /** Absent where a program config element tells it (channelConfiguration 0). */
  readonly channels?: number
  /** Samples of a frame: 1024, or 960. */
  readonly frameLengthSamples: number
  /** Output rate in Hz where SBR is signalled explicitly (object types 5 and 29). */
  readonly extensionSampleRate?: number
}

/** What to build a header or a configuration of. */
export interface AacParameters {
  /** 1 Main, 2 LC, 3 SSR, 4 LTP: what ADTS can carry. @defaultValue 2 */
  readonly objectType?: number
  /** Hz. */
  readonly sampleRate: number
  /** 1 to 6, or 8. */
  readonly channels: number
}

const ESCAPE_OBJECT_TYPE = 31
const EXPLICIT_FREQUENCY = 15
const SBR = 5
const PS = 29
/** Object types whose configuration is a GASpecificConfig (§1.6.2.1). */
const GENERAL_AUDIO: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23])

/** Parses an AudioSpecificConfig. What follows the core's part is not read. Throws BitstreamError `AAC_BAD_CONFIG`. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AudioSpecificConfig {
  try {
    return readConfig(new BitReader(bytes))
  } catch (cause) {
    if (!(cause instanceof BitstreamError) || cause.code === 'AAC_BAD_CONFIG') throw cause
    throw new BitstreamError('AAC_BAD_CONFIG', `the AudioSpecificConfig cannot be read: ${cause.message}`, { cause })
  }
}

/** Builds the AudioSpecificConfig of plain AAC. Throws BitstreamError `AAC_BAD_CONFIG` where a value has no code. */
export function buildAudioSpecificConfig(parameters: AacParameters): Uint8Array {
  const { objectType = 2, sampleRate, channels } = parameters
  const channelConfiguration = channelConfigurationOf(channels)
  if (![1, 2, 3, 4].includes(objectType) || channelConfiguration === undefined) {
    throw new BitstreamError('AAC_BAD_CONFIG', `no code for object type ${objectType} with ${channels} channels`)
  }
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate >= 2 ** 24) {
    throw new BitstreamError('AAC_BAD_CONFIG', `sampleRate must be an integer from 1 to 2^24 - 1, got ${sampleRate}`)
  }
  const index = SAMPLING_FREQUENCIES.indexOf(sampleRate)
  // 5 bits object type, 4 bits index, 24 bits where the index says so, 4 bits channels, 3 bits of zeros.
  if (index >= 0) {
    const bits = (objectType << 11) | (index << 7) | (channelConfiguration << 3)
    return Uint8Array.of(bits >>> 8, bits & 0xff)
  }
  return Uint8Array.of(
    (objectType << 3) | 7,
    0x80 | (sampleRate >>> 17),
    (sampleRate >>> 9) & 0xff,
    (sampleRate >>> 1) & 0xff,
    ((sampleRate & 1) << 7) | (channelConfiguration << 3),
  )
}

function readConfig(bits: BitReader): AudioSpecificConfig {
  let objectType = readObjectType(bits)
  const sampleRate = readFrequency(bits)
  const channelConfiguration = bits.u(4)
  const channels = channelsOf(channelConfiguration)
  if (channels === undefined && channelConfiguration !== 0) {
    throw new BitstreamError('AAC_BAD_CONFIG', `channelConfiguration ${channelConfiguration} is reserved`)
  }
  let extensionSampleRate: number | undefined
  if (objectType === SBR || objectType === PS) {
    extensionSampleRate = readFrequency(bits)
    objectType = readObjectType(bits)
  }
  if (!GENERAL_AUDIO.has(objectType)) {
    throw new BitstreamError('AAC_BAD_CONFIG', `audio object type ${objectType} is not AAC`)
  }
  return {
    objectType,
    sampleRate,
    ...(channels === undefined ? {} : { channels }),
    frameLengthSamples: bits.flag() ? 960 : 1024,
    ...(extensionSampleRate === undefined ? {} : { extensionSampleRate }),
  }
}

function readObjectType(bits: BitReader): number {
  const type = bits.u(5)
  return type === ESCAPE_OBJECT_TYPE ? 32 + bits.u(6) : type
}

function readFrequency(bits: BitReader): number {
  const index = bits.u(4)
  const frequency = index === EXPLICIT_FREQUENCY ? bits.u(24) : SAMPLING_FREQUENCIES[index]
  if (frequency === undefined || frequency === 0) {
    throw new BitstreamError('AAC_BAD_CONFIG', `samplingFrequencyIndex ${index} is reserved or says 0 Hz`)
  }
  return frequency
}
