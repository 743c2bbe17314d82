import type { NewTrack, TrackTarget } from '@rushes/media'
import { isRtcp } from '@rushes/rtp-depacketizer'

export interface MemoryTrack extends NewTrack {
  readonly id: string
  readonly packets: { readonly bytes: Uint8Array; readonly arrivalUs: number }[]
  readonly rtp: Uint8Array[]
  readonly rtcp: Uint8Array[]
  ended: boolean
}

/** Keeps all tracks in memory. */
export function memoryTarget(): TrackTarget & { readonly tracks: MemoryTrack[] } {
  const tracks: MemoryTrack[] = []
  return {
    tracks,
    addTrack(track) {
      const id = `${track.participantId}-${track.kind}-${tracks.length}`
      const kept: MemoryTrack = { ...track, id, packets: [], rtp: [], rtcp: [], ended: false }
      tracks.push(kept)
      return {
        id,
        write(bytes, arrivalUs = 0) {
          if (kept.ended) throw new Error('written after its end')
          kept.packets.push({ bytes, arrivalUs })
          if (isRtcp(bytes)) kept.rtcp.push(bytes)
          else kept.rtp.push(bytes)
          return true
        },
        end() {
          kept.ended = true
        },
      }
    },
  }
}

export function sequenceNumberOf(bytes: Uint8Array): number {
  return (bytes[2]! << 8) | bytes[3]!
}
