import { ConfigurationError, type Signal } from '@rushes/media'

/** Options of every depacketizer. */
export interface DepacketizerOptions {
  /**
   * Packets held while one before them is missing. 2048 are a second of 20 Mbit/s, and 40 s of audio.
   * @defaultValue 2048
   */
  readonly maxPackets?: number
  /**
   * Bytes held while a packet before them is missing: bounds a track that sends large packets. @defaultValue 8 MiB
   */
  readonly maxBytes?: number
  /**
   * Microseconds for which a missing packet is waited for, counted in arrival times. Retransmissions (NACK) were seen
   * to take 225 ms; half a second allows for a second try. Without arrival times only the other two bounds hold.
   * @defaultValue 500_000
   */
  readonly maxDelayUs?: number
  /**
   * How many of the very first packets are awaited before any is passed on, since the first to come need not be the
   * first that was sent, and a video whose parameter sets came second would lose its first picture. 1 turns it off.
   * @defaultValue 16
   */
  readonly startPackets?: number
  /** Microseconds after which the first packets are passed on even if there are fewer. @defaultValue 100_000 */
  readonly startDelayUs?: number
  /**
   * Whether RTCP BYE ends the track. `false` for an input that outlives its sender, such as a UDP port: a later sender
   * is then a new epoch. @defaultValue true
   */
  readonly endOnBye?: boolean
  /** Called, at once, when something is needed from outside: a keyframe. */
  readonly onSignal?: (signal: Signal) => void
}

/** Options of the H264 depacketizer. */
export interface H264DepacketizerOptions extends DepacketizerOptions {
  /**
   * After loss that spoils later pictures: `freeze` drops them up to the next keyframe, `continue` emits every picture
   * that came whole, for decoders that rather show damage. @defaultValue 'freeze'
   */
  readonly afterLoss?: 'freeze' | 'continue'
  /**
   * Takes a picture with a recovery point SEI message (ITU-T H.264 §D.2.8) for a keyframe, for streams that refresh
   * gradually and have no IDR pictures. Decoders show damage until the refresh is through. @defaultValue false
   */
  readonly acceptRecoveryPoint?: boolean
}

/** Options of the H265 depacketizer: those of H264, with the same meaning (the SEI message is that of ITU-T H.265). */
export type H265DepacketizerOptions = H264DepacketizerOptions

/** Options of the VP8 and AV1 depacketizers. */
export interface FrameDepacketizerOptions extends DepacketizerOptions {
  /**
   * After loss that spoils later pictures: `freeze` drops them up to the next that can be decoded, `continue` emits
   * every picture that came whole, for decoders that rather show damage. @defaultValue 'freeze'
   */
  readonly afterLoss?: 'freeze' | 'continue'
}

/** Options of the VP9 depacketizer. */
export interface Vp9DepacketizerOptions extends FrameDepacketizerOptions {
  /** The highest spatial layer to take, 0 to 7. @defaultValue 7: the highest that comes */
  readonly maxSpatialLayer?: number
}

/** The bounds, with their defaults. */
export interface ResolvedDepacketizerOptions {
  readonly maxPackets: number
  readonly maxBytes: number
  readonly maxDelayUs: number
  readonly startPackets: number
  readonly startDelayUs: number
  readonly endOnBye: boolean
  readonly onSignal: ((signal: Signal) => void) | undefined
}

/** Fills in defaults. Throws ConfigurationError. */
export function resolveDepacketizerOptions(options: DepacketizerOptions): ResolvedDepacketizerOptions {
  return {
    maxPackets: integer('maxPackets', options.maxPackets, 2048, 1, 2048),
    maxBytes: integer('maxBytes', options.maxBytes, 8 * 1024 * 1024, 65_536, Number.MAX_SAFE_INTEGER),
    maxDelayUs: integer('maxDelayUs', options.maxDelayUs, 500_000, 0, Number.MAX_SAFE_INTEGER),
    startPackets: integer('startPackets', options.startPackets, 16, 1, 1024),
    startDelayUs: integer('startDelayUs', options.startDelayUs, 100_000, 0, Number.MAX_SAFE_INTEGER),
    endOnBye: boolean('endOnBye', options.endOnBye, true),
    onSignal: handler('onSignal', options.onSignal),
  }
}

/** An integer within bounds, or its default. Throws ConfigurationError. */
export function integer(field: string, value: unknown, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new ConfigurationError(field, `must be an integer from ${min} to ${max}`, value)
  }
  return value
}

/** A switch, or its default. Throws ConfigurationError. */
export function boolean(field: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new ConfigurationError(field, 'must be true or false', value)
  return value
}

function handler(field: string, value: ((signal: Signal) => void) | undefined): typeof value {
  if (value !== undefined && typeof value !== 'function') {
    throw new ConfigurationError(field, 'must be a function', value)
  }
  return value
}
