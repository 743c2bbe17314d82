import type { AudioTrack, EncodedSample, TimedItem, VideoConfiguration, VideoTrack } from '@rushes/media'

export const video: VideoTrack = { id: 'v', kind: 'video', codec: 'h264', clockRate: 90_000 }
export const audio: AudioTrack = { id: 'a', kind: 'audio', codec: 'opus', clockRate: 48_000 }

export function size(width: number, height: number): VideoConfiguration {
  return { kind: 'video', codec: 'h264', codecString: 'avc1.42c01f', width, height, rotation: 0, reorderDepth: 0 }
}

export const opus = { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels: 1 } as const

/** A picture at `ms`. */
export function picture(ms: number, more: Partial<EncodedSample> = {}): EncodedSample {
  const ticks = ms * 90
  return { type: 'sample', trackId: 'v', data: [], pts: ticks, dts: ticks, keyframe: false, ...more }
}

/** 20 ms of sound at `ms`. */
export function sound(ms: number, more: Partial<EncodedSample> = {}): EncodedSample {
  const ticks = ms * 48
  const data = new Uint8Array(1)
  return { type: 'sample', trackId: 'a', data, pts: ticks, dts: ticks, duration: 960, keyframe: true, ...more }
}

/** What came out, short: `v0K`, `v40`, `a20`, `v>60` for a promise, `v.` for an end. */
export function short(items: readonly TimedItem[]): string {
  return items
    .map((item) => {
      const perMs = item.trackId.startsWith('v') ? 90 : 48
      if (item.type === 'track-end') return `${item.trackId}.`
      if (item.type === 'watermark') return `${item.trackId}>${item.dts / perMs}`
      return `${item.trackId}${item.pts / perMs}${perMs === 90 && item.keyframe ? 'K' : ''}`
    })
    .join(' ')
}
