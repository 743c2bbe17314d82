import { describe, expect, it } from 'vitest'
import { HlsPlaylistError, type MediaPlaylist, parseMediaPlaylist, serializeMediaPlaylist } from '../src/index.js'

const segment = { uri: 'a.ts', durationUs: 6_000_000, discontinuity: false }
const playlist: MediaPlaylist = {
  version: 3,
  targetDuration: 6,
  mediaSequence: 0,
  discontinuitySequence: 0,
  independentSegments: false,
  endList: false,
  segments: [segment],
}

describe('serializeMediaPlaylist', () => {
  it('writes every tag of the model', () => {
    const map = { uri: 'init "'.replace('"', "'"), byteRange: { length: 700, offset: 0 } }
    expect(
      serializeMediaPlaylist({
        version: 6,
        targetDuration: 7,
        mediaSequence: 41,
        discontinuitySequence: 2,
        playlistType: 'EVENT',
        independentSegments: true,
        endList: true,
        segments: [
          { ...segment, map, title: 'one, two', programDateTimeMs: 0, byteRange: { length: 10, offset: 700 } },
          { ...segment, map, uri: 'b.ts', durationUs: 1 },
          { ...segment, map: { uri: 'init2' }, uri: 'c.ts', durationUs: 7_499_999, discontinuity: true },
        ],
      }),
    ).toBe(`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:7
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init '",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z
#EXTINF:6.000000,one, two
#EXT-X-BYTERANGE:10@700
a.ts
#EXTINF:0.000001,
b.ts
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init2"
#EXTINF:7.499999,
c.ts
#EXT-X-ENDLIST
`)
  })

  it.each([
    ['a segment longer than the target duration', { segments: [{ ...segment, durationUs: 6_500_000 }] }, 'durationUs'],
    ['no duration', { segments: [{ ...segment, durationUs: 0 }] }, 'durationUs'],
    ['parts of microseconds', { segments: [{ ...segment, durationUs: 0.5 }] }, 'durationUs'],
    ['a line end in a URI', { segments: [{ ...segment, uri: 'a\n#EXT-X-ENDLIST' }] }, 'uri'],
    ['a URI that is a comment', { segments: [{ ...segment, uri: '#a' }] }, 'uri'],
    ['a URI with white space around it', { segments: [{ ...segment, uri: 'a ' }] }, 'uri'],
    ['no URI', { segments: [{ ...segment, uri: '' }] }, 'uri'],
    ['a lone surrogate', { segments: [{ ...segment, title: '\ud800' }] }, 'title'],
    ['a map with a quotation mark', { version: 6, segments: [{ ...segment, map: { uri: 'a"b' } }] }, 'map.uri'],
    ['a map that goes away', { version: 6, segments: [{ ...segment, map: { uri: 'a' } }, segment] }, 'map'],
    ['a version too low', { segments: [{ ...segment, map: { uri: 'a' } }] }, 'version'],
    ['a date that players cannot read', { segments: [{ ...segment, programDateTimeMs: 1e15 }] }, 'programDateTimeMs'],
    ['a fraction as target duration', { targetDuration: 6.5 }, 'targetDuration'],
    ['a negative number', { mediaSequence: -1 }, 'mediaSequence'],
    ['a negative range', { version: 4, segments: [{ ...segment, byteRange: { length: -1, offset: 0 } }] }, 'byteRange'],
  ] satisfies [string, Partial<MediaPlaylist>, string][])('refuses %s', (_name, change, field) => {
    let error: unknown
    try {
      serializeMediaPlaylist({ ...playlist, ...change })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(HlsPlaylistError)
    expect(error).toMatchObject({ code: 'HLS_PLAYLIST_INVALID', message: expect.stringMatching(`^${field}:`) })
  })
})

describe('parseMediaPlaylist', () => {
  it('reads what others write', () => {
    expect(
      parseMediaPlaylist(
        [
          '#EXTM3U',
          '# a comment',
          '#EXT-X-TARGETDURATION:10',
          '#EXT-X-ALLOW-CACHE:YES',
          '#EXT-X-PLAYLIST-TYPE:VOD',
          '',
          '#EXT-X-PROGRAM-DATE-TIME:2010-02-19T14:54:23.031+08:00',
          '#EXTINF:9.009,',
          'http://media.example.com/first.ts',
          '#EXTINF:9',
          '#EXT-X-BYTERANGE:100',
          'second.ts',
          '#EXTINF:3.003,title',
          '#EXT-X-BYTERANGE:50',
          'second.ts',
          '#EXT-X-ENDLIST',
        ].join('\r\n'),
      ),
    ).toEqual({
      version: 1,
      targetDuration: 10,
      mediaSequence: 0,
      discontinuitySequence: 0,
      playlistType: 'VOD',
      independentSegments: false,
      endList: true,
      segments: [
        {
          uri: 'http://media.example.com/first.ts',
          durationUs: 9_009_000,
          discontinuity: false,
          programDateTimeMs: Date.UTC(2010, 1, 19, 6, 54, 23, 31),
        },
        { uri: 'second.ts', durationUs: 9_000_000, discontinuity: false, byteRange: { length: 100, offset: 0 } },
        {
          uri: 'second.ts',
          durationUs: 3_003_000,
          discontinuity: false,
          title: 'title',
          byteRange: { length: 50, offset: 100 },
        },
      ],
    })
  })

  const head = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n'
  it.each([
    ['nothing', '', 'HLS_NOT_A_PLAYLIST'],
    ['HTML', '<html>', 'HLS_NOT_A_PLAYLIST'],
    ['another first tag', '#EXTM3U8\n', 'HLS_NOT_A_PLAYLIST'],
    ['a byte order mark', `\ufeff${head}`, 'HLS_NOT_A_PLAYLIST'],
    ['no target duration', '#EXTM3U\n#EXTINF:6,\na.ts\n', 'HLS_PLAYLIST_INVALID'],
    ['no EXTINF', `${head}a.ts\n`, 'HLS_PLAYLIST_INVALID'],
    ['a negative EXTINF', `${head}#EXTINF:-1,\na.ts\n`, 'HLS_PLAYLIST_INVALID'],
    ['an unknown type', `${head}#EXT-X-PLAYLIST-TYPE:LIVE\n`, 'HLS_PLAYLIST_INVALID'],
    ['a type that only contains a known one', `${head}#EXT-X-PLAYLIST-TYPE:EVENTS\n`, 'HLS_PLAYLIST_INVALID'],
    ['a date that is none', `${head}#EXT-X-PROGRAM-DATE-TIME:today\n#EXTINF:6,\na.ts\n`, 'HLS_PLAYLIST_INVALID'],
    ['a negative sequence', `${head}#EXT-X-MEDIA-SEQUENCE:-4\n#EXTINF:6,\na.ts\n`, 'HLS_PLAYLIST_INVALID'],
    ['a map without URI', `${head}#EXT-X-MAP:BYTERANGE="1@0"\n#EXTINF:6,\na.ts\n`, 'HLS_PLAYLIST_INVALID'],
    ['encryption', `${head}#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:6,\na.ts\n`, 'HLS_PLAYLIST_UNSUPPORTED'],
    ['I-frames only', `${head}#EXT-X-VERSION:4\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:6,\na.ts\n`, 'HLS_PLAYLIST_UNSUPPORTED'],
    ['a multivariant playlist', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n', 'HLS_WRONG_PLAYLIST_KIND'],
  ])('refuses %s', (_name, text, code) => {
    expect(() => parseMediaPlaylist(text)).toThrow(HlsPlaylistError)
    expect(() => parseMediaPlaylist(text)).toThrow(expect.objectContaining({ code }))
  })
})
