import type { AudioCodec, VideoCodec } from '@rushes/media'

/** What happens while packets are received. */
export type IngestEvent =
  | {
      readonly type: 'track-started'
      readonly mid: string
      readonly trackId: string
      readonly participantId: string
      readonly kind: 'audio' | 'video'
      readonly codec: AudioCodec | VideoCodec
    }
  | {
      readonly type: 'track-ended'
      readonly mid: string
      readonly trackId: string
      readonly reason: 'bye' | 'timeout' | 'codec-changed' | 'closed'
    }
  /** The sender restarted: the track goes on with another SSRC. */
  | { readonly type: 'source-changed'; readonly mid: string; readonly trackId: string; readonly ssrc: number }
  /** Simulcast: another encoding is put out. */
  | { readonly type: 'layer-changed'; readonly mid: string; readonly trackId: string; readonly layer: string }
  /** A payload type of the description is not understood; told at its first packet. */
  | {
      readonly type: 'unsupported-payload'
      readonly mid: string
      readonly payloadType: number
      readonly encoding: string
    }
  /** Packets from an address that is not the sender's were refused; told once per address, for the first eight. */
  | { readonly type: 'foreign-address'; readonly address: string; readonly port: number }
  /** The target refused a track, or a socket failed. What is concerned receives nothing more; the rest goes on. */
  | { readonly type: 'error'; readonly mid?: string; readonly error: Error }
