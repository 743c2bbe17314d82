import type { EncodedSample } from '@rushes/media'
import type { H264Parameters } from '../../src/arbitraries/h264-parameters.js'
import { writePps, writeSps } from '../../src/arbitraries/h264-parameters.js'
import type { HlsInput } from '../../src/index.js'
import { audio, goodSamples, video } from '../transport-stream/good-stream.js'
import { type Hooks, miniMux } from '../transport-stream/mini-muxer.js'

/** An HLS presentation as its files. */
export type Files = Record<string, string | Uint8Array>

/** Two segments of ten pictures, 0.4 s each; the audio of 0.4 s is 18.75 frames. */
export const MEDIA: string = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:00.000Z
#EXTINF:0.4,
0.ts
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:00:00.400Z
#EXTINF:0.4,
1.ts
#EXT-X-ENDLIST
`

export const MULTIVARIANT: string = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=300000,CODECS="avc1.4d001f,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000
media/index.m3u8
`

/** The segments of the playlist above. */
export function segments(hooks: Hooks = {}, change: (samples: EncodedSample[]) => void = () => {}): Files {
  const { samples, starts } = goodSamples()
  change(samples)
  const [first, second] = miniMux([video, audio], samples, hooks, starts) as [Uint8Array, Uint8Array]
  return { 'media/0.ts': first, 'media/1.ts': second }
}

/** The second segment has pictures by other parameters. */
export function changing(parameters: H264Parameters): Files {
  return segments({}, (samples) => {
    const last = samples.filter(({ keyframe, trackId }) => keyframe && trackId === 'video').at(-1) as EncodedSample
    const data = last.data as Uint8Array[]
    data.splice(0, 2, writeSps(parameters), writePps(parameters))
  })
}

export function goodHls(media: string = MEDIA, multivariant: string = MULTIVARIANT): Files {
  return { 'index.m3u8': multivariant, 'media/index.m3u8': media, ...segments() }
}

export function inputOf(files: Files): HlsInput {
  return {
    entry: 'index.m3u8',
    read: async (uri) => {
      const file = files[uri]
      if (file === undefined) throw new Error(`no file ${uri}`)
      return typeof file === 'string' ? new TextEncoder().encode(file) : file
    },
  }
}
