import { buildAudioSpecificConfig } from '@rushes/bitstream'
import type { AudioConfiguration } from '@rushes/media'

/** The configuration of plain AAC LC. */
export function aacConfiguration(sampleRate: number, channels: number): AudioConfiguration {
  const audioSpecificConfig = buildAudioSpecificConfig({ sampleRate, channels })
  return { kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2', sampleRate, channels, audioSpecificConfig }
}
