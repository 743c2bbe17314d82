import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkHls, checkPlaylistUpdate, type Finding, formatFindings, type HlsRule, hlsRules } from '../../src/index.js'
import { miniFragmented } from '../mp4/mini-mp4.js'
import { goodSamples, parameters } from '../transport-stream/good-stream.js'
import { changing, type Files, goodHls, inputOf, MEDIA, MULTIVARIANT, segments } from './good-hls.js'

interface Case {
  readonly rule: HlsRule
  readonly name: string
  readonly files: Files
  readonly also?: readonly string[]
}

/** The good presentation with lines of its media playlist replaced. */
function media(...changes: [from: string | RegExp, to: string][]): Files {
  return goodHls(changes.reduce((text, [from, to]) => text.replace(from, to), MEDIA))
}

function multivariant(from: string | RegExp, to: string): Files {
  return goodHls(MEDIA, MULTIVARIANT.replace(from, to))
}

const later = segments({}, (samples) => {
  const { starts } = goodSamples()
  for (const [index, sample] of samples.entries()) {
    const ticks = sample.trackId === 'video' ? 90_000 : 48_000
    if (index >= (starts[1] as number)) samples[index] = { ...sample, pts: sample.pts + ticks, dts: sample.dts + ticks }
  }
})
const videoOnly = segments({
  section: (section, name, s) =>
    name === 'PMT' && s === 1
      ? [...section.slice(0, 2), 18, ...section.slice(3, 5), 0xc3, ...section.slice(6, 17)]
      : section,
  packet: (packet, f) => (f.segment === 1 && f.pid === 0x101 ? [] : [packet]),
})

const cases: Case[] = [
  { rule: 'playlist-missing', name: 'the entry', files: {} },
  { rule: 'playlist-missing', name: 'a variant', files: { 'index.m3u8': MULTIVARIANT } },
  { rule: 'playlist-syntax', name: 'no #EXTM3U', files: media(['#EXTM3U\n', '']) },
  { rule: 'playlist-syntax', name: 'a byte order mark', files: goodHls(`\ufeff${MEDIA}`) },
  {
    rule: 'playlist-syntax',
    name: 'not UTF-8',
    files: { ...goodHls(), 'media/index.m3u8': Buffer.concat([Buffer.from(MEDIA), Buffer.from([0x23, 0xff, 10])]) },
  },
  {
    rule: 'playlist-syntax',
    name: 'a tag twice',
    files: media(['#EXT-X-VERSION:6', '#EXT-X-VERSION:6\n#EXT-X-VERSION:6']),
  },
  {
    rule: 'playlist-syntax',
    name: 'a URI without EXTINF',
    files: media(['#EXTINF:0.4,\n1.ts', '1.ts']),
    also: ['playlist-parser', 'segment-duration'],
  },
  { rule: 'playlist-syntax', name: 'EXTINF without comma', files: media(['#EXTINF:0.4,\n1', '#EXTINF:0.4\n1']) },
  {
    rule: 'playlist-syntax',
    name: 'EXTINF without URI',
    files: media(['#EXT-X-ENDLIST', '#EXTINF:1,\n#EXT-X-ENDLIST']),
  },
  {
    rule: 'playlist-syntax',
    name: 'tags of both kinds',
    files: multivariant('#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-TARGETDURATION:1'),
  },
  {
    rule: 'playlist-syntax',
    name: 'media sequence after a segment',
    files: media(['#EXT-X-MEDIA-SEQUENCE:0\n', ''], ['#EXT-X-ENDLIST', '#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-ENDLIST']),
  },
  {
    rule: 'playlist-syntax',
    name: 'an attribute list with spaces',
    files: multivariant(',RES', ', RES'),
    also: ['playlist-empty'],
  },
  { rule: 'playlist-syntax', name: 'the last line does not end', files: goodHls(MEDIA.trimEnd()) },
  {
    rule: 'playlist-parser',
    name: 'a negative duration',
    files: media(['#EXTINF:0.4,\n1', '#EXTINF:-1,\n1']),
    also: ['playlist-syntax', 'segment-duration'],
  },
  { rule: 'playlist-version', name: 'fractions in version 2', files: media(['VERSION:6', 'VERSION:2']) },
  {
    rule: 'target-duration',
    name: 'missing',
    files: media(['#EXT-X-TARGETDURATION:1\n', '']),
    also: ['playlist-parser'],
  },
  {
    rule: 'target-duration',
    name: 'below EXTINF',
    files: media(['#EXTINF:0.4,\n1', '#EXTINF:1.5,\n1']),
    also: ['segment-duration'],
  },
  { rule: 'playlist-end', name: 'VOD without end', files: media(['#EXT-X-ENDLIST\n', '']) },
  {
    rule: 'playlist-empty',
    name: 'no segment',
    files: goodHls(`${MEDIA.slice(0, MEDIA.indexOf('#EXT-X-PROGRAM'))}#EXT-X-ENDLIST\n`),
  },
  { rule: 'segment-missing', name: 'a file that is not there', files: media(['1.ts', '2.ts']) },
  {
    rule: 'segment-repeated',
    name: 'the same file twice',
    files: media(['1.ts', '0.ts']),
    also: ['continuity-counter', 'pcr-order', 'dts-order', 'audio-timing', 'segment-times'],
  },
  {
    rule: 'segment-duration',
    name: 'the first, by the next',
    files: media(['#EXTINF:0.4,\n0', '#EXTINF:0.9,\n0']),
    also: ['program-date-time'],
  },
  {
    rule: 'segment-duration',
    name: 'the last, by its pictures and sound',
    files: media(['#EXTINF:0.4,\n1', '#EXTINF:0.7,\n1']),
  },
  {
    rule: 'segment-times',
    name: 'a second is missing',
    files: { ...goodHls(), ...later },
    also: ['audio-timing'],
  },
  { rule: 'discontinuity-tracks', name: 'audio goes away', files: { ...goodHls(), ...videoOnly } },
  {
    rule: 'discontinuity-parameters',
    name: 'another size',
    files: { ...goodHls(), ...changing({ ...parameters, widthInMbs: 40 }) },
  },
  {
    rule: 'discontinuity-parameters',
    name: 'another profile',
    files: {
      ...multivariant('avc1.4d001f', 'avc1.4d001f,avc1.42001f'),
      ...changing({ ...parameters, profileIdc: 66 }),
    },
  },
  { rule: 'program-date-time', name: 'no time zone', files: media(['00.400Z', '00.400']) },
  { rule: 'program-date-time', name: 'half a second off', files: media(['00.400Z', '00.900Z']) },
  {
    rule: 'program-date-time',
    name: 'backwards at a discontinuity',
    files: media(['00.400Z\n', '00.200Z\n#EXT-X-DISCONTINUITY\n']),
  },
  {
    rule: 'variant-syntax',
    name: 'no BANDWIDTH',
    files: multivariant('BANDWIDTH=400000,', ''),
  },
  {
    rule: 'variant-syntax',
    name: 'a group that does not exist',
    files: multivariant('BANDWIDTH=4', 'AUDIO="a",BANDWIDTH=4'),
  },
  { rule: 'variant-codecs', name: 'another profile', files: multivariant('avc1.4d001f', 'avc1.42e01f') },
  { rule: 'variant-codecs', name: 'no audio', files: multivariant(',mp4a.40.2', '') },
  { rule: 'variant-codecs', name: 'none', files: multivariant(/CODECS="[^"]*",/, '') },
  { rule: 'variant-resolution', name: 'another', files: multivariant('320x180', '640x360') },
  { rule: 'variant-bandwidth', name: 'below the peak', files: multivariant('BANDWIDTH=400000', 'BANDWIDTH=100000') },
  {
    rule: 'variant-bandwidth',
    name: 'average too low',
    files: multivariant('AVERAGE-BANDWIDTH=300000', 'AVERAGE-BANDWIDTH=100000'),
  },
  { rule: 'variant-frame-rate', name: 'too low', files: multivariant('25.000', '15.000') },
  { rule: 'variant-frame-rate', name: 'too high', files: multivariant('25.000', '60.000') },
]

const EVENT = MEDIA.replace('VOD', 'EVENT').replace('#EXT-X-ENDLIST\n', '')
const LIVE = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:5
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXTINF:2.0,
5.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.0,
6.ts
#EXTINF:2.0,
7.ts
#EXTINF:2.0,
8.ts
`
const NINE = '#EXTINF:2.0,\n9.ts\n'
const SLID = LIVE.replace('SEQUENCE:5', 'SEQUENCE:6').replace('#EXTINF:2.0,\n5.ts\n', '') + NINE
const SLID_TWICE = `${SLID.replace('SEQUENCE:6', 'SEQUENCE:7').replace('DISCONTINUITY-SEQUENCE:1', 'DISCONTINUITY-SEQUENCE:2').replace('#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\n6.ts\n', '')}#EXTINF:2.0,\n10.ts\n`

const updates: { rule: HlsRule; name: string; before: string; after: string }[] = [
  {
    rule: 'update-changed',
    name: 'target duration',
    before: LIVE,
    after: LIVE.replace('TARGETDURATION:2', 'TARGETDURATION:3'),
  },
  { rule: 'update-changed', name: 'version', before: LIVE, after: LIVE.replace('VERSION:3', 'VERSION:4') },
  {
    rule: 'update-changed',
    name: 'after the end',
    before: `${LIVE}#EXT-X-ENDLIST\n`,
    after: `${LIVE}${NINE}#EXT-X-ENDLIST\n`,
  },
  {
    rule: 'update-append-only',
    name: 'a line that changes',
    before: EVENT,
    after: EVENT.replace('#EXTINF:0.4,\n0', '#EXTINF:0.5,\n0'),
  },
  {
    rule: 'update-append-only',
    name: 'a discontinuity added later',
    before: EVENT,
    after: EVENT.replace('#EXTINF:0.4,\n1', '#EXT-X-DISCONTINUITY\n#EXTINF:0.4,\n1'),
  },
  {
    rule: 'update-append-only',
    name: 'a segment that leaves an EVENT playlist',
    before: EVENT,
    after: EVENT.replace('#EXTINF:0.4,\n0.ts\n', ''),
  },
  {
    rule: 'update-append-only',
    name: 'a duration that changes in a window',
    before: LIVE,
    after: LIVE.replace('#EXTINF:2.0,\n7', '#EXTINF:1.9,\n7'),
  },
  { rule: 'update-media-sequence', name: 'backwards', before: SLID, after: LIVE },
  {
    rule: 'update-media-sequence',
    name: 'not counted',
    before: LIVE,
    after: SLID.replace('MEDIA-SEQUENCE:6', 'MEDIA-SEQUENCE:5'),
  },
  {
    rule: 'update-media-sequence',
    name: 'a segment taken from the middle',
    before: LIVE,
    after: LIVE.replace('#EXTINF:2.0,\n7.ts\n', '') + NINE,
  },
  {
    rule: 'update-discontinuity-sequence',
    name: 'not counted',
    before: SLID,
    after: SLID_TWICE.replace('DISCONTINUITY-SEQUENCE:2', 'DISCONTINUITY-SEQUENCE:1'),
  },
  {
    rule: 'update-discontinuity-sequence',
    name: 'counted too early',
    before: LIVE,
    after: SLID.replace('DISCONTINUITY-SEQUENCE:1', 'DISCONTINUITY-SEQUENCE:2'),
  },
  {
    rule: 'update-window',
    name: 'too short',
    before: LIVE,
    after: SLID_TWICE.replace(/#EXTINF:2.0,\n(9|10).ts\n/g, ''),
  },
]

function rulesOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ rule }) => rule))].sort()
}

describe('checkHls', () => {
  it('finds nothing in a good presentation', async () => {
    expect(formatFindings(await checkHls(inputOf(goodHls())))).toBe('')
  })

  it('takes a media playlist too, and CMAF', async () => {
    const files = goodHls()
    const direct = await checkHls({ ...inputOf(files), entry: 'media/index.m3u8' })
    expect(formatFindings(direct)).toBe('')
    const whole = miniFragmented()
    const at = whole.indexOf('moof') - 4
    const text = MEDIA.replace('#EXTINF', '#EXT-X-MAP:URI="init.mp4"\n#EXTINF').replace(
      /#EXT-X-PROG.*400Z\n#EXTINF:0.4,\n1.ts\n/,
      '',
    )
    const cmaf = { 'index.m3u8': text, 'init.mp4': whole.subarray(0, at), '0.ts': whole.subarray(at) }
    expect(formatFindings(await checkHls(inputOf(cmaf)))).toBe('')
    const broken = { ...cmaf, '0.ts': whole.subarray(at, -1) }
    expect(rulesOf(await checkHls(inputOf(broken)))).toContain('box-size')
  })

  it('lets a declared discontinuity change anything', async () => {
    const files = { ...media(['#EXTINF:0.4,\n1', '#EXT-X-DISCONTINUITY\n#EXTINF:0.4,\n1']), ...later }
    expect(formatFindings(await checkHls(inputOf(files)))).toBe('')
    const resized = { ...files, ...changing({ ...parameters, widthInMbs: 40 }) }
    expect(formatFindings(await checkHls(inputOf(resized)))).toBe('')
  })

  it('takes two pictures that are near to each other for no frame rate', async () => {
    const two = segments({}, (samples) => {
      const [from = 0] = goodSamples().starts.slice(1)
      const tail = samples.splice(from).filter(({ trackId }) => trackId === 'video')
      const [first, second] = tail as [(typeof tail)[0], (typeof tail)[0]]
      samples.push(first, { ...second, pts: first.pts + 1440, dts: first.dts + 1440 })
    })
    const findings = await checkHls(inputOf({ ...goodHls(), ...two }))
    expect(rulesOf(findings)).not.toContain('variant-frame-rate')
  })

  it('finds what is wrong inside segments', async () => {
    const broken = segments({ accessUnit: (nalUnits, picture) => (picture === 10 ? nalUnits.slice(1) : nalUnits) })
    const findings = await checkHls(inputOf({ ...goodHls(), ...broken }))
    expect(findings).toMatchObject([{ rule: 'access-unit-delimiter', segment: 1, uri: '1.ts' }])
  })

  it.each(cases)('$rule: $name', async ({ rule, files, also = [] }) => {
    const findings = await checkHls(inputOf(files))
    expect(rulesOf(findings), formatFindings(findings)).toEqual([...new Set([rule, ...also])].sort())
  })

  it('has a case for every rule', () => {
    const broken = [...cases, ...updates].map(({ rule }) => ({ rule, message: '' }))
    expect(rulesOf(broken)).toEqual(Object.keys(hlsRules).sort())
  })
})

describe('checkPlaylistUpdate', () => {
  it('finds nothing in good updates', () => {
    const grown = `${EVENT}#EXTINF:0.4,\n2.ts\n`
    for (const [before, after] of [
      [EVENT, EVENT],
      [EVENT, grown],
      [grown, `${grown}#EXT-X-ENDLIST\n`],
      [LIVE, SLID],
      [SLID, SLID_TWICE],
      [LIVE, SLID_TWICE],
    ] as const) {
      expect(formatFindings(checkPlaylistUpdate(before, after))).toBe('')
    }
  })

  it.each(updates)('$rule: $name', ({ rule, before, after }) => {
    const findings = checkPlaylistUpdate(before, after)
    expect(rulesOf(findings), formatFindings(findings)).toEqual([rule])
  })
})

describe.skipIf(spawnSync('ffmpeg', ['-version']).error !== undefined && !process.env['CI'])('ffmpeg', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'testkit-hls-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  it('writes playlists and segments without findings', async () => {
    const source = '-f lavfi -i testsrc2=s=320x180:r=25:d=6 -f lavfi -i sine=440:r=48000:d=6'
    const codecs = '-c:v libx264 -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -ac 1'
    const hls = '-f hls -hls_time 2 -hls_playlist_type vod -hls_flags independent_segments'
    execFileSync('ffmpeg', `-v error -y ${source} ${codecs} ${hls} ${dir}/index.m3u8`.split(' '))
    const findings = await checkHls(
      { entry: 'index.m3u8', read: (uri) => readFileSync(join(dir, uri)) },
      { transportStream: { allowServiceInformation: true } },
    )
    expect(formatFindings(findings)).toBe('')
  })
})
