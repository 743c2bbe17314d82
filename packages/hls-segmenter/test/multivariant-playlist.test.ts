import { describe, expect, it } from 'vitest'
import {
  HlsPlaylistError,
  type MultivariantPlaylist,
  parseMultivariantPlaylist,
  serializeMultivariantPlaylist,
} from '../src/index.js'

describe('serializeMultivariantPlaylist', () => {
  it('writes every attribute', () => {
    expect(
      serializeMultivariantPlaylist({
        version: 3,
        independentSegments: true,
        variants: [
          {
            uri: 'high/media.m3u8',
            bandwidth: 2_000_000,
            averageBandwidth: 1_500_000,
            codecs: ['avc1.42c01f', 'mp4a.40.2'],
            resolution: { width: 1280, height: 720 },
            frameRate: 29.97,
          },
          { uri: 'sound.m3u8', bandwidth: 64_000 },
        ],
      }),
    ).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,CODECS="avc1.42c01f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970
high/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000
sound.m3u8
`)
  })

  const rendition = { groupId: 'audio', name: 'Everyone', isDefault: true, autoselect: true }

  it('writes renditions of sound before the variants that name their group', () => {
    const playlist: MultivariantPlaylist = {
      version: 4,
      independentSegments: false,
      audio: [
        { ...rendition, language: 'en', uri: 'audio-1/media.m3u8' },
        { ...rendition, name: 'In the variant', isDefault: false, autoselect: false },
      ],
      variants: [{ uri: 'video.m3u8', bandwidth: 1, audioGroup: 'audio' }],
    }
    const text = serializeMultivariantPlaylist(playlist)
    expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:4
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Everyone",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="audio-1/media.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="In the variant",DEFAULT=NO,AUTOSELECT=NO
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"
video.m3u8
`)
    expect(parseMultivariantPlaylist(text)).toEqual(playlist)
  })

  it.each([
    ['a group that no rendition is of', [rendition], 'sound'],
    ['a name twice', [rendition, { ...rendition, isDefault: false }], 'audio'],
    ['two defaults', [rendition, { ...rendition, name: 'b' }], 'audio'],
    ['a default that is not selected', [{ ...rendition, autoselect: false }], 'audio'],
    ['a quotation mark', [{ ...rendition, name: '"' }], 'audio'],
  ])('refuses %s', (_name, audio, audioGroup) => {
    const variants = [{ uri: 'a', bandwidth: 1, audioGroup }]
    const playlist: MultivariantPlaylist = { version: 4, independentSegments: false, audio, variants }
    expect(() => serializeMultivariantPlaylist(playlist)).toThrow(
      expect.objectContaining({ code: 'HLS_PLAYLIST_INVALID' }),
    )
  })

  const variant = { uri: 'a', bandwidth: 1 }
  it.each([
    { ...variant, bandwidth: 1.5 },
    { ...variant, averageBandwidth: -1 },
    { ...variant, codecs: [] },
    { ...variant, codecs: ['a,b'] },
    { ...variant, codecs: ['a"b'] },
    { ...variant, resolution: { width: 0, height: 1 } },
    { ...variant, frameRate: 0 },
    { ...variant, frameRate: 0.0004 },
    { ...variant, frameRate: Number.NaN },
    { ...variant, uri: 'a\rb' },
  ] satisfies MultivariantPlaylist['variants'])('refuses %j', (bad) => {
    const playlist = { version: 3, independentSegments: false, variants: [bad] }
    expect(() => serializeMultivariantPlaylist(playlist)).toThrow(HlsPlaylistError)
  })
})

describe('parseMultivariantPlaylist', () => {
  it('reads what others write', () => {
    const text = `#EXTM3U\r
#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=1280000,NAME="a, b",CODECS="avc1.4d401e, mp4a.40.2",FRAME-RATE=25\r
http://example.com/low.m3u8\r
`
    expect(parseMultivariantPlaylist(text)).toEqual({
      version: 1,
      independentSegments: false,
      variants: [
        {
          uri: 'http://example.com/low.m3u8',
          bandwidth: 1_280_000,
          codecs: ['avc1.4d401e', 'mp4a.40.2'],
          frameRate: 25,
        },
      ],
    })
  })

  it.each([
    ['nothing', '', 'HLS_NOT_A_PLAYLIST'],
    ['no bandwidth', '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="a"\na\n', 'HLS_PLAYLIST_INVALID'],
    ['a bandwidth that is none', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=fast\na\n', 'HLS_PLAYLIST_INVALID'],
    ['a size that is none', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=big\na\n', 'HLS_PLAYLIST_INVALID'],
    ['a media playlist', '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n', 'HLS_WRONG_PLAYLIST_KIND'],
    ['subtitles', '#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="a",NAME="b"\n', 'HLS_PLAYLIST_UNSUPPORTED'],
  ])('refuses %s', (_name, text, code) => {
    expect(() => parseMultivariantPlaylist(text)).toThrow(expect.objectContaining({ code }))
  })
})
