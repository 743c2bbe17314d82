import { avcDecoderConfigurationRecord, hevcDecoderConfigurationRecord } from '@rushes/bitstream'
import type { AudioConfiguration, Configuration, ParameterSets, VideoConfiguration } from '@rushes/media'
import { type Box, box, fullBox, uint32s } from './box.js'
import { aacConfiguration, av1Configuration, opusConfiguration, vpConfiguration } from './codec-configuration.js'
import { Mp4Error } from './errors.js'

const MP4_CODECS: ReadonlySet<string> = new Set(['h264', 'h265', 'vp9', 'av1', 'aac', 'opus'])
const DOTS_PER_INCH_72 = 0x00480000

/** Throws `MP4_UNSUPPORTED_CODEC`. */
export function checkCodec(codec: string): void {
  if (MP4_CODECS.has(codec)) return
  throw new Mp4Error('MP4_UNSUPPORTED_CODEC', `MP4 holds ${[...MP4_CODECS].join(', ')}, not ${codec}`)
}

/**
 * The sample entry of a configuration (ISO/IEC 14496-12 §12.1.3, §12.2.3), of the kind that its codec string names:
 * parameter sets stay in the samples as well, so `avc3` and `hev1` are as true as `avc1` and `hvc1`, and what the
 * playlist's CODECS says is what is in the file. Throws `MP4_UNSUPPORTED_CODEC`.
 */
export function sampleEntry(configuration: Configuration): Box {
  return configuration.kind === 'video' ? videoEntry(configuration) : audioEntry(configuration)
}

function videoEntry(configuration: VideoConfiguration): Box {
  const { codec, codecString, width, height, parameterSets, sequenceHeader } = configuration
  const is = (name: string): boolean => codecString.startsWith(`${name}.`)
  if (codec === 'h264' && parameterSets !== undefined) {
    const record = recordOf(avcDecoderConfigurationRecord, codecString, parameterSets)
    return visual(is('avc3') ? 'avc3' : 'avc1', width, height, box('avcC', record))
  }
  if (codec === 'h265' && parameterSets !== undefined) {
    const record = recordOf(hevcDecoderConfigurationRecord, codecString, parameterSets)
    return visual(is('hev1') ? 'hev1' : 'hvc1', width, height, box('hvcC', record))
  }
  if (codec === 'vp9') {
    const content = vpConfiguration(codecString)
    if (content !== undefined) return visual('vp09', width, height, fullBox('vpcC', 1, 0, content))
  }
  if (codec === 'av1') {
    const content = av1Configuration(codecString, sequenceHeader)
    if (content !== undefined) return visual('av01', width, height, box('av1C', content))
  }
  throw unsupported(codecString)
}

/** A decoder configuration record, or what makes it impossible as an error of ours. */
function recordOf(make: (sets: ParameterSets) => Uint8Array, codecString: string, sets: ParameterSets): Uint8Array {
  try {
    return make(sets)
  } catch (cause) {
    throw unsupported(codecString, cause)
  }
}

function visual(type: string, width: number, height: number, configuration: Box): Box {
  const fixed = new Uint8Array(78)
  const view = new DataView(fixed.buffer)
  view.setUint16(6, 1) // data reference
  view.setUint16(24, width)
  view.setUint16(26, height)
  view.setUint32(28, DOTS_PER_INCH_72)
  view.setUint32(32, DOTS_PER_INCH_72)
  view.setUint16(40, 1) // frames a sample
  view.setUint16(74, 0x0018) // colour without alpha
  view.setInt16(76, -1)
  return box(type, fixed, configuration)
}

function audioEntry(configuration: AudioConfiguration): Box {
  const { codec, codecString, sampleRate, channels, audioSpecificConfig } = configuration
  if (codec === 'opus' && (channels === 1 || channels === 2)) {
    return sound('Opus', channels, 48_000, box('dOps', opusConfiguration(channels)))
  }
  if (codec === 'aac' && audioSpecificConfig !== undefined) {
    return sound('mp4a', channels, sampleRate, fullBox('esds', 0, 0, aacConfiguration(audioSpecificConfig)))
  }
  throw unsupported(codecString)
}

function sound(type: string, channels: number, sampleRate: number, configuration: Box): Box {
  const fixed = new Uint8Array(24)
  const view = new DataView(fixed.buffer)
  view.setUint16(6, 1) // data reference
  view.setUint16(16, channels)
  view.setUint16(18, 16) // bits a sample, which says nothing of coded sound
  // 16 bits before the point: what does not fit stands in the codec's own configuration.
  const rate = sampleRate > 0xffff ? 0 : sampleRate
  return box(type, fixed, uint32s(rate * 65_536), configuration)
}

function unsupported(codecString: string, cause?: unknown): Mp4Error {
  const message = `no MP4 sample entry can be made of ${codecString}: its codec, or what a decoder must know, is missing`
  return new Mp4Error('MP4_UNSUPPORTED_CODEC', message, { cause })
}
