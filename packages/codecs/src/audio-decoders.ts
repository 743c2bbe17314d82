import type { AudioTrack } from '@rushes/media'
import type { AudioDecoder } from './audio-decoder.js'
import type { NodeAv } from './node-av.js'
import { OpusAudioDecoder } from './opus-audio-decoder.js'
import { TelephoneAudioDecoder, telephoneSampleRate } from './telephone-audio-decoder.js'

/** The decoder of a track, before its first packet has told how many channels it needs. */
export interface AudioDecoders {
  /** Hz of what it will put out. */
  readonly sampleRate: number
  /** To be called once. */
  open(channels: 1 | 2): AudioDecoder
  close(): void
}

/** `track` is one of Opus, G.711 or G.722; `channels`: where they are known beforehand. */
export async function createAudioDecoders(
  nodeAv: NodeAv,
  { codec }: AudioTrack,
  channels: 1 | 2 | undefined,
): Promise<AudioDecoders> {
  const open: AudioDecoder[] = []
  const close = (): void => {
    for (const decoder of open) decoder.close()
  }
  if (codec === 'pcmu' || codec === 'pcma' || codec === 'g722') {
    return {
      sampleRate: telephoneSampleRate(codec),
      open(count) {
        const decoder = new TelephoneAudioDecoder(nodeAv, codec, count)
        open.push(decoder)
        return decoder
      },
      close,
    }
  }
  // Only their creation is asynchronous: one is made for each case, and the other given back (20 kB).
  const mono = channels === 2 ? undefined : await OpusAudioDecoder.create(1)
  const stereo = channels === 1 ? undefined : await OpusAudioDecoder.create(2)
  for (const decoder of [mono, stereo]) if (decoder !== undefined) open.push(decoder)
  return {
    sampleRate: 48_000,
    open(count) {
      const [chosen, other] = count === 1 ? [mono, stereo] : [stereo, mono]
      other?.close()
      if (chosen === undefined) throw new RangeError(`the decoder was made for ${channels} channels`)
      return chosen
    },
    close,
  }
}
