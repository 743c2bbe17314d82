import type { RuleText } from '../finding.js'

const rules = {
  // Any playlist
  'playlist-missing': { rule: 'the playlist can be read', source: 'RFC 8216 4' },
  'playlist-syntax': {
    rule: 'UTF-8 without BOM, #EXTM3U first, tags well-formed, in their place, of one kind of playlist, once where once',
    source: 'RFC 8216 4.1, 4.2, 4.3',
  },
  'playlist-parser': { rule: 'm3u8-parser reads the same from it', source: 'this oracle (a parser that players use)' },
  'playlist-version': { rule: 'EXT-X-VERSION is at least what the tags in use need', source: 'RFC 8216 7' },
  // Media playlist
  'target-duration': {
    rule: 'EXT-X-TARGETDURATION is there, an integer, and no EXTINF rounds to more',
    source: 'RFC 8216 4.3.3.1',
  },
  'playlist-end': { rule: 'a VOD playlist has EXT-X-ENDLIST', source: 'RFC 8216 4.3.3.5, 6.2.1' },
  'playlist-empty': { rule: 'there is a segment', source: 'design rule' },
  'segment-missing': {
    rule: 'every segment and EXT-X-MAP can be read',
    source: 'RFC 8216 6.2.1; design rule (order in the store)',
  },
  'segment-repeated': { rule: 'no URI is used for two segments', source: 'RFC 8216 3 (a segment is one resource)' },
  'segment-duration': {
    rule: 'EXTINF is how long the segment lasts by its timestamps',
    source: 'RFC 8216 4.3.2.1',
  },
  'segment-times': {
    rule: 'timestamps go on where the segment before ended, unless EXT-X-DISCONTINUITY says otherwise',
    source: 'RFC 8216 4.3.2.3',
  },
  'discontinuity-tracks': {
    rule: 'EXT-X-DISCONTINUITY where number, type or PIDs of the tracks change',
    source: 'RFC 8216 4.3.2.3 (MUST)',
  },
  'discontinuity-parameters': {
    rule: 'EXT-X-DISCONTINUITY where size or profile change, which they only do at a segment boundary',
    source: 'RFC 8216 4.3.2.3 (SHOULD)',
  },
  'program-date-time': {
    rule: 'EXT-X-PROGRAM-DATE-TIME is a date with time zone and advances by the EXTINF in between; never backwards',
    source: 'RFC 8216 4.3.2.6',
  },
  // Multivariant playlist
  'variant-syntax': {
    rule: 'EXT-X-STREAM-INF has BANDWIDTH and is followed by a URI; renditions that it names exist',
    source: 'RFC 8216 4.3.4.1, 4.3.4.2',
  },
  'variant-codecs': { rule: 'CODECS names what is in the segments, all of it', source: 'RFC 8216 4.3.4.2' },
  'variant-resolution': { rule: 'RESOLUTION is the size of pictures in the segments', source: 'RFC 8216 4.3.4.2' },
  'variant-bandwidth': {
    rule: 'BANDWIDTH is at least the peak segment bit rate, AVERAGE-BANDWIDTH at least the average',
    source: 'RFC 8216 4.1, 4.3.4.2',
  },
  'variant-frame-rate': {
    rule: 'FRAME-RATE is no less than any segment has, and not twice what the fastest has',
    source: 'RFC 8216 4.3.4.2',
  },
  // Two snapshots
  'update-changed': {
    rule: 'EXT-X-VERSION, EXT-X-TARGETDURATION and EXT-X-PLAYLIST-TYPE stay; after EXT-X-ENDLIST nothing changes',
    source: 'RFC 8216 6.2.1, 6.2.2',
  },
  'update-append-only': {
    rule: 'an EVENT playlist only gains lines at its end; lines that stay in a live playlist do not change',
    source: 'RFC 8216 4.3.3.5, 6.2.1',
  },
  'update-media-sequence': {
    rule: 'EXT-X-MEDIA-SEQUENCE grows by the segments removed, from the start only',
    source: 'RFC 8216 4.3.3.2, 6.2.2',
  },
  'update-discontinuity-sequence': {
    rule: 'EXT-X-DISCONTINUITY-SEQUENCE grows by the discontinuities removed, and is there if any is',
    source: 'RFC 8216 4.3.3.3, 6.2.2',
  },
  'update-window': {
    rule: 'no segment is removed when less than three target durations would be left',
    source: 'RFC 8216 6.2.2',
  },
} as const

/** The id of a rule for playlists; segments add the rules of their container. */
export type HlsRule = keyof typeof rules

/** Every rule that `checkHls` and `checkPlaylistUpdate` know. */
export const hlsRules: Readonly<Record<HlsRule, RuleText>> = rules
