import { type AacParameters, adtsHeader, BitstreamError, parseAudioSpecificConfig } from '@rushes/bitstream'
import type { AudioConfiguration } from '@rushes/media'

/** aac_frame_length has 13 bits and counts the header of 7 (ISO/IEC 14496-3 §1.A.2.2). */
const MAX_RAW_FRAME_BYTES = 8191 - 7

/** Puts the ADTS header before each AAC frame. */
export class AdtsLayout {
  #parameters: AacParameters | undefined

  readonly pieces: Uint8Array[] = []
  payloadBytes = 0

  /** A new configuration begins. One that ADTS cannot express leaves the track without: its frames are dropped. */
  configure(configuration: AudioConfiguration): void {
    const parameters = parametersOf(configuration)
    this.#parameters = parameters !== undefined && isExpressible(parameters) ? parameters : undefined
  }

  /** Lays out a frame into `pieces`; where it must not be written the cause is returned. */
  arrange(frame: Uint8Array): 'noConfiguration' | 'badFrame' | undefined {
    this.clear()
    if (this.#parameters === undefined) return 'noConfiguration'
    if (frame.byteLength === 0 || frame.byteLength > MAX_RAW_FRAME_BYTES) return 'badFrame'
    const header = adtsHeader(this.#parameters, frame.byteLength)
    this.pieces.push(header, frame)
    this.payloadBytes = header.byteLength + frame.byteLength
    return undefined
  }

  /** Lets go of the bytes of the last frame. */
  clear(): void {
    this.pieces.length = 0
    this.payloadBytes = 0
  }
}

/** The core's parameters: SBR is found by the decoder itself. */
function parametersOf(configuration: AudioConfiguration): AacParameters | undefined {
  const { audioSpecificConfig, sampleRate, channels } = configuration
  if (audioSpecificConfig === undefined) return { objectType: 2, sampleRate, channels }
  try {
    const parsed = parseAudioSpecificConfig(audioSpecificConfig)
    return { objectType: parsed.objectType, sampleRate: parsed.sampleRate, channels: parsed.channels ?? channels }
  } catch (error) {
    if (error instanceof BitstreamError) return undefined
    throw error
  }
}

function isExpressible(parameters: AacParameters): boolean {
  try {
    adtsHeader(parameters, 0)
    return true
  } catch (error) {
    if (error instanceof BitstreamError) return false
    throw error
  }
}
