import { avcDecoderConfigurationRecord } from '@rushes/bitstream'
import type { AudioConfiguration, Configuration, VideoConfiguration } from '@rushes/media'
import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedVideoPacketSource,
  type MetadataTags,
  Mp4OutputFormat,
  Output,
} from 'mediabunny'
import { findBox } from './box.js'
import { Mp4Error } from './errors.js'

/**
 * The boxes of a track that depend on its codec and not on its samples. mediabunny makes them, as the header of a file
 * without a sample: it knows every codec's sample entry; time and index are ours (movie.ts says why).
 */
export interface SampleDescription {
  /** Layer, volume, matrix (rotation) and size: what follows the times in a track header (ISO/IEC 14496-12 §8.3.2). */
  readonly trackHeaderTail: Uint8Array
  readonly handler: Uint8Array
  /** `vmhd` or `smhd`. */
  readonly mediaHeader: Uint8Array
  readonly dataInformation: Uint8Array
  /** `stsd` with its one entry. */
  readonly sampleDescriptions: Uint8Array
  /** `udta` with the file's tags, where there are any. */
  readonly userData: Uint8Array | undefined
}

/** Tags of the file. */
export interface Mp4Metadata {
  readonly title?: string
  /** Wall-clock time at recording time zero. */
  readonly startedAt?: Date
}

/** Throws `MP4_UNSUPPORTED_CODEC`. */
export function checkCodec(codec: string): void {
  if (codec !== 'h264' && codec !== 'aac' && codec !== 'opus') {
    throw new Mp4Error('MP4_UNSUPPORTED_CODEC', `MP4 files are written of h264, aac and opus, not of ${codec}`)
  }
}

/** Describes the samples of a configuration. Rejects with `MP4_UNSUPPORTED_CODEC`. */
export async function describeSamples(
  configuration: Configuration,
  metadata: Mp4Metadata = {},
): Promise<SampleDescription> {
  let movie: Uint8Array | undefined
  const onMoov = (data: Uint8Array): void => {
    movie = data.slice()
  }
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: 'in-memory', onMoov }),
    target: new BufferTarget(),
  })
  if (configuration.kind === 'video') addVideo(output, configuration)
  else addAudio(output, configuration)
  output.setMetadataTags(tagsOf(metadata))
  await output.start()
  await output.finalize()
  const part = (...path: readonly string[]): Uint8Array => {
    const found = movie === undefined ? undefined : findBox(movie, ['moov', ...path])
    if (found === undefined) throw new Mp4Error('MP4_WRITE_FAILED', `the movie header has no ${path.join('/')}`)
    return found.bytes
  }
  const media = (...path: readonly string[]): Uint8Array => part('trak', 'mdia', ...path)
  return {
    trackHeaderTail: part('trak', 'tkhd').subarray(-60),
    handler: media('hdlr'),
    mediaHeader: media('minf', configuration.kind === 'video' ? 'vmhd' : 'smhd'),
    dataInformation: media('minf', 'dinf'),
    sampleDescriptions: media('minf', 'stbl', 'stsd'),
    userData: movie === undefined ? undefined : findBox(movie, ['moov', 'udta'])?.bytes,
  }
}

function addVideo(output: Output, configuration: VideoConfiguration): void {
  const { codecString, width, height, rotation, parameterSets } = configuration
  if (configuration.codec !== 'h264' || parameterSets === undefined) {
    throw new Mp4Error('MP4_UNSUPPORTED_CODEC', `no sample entry can be made of ${codecString} without parameter sets`)
  }
  output.addVideoTrack(new EncodedVideoPacketSource('avc'), {
    rotation,
    decoderConfig: {
      codec: codecString,
      codedWidth: width,
      codedHeight: height,
      description: avcDecoderConfigurationRecord(parameterSets),
    },
  })
}

function addAudio(output: Output, configuration: AudioConfiguration): void {
  const { codec, codecString, sampleRate, channels, audioSpecificConfig } = configuration
  if (codec === 'opus') {
    const description = opusHead(channels)
    output.addAudioTrack(new EncodedAudioPacketSource('opus'), {
      decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: channels, description },
    })
  } else if (codec === 'aac' && audioSpecificConfig !== undefined) {
    output.addAudioTrack(new EncodedAudioPacketSource('aac'), {
      decoderConfig: {
        codec: codecString,
        sampleRate,
        numberOfChannels: channels,
        description: audioSpecificConfig,
      },
    })
  } else {
    throw new Mp4Error('MP4_UNSUPPORTED_CODEC', `no sample entry can be made of ${codecString}`)
  }
}

/**
 * The identification header of Opus (RFC 7845 §5.1), from which the `dOps` box is made. The pre-skip is 0: the packets
 * come from the middle of a call, where the decoder's run-up is long past; any other value would be cut off the sound.
 */
function opusHead(channels: number): Uint8Array {
  const head = new Uint8Array(19)
  const view = new DataView(head.buffer)
  head.set(new TextEncoder().encode('OpusHead'))
  head[8] = 1 // version
  head[9] = channels
  view.setUint16(10, 0, true) // pre-skip
  view.setUint32(12, 48_000, true)
  return head
}

function tagsOf({ title, startedAt }: Mp4Metadata): MetadataTags {
  return { ...(title === undefined ? {} : { title }), ...(startedAt === undefined ? {} : { date: startedAt }) }
}
