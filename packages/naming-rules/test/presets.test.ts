import { describe, expect, it } from 'vitest'
import {
  type NamingFacts,
  type NamingRule,
  type OutputContainer,
  outputNames,
  presets,
  type WcsNamingOptions,
} from '../src/index.js'

const composite: NamingFacts = { recordingId: 'rec-7', roomId: 'room-1', kind: 'composite', startedAtUs: 0 }
const individual: NamingFacts = { ...composite, kind: 'individual', participantId: 'alice' }
const { fishjam, hundredMs, jocloud, wcs } = presets

/** The main object, unless a suffix is given. */
function keyOf(rule: NamingRule, facts: NamingFacts, container: OutputContainer, suffix?: string): string {
  const names = outputNames(rule, facts, container)
  return suffix === undefined ? names.main : names.key(suffix)
}

describe('the names of other products, byte for byte', () => {
  const session: NamingFacts = {
    recordingId: 'rec-7',
    roomId: '61101349d0f56e684b608c08',
    sessionId: '5fccb7dc72909272bf999014',
    kind: 'composite',
    startedAtUs: 1_626_898_422_000_000,
  }
  const peer: NamingFacts = {
    ...session,
    kind: 'individual',
    participantId: '76539d6b-d10d-4790-bdd2-ab57fa7facb0',
    streamId: '9aeec8db-524d-4129-874d-7a71d340bdec',
  }
  const rid: NamingFacts = { ...composite, recordingId: 'ba1107310000565164da34f816f842da94d', roomId: 'abcabc' }
  const cases: readonly [string, NamingRule, NamingFacts, OutputContainer, string][] = [
    ['Fishjam', fishjam({ prefix: 'recordings' }), composite, 'hls', 'recordings/room-1/rec-7/index.m3u8'],
    ['Fishjam, no base', fishjam(), composite, 'hls', 'room-1/rec-7/index.m3u8'],
    ['Fishjam, MP4', fishjam(), composite, 'mp4', 'room-1/rec-7.mp4'],
    ['Fishjam, participant', fishjam(), individual, 'hls', 'room-1/rec-7/participants/alice/index.m3u8'],
    [
      '100ms',
      hundredMs({ prefix: 'test-prefix' }),
      session,
      'mp4',
      'test-prefix/61101349d0f56e684b608c08/20210721/5fccb7dc72909272bf999014/Rec-5fccb7dc72909272bf999014-1626898422000.mp4',
    ],
    [
      '100ms, participant',
      hundredMs({ prefix: 'test-prefix' }),
      peer,
      'mp4',
      'test-prefix/61101349d0f56e684b608c08/20210721/5fccb7dc72909272bf999014/76539d6b-d10d-4790-bdd2-ab57fa7facb0/9aeec8db-524d-4129-874d-7a71d340bdec/9aeec8db-524d-4129-874d-7a71d340bdec.mp4',
    ],
    ['100ms, HLS', hundredMs(), composite, 'hls', 'room-1/19700101/rec-7/Rec-rec-7-0/index.m3u8'],
    ['100ms, no stream', hundredMs(), individual, 'mp4', 'room-1/19700101/rec-7/alice/alice/alice.mp4'],
    ['Jocloud', jocloud(), rid, 'hls', 'rid_ba1107310000565164da34f816f842da94d_abcabc.m3u8'],
    [
      'Jocloud, user',
      jocloud(),
      { ...rid, kind: 'individual', participantId: '10266666' },
      'hls',
      'rid_ba1107310000565164da34f816f842da94d_abcabc__uid_s_10266666__uid_e.m3u8',
    ],
    ['Jocloud, uid', jocloud(), { ...individual, uid: '1' }, 'mp4', 'rid_rec-7_room-1__uid_s_1__uid_e.mp4'],
    ['Jocloud, prefix', jocloud({ prefix: '/a/b/' }), composite, 'hls', 'a/b/rid_rec-7_room-1.m3u8'],
    ['WCS', wcs(), individual, 'mp4', 'stream-cmVjLTc-alice-alice.mp4'],
    [
      'WCS, all facts',
      wcs({ prefix: 'records' }),
      {
        ...individual,
        sessionId: '/5.44.168.45:52174/95.191.131.65:8443',
        mediaSessionId: '5a072377-73c1-4caf-abd3-6a1a0b2c3d4e',
        login: 'user1',
      },
      'webm',
      'records/stream-LzUuNDQuMTY4LjQ1OjUyMTc0Lzk1LjE5MS4xMzEuNjU6ODQ0Mw-5a072377-73c1-4caf-abd3-6a1a0b2c3d4e-user1.webm',
    ],
    ['WCS, composite', wcs(), composite, 'mp4', 'stream-cmVjLTc-composite-composite.mp4'],
    [
      'WCS, streamName',
      wcs({ policy: 'streamName' }),
      { ...individual, streamName: 'stream_ffmpeg' },
      'mp4',
      'stream_ffmpeg.mp4',
    ],
    ['WCS, streamName of a room', wcs({ policy: 'streamName' }), composite, 'mp4', 'room-1.mp4'],
  ]
  for (const [name, rule, facts, container, expected] of cases) {
    it(`${name}: ${expected}`, () => {
      expect(keyOf(rule, facts, container)).toBe(expected)
    })
  }

  it('fill the templates of WCS', () => {
    const facts: NamingFacts = {
      ...individual,
      streamName: 'cam',
      startedAtUs: 1_626_898_422_000_999,
      endedAtUs: 1_626_898_423_500_000,
      audioCodec: 'opus',
      videoCodec: 'H264',
    }
    const named = (template: string, change: Partial<NamingFacts> = {}): string =>
      wcs({ template }).name({ ...facts, ...change })
    expect(named('{streamName}-{startTime}-{endTime}-{duration}')).toBe('cam-1626898422000-1626898423500-1499')
    expect(named('{startTimeMillis}_{endTimeMillis}')).toBe('1626898422000_1626898423500')
    expect(named('{streamName}.{audioCodec}.{videoCodec}')).toBe('cam.opus.H264')
    expect(named('{audioCodec}{videoCodec}', { audioCodec: 'mpeg4-generic', videoCodec: '' })).toBe('mpegnone')
    expect(named('{login}', { extras: { login: 'more' } })).toBe('more')
  })

  it('keep to the lengths of the elements of WCS', () => {
    const long = 'x'.repeat(100)
    const facts = { ...individual, sessionId: long, mediaSessionId: long, login: long }
    const [session = '', media = '', login = ''] = wcs({ template: '{sessionId}+{mediaSessionId}+{login}' })
      .name(facts)
      .split('+')
    expect([session.length, media.length, login.length]).toEqual([60, 36, 32])
    const fit = { ...individual, sessionId: 'x'.repeat(45), mediaSessionId: 'm'.repeat(36), login: 'l'.repeat(32) }
    expect(wcs().name(fit)).toBe(`stream-${'eHh4'.repeat(15)}-${'m'.repeat(36)}-${'l'.repeat(32)}`)
  })

  it('encode what cannot stand in the name of a stream, or refuse it', () => {
    const facts = { ...individual, streamName: 'live/cam 1' }
    expect(wcs({ policy: 'streamName' }).name(facts)).toBe('live%2Fcam 1')
    expect(wcs({ policy: 'streamName', encoding: 'base64url' }).name(facts)).toBe('bGl2ZS9jYW0gMQ')
    expect(() => wcs({ policy: 'streamName', encoding: 'none' }).name(facts)).toThrow(
      expect.objectContaining({ code: 'NAMING_BAD_FACT', element: 'streamName' }),
    )
    expect(wcs({ policy: 'streamName', encoding: 'none' }).name({ ...individual, streamName: 'cam 1' })).toBe('cam 1')
  })
})

describe('the objects around an output', () => {
  const suffixes = ['/index.m3u8', '/media.m3u8', '/segment-00001.ts', '/init-00001.mp4', '.mp4', '.manifest.json']
  const cases: readonly [string, NamingRule, NamingFacts, readonly string[]][] = [
    [
      'fishjam',
      fishjam(),
      composite,
      [
        'room-1/rec-7/index.m3u8',
        'room-1/rec-7/media.m3u8',
        'room-1/rec-7/segment-00001.ts',
        'room-1/rec-7/init-00001.mp4',
        'room-1/rec-7.mp4',
        'room-1/rec-7.manifest.json',
      ],
    ],
    [
      'jocloud',
      jocloud(),
      composite,
      [
        'rid_rec-7_room-1.m3u8',
        'rid_rec-7_room-1/media.m3u8',
        'rid_rec-7_room-1/segment-00001.ts',
        'rid_rec-7_room-1/init-00001.mp4',
        'rid_rec-7_room-1.mp4',
        'rid_rec-7_room-1.manifest.json',
      ],
    ],
  ]
  for (const [name, rule, facts, expected] of cases) {
    it(`are in one place under ${name}`, () => {
      const names = outputNames(rule, facts, 'hls')
      expect(suffixes.map((suffix) => names.key(suffix))).toEqual(expected)
      const { prefix, index, folder } = names.hls
      expect(prefix + index).toBe(names.main)
      expect(`${prefix}${folder}media.m3u8`).toBe(names.key('/media.m3u8'))
    })
  }

  it('are named for a segmenter', () => {
    expect(outputNames(fishjam(), composite, 'hls').hls).toEqual({
      prefix: 'room-1/rec-7/',
      index: 'index.m3u8',
      folder: '',
    })
    expect(outputNames(jocloud({ prefix: 'p' }), composite, 'hls').hls).toEqual({
      prefix: 'p/',
      index: 'rid_rec-7_room-1.m3u8',
      folder: 'rid_rec-7_room-1/',
    })
    expect(outputNames(jocloud(), composite, 'hls').hls.prefix).toBe('')
  })
})

describe('parts', () => {
  const cam = { ...individual, streamName: 'cam' }

  it('are numbered by WCS from 1, but for the last one', () => {
    const names = outputNames(wcs({ policy: 'streamName' }), cam, 'mp4')
    expect(names.main).toBe('cam.mp4')
    expect(names.part({ part: 1 }).main).toBe('cam_1.mp4')
    expect(names.part({ part: 2, lastPart: false }).key('.manifest.json')).toBe('cam_2.manifest.json')
    expect(names.part({ part: 123_456 }).main).toBe('cam_123456.mp4')
    expect(names.part({ part: 3, lastPart: true }).main).toBe('cam.mp4')
    expect(names.part({ part: 1 }).key('/index.m3u8')).toBe('cam_1/index.m3u8')
    for (const part of [0, -1, 1.5, Number.NaN]) {
      expect(() => names.part({ part })).toThrow(expect.objectContaining({ code: 'NAMING_BAD_FACT', element: 'part' }))
    }
  })

  it('have their own times and no numbers where the template has times', () => {
    const rule = wcs({ template: '{streamName}-{startTime}' })
    const names = outputNames(rule, { ...cam, startedAtUs: 5_000_000 }, 'mp4')
    expect(names.main).toBe('cam-5000.mp4')
    expect(names.part({ part: 2, partStartedAtUs: 15_000_000 }).main).toBe('cam-15000.mp4')
    expect(names.part({ part: 3, lastPart: true, partStartedAtUs: 25_000_000 }).main).toBe('cam-25000.mp4')
    // The recording's own time would give all parts one name.
    const missing = expect.objectContaining({ code: 'NAMING_MISSING_FACT', element: 'startTime' })
    expect(() => names.part({ part: 2 })).toThrow(missing)
    const ends = outputNames(wcs({ template: '{endTime}-{duration}' }), { ...cam, endedAtUs: 9_000_000 }, 'mp4')
    const times = { partStartedAtUs: 1_000_000, partEndedAtUs: 3_500_000 }
    expect(ends.part({ part: 1, ...times }).main).toBe('3500-2500.mp4')
    const backwards = expect.objectContaining({ code: 'NAMING_BAD_FACT', element: 'duration' })
    expect(() => ends.part({ part: 1, ...times, partEndedAtUs: 0 })).toThrow(backwards)
  })

  it('have a suffix under the others', () => {
    expect(outputNames(hundredMs(), composite, 'mp4').part({ part: 2 }).main).toBe(
      'room-1/19700101/rec-7/Rec-rec-7-0.part-00002.mp4',
    )
    expect(outputNames(jocloud(), composite, 'hls').part({ part: 2, lastPart: true }).main).toBe(
      'rid_rec-7_room-1.part-00002.m3u8',
    )
  })

  it('and extensions survive when a name is trimmed to 255 bytes', () => {
    const rule = wcs({ policy: 'streamName' })
    const long = { ...cam, streamName: 'я'.repeat(300) }
    const room = { suffixes: ['.mp4'] }
    const [first, tenth, last] = [
      rule.name({ ...long, part: 1 }, room),
      rule.name({ ...long, part: 99_999 }, room),
      rule.name({ ...long, part: 100_000, lastPart: true }, room),
    ] as [string, string, string]
    expect(tenth).toMatch(/^я{114}~[0-9a-f]{16}_99999$/)
    expect(Buffer.byteLength(`${tenth}.mp4`)).toBe(255)
    expect(first).toBe(tenth.replace('_99999', '_1'))
    expect(last.slice(0, 113)).toBe(first.slice(0, 113))
    expect(rule.name(long, room)).toBe(tenth.replace('_99999', ''))
  })
})

describe('where the names of a product may meet', () => {
  it('100ms: the same participant twice in one session on one day', () => {
    const rule = hundredMs()
    expect(rule.distinct).toBe(false)
    const first = { ...individual, sessionId: 's' }
    const second = { ...first, recordingId: 'rec-8', startedAtUs: 3_600_000_000 }
    expect(rule.name(second)).toBe(rule.name(first))
    // What tells the outputs of one recording apart is there.
    expect(rule.name({ ...first, participantId: 'bob' })).not.toBe(rule.name(first))
    expect(rule.name({ ...second, kind: 'composite' })).not.toBe(rule.name({ ...first, kind: 'composite' }))
  })

  it('WCS: signs between elements, a stream that comes back, a part and another stream', () => {
    const rule = wcs({ template: '{mediaSessionId}-{login}' })
    expect(rule.distinct).toBe(false)
    expect(rule.name({ ...individual, mediaSessionId: 'a-b', login: 'c' })).toBe(
      rule.name({ ...individual, mediaSessionId: 'a', login: 'b-c' }),
    )
    const byStream = wcs({ policy: 'streamName' })
    const cam = { ...individual, streamName: 'cam' }
    expect(byStream.name({ ...cam, recordingId: 'rec-8' })).toBe(byStream.name(cam))
    expect(byStream.name({ ...cam, part: 1 })).toBe(byStream.name({ ...cam, streamName: 'cam_1' }))
  })

  it('Fishjam and Jocloud: nowhere', () => {
    expect([fishjam().distinct, jocloud().distinct]).toEqual([true, true])
    const cases: readonly [NamingRule, Partial<NamingFacts>, string][] = [
      [jocloud(), { recordingId: 'a_b', roomId: 'c' }, 'rid_a%5Fb_c'],
      [jocloud(), { recordingId: 'a', roomId: 'b_c' }, 'rid_a_b_c'],
      [jocloud(), { roomId: 'r__uid_s_1__uid_e' }, 'rid_rec-7_r%5F_uid_s_1%5F_uid_e'],
      [jocloud(), { roomId: 'room.m3u8' }, 'rid_rec-7_room%2Em3u8'],
      [fishjam(), { recordingId: 'x.mp4' }, 'room-1/x%2Emp4'],
      [fishjam(), { recordingId: 'x.mp4', kind: 'individual', participantId: 'p' }, 'room-1/x%2Emp4/participants/p'],
      [fishjam(), { kind: 'individual', participantId: 'index.m3u8' }, 'room-1/rec-7/participants/index%2Em3u8'],
      [
        hundredMs(),
        { kind: 'individual', participantId: 'Rec-a-1' },
        'room-1/19700101/rec-7/%52ec-a-1/Rec-a-1/Rec-a-1',
      ],
    ]
    for (const [rule, change, expected] of cases) expect(rule.name({ ...composite, ...change })).toBe(expected)
  })
})

describe('the options of presets', () => {
  const wrong: [string, () => unknown, string][] = [
    ['a prefix that leads out', () => fishjam({ prefix: '../x' }), 'prefix'],
    ['a prefix with an empty component', () => hundredMs({ prefix: 'a//b' }), 'prefix'],
    ['a prefix with a character that stores refuse', () => jocloud({ prefix: 'a\nb' }), 'prefix'],
    ['a policy that there is not', () => wcs({ policy: 'x' as 'streamName' }), 'policy'],
    ['an encoding that there is not', () => wcs({ encoding: 'x' as 'none' }), 'encoding'],
    ['a template beside streamName', () => wcs({ policy: 'streamName', template: '{login}' }), 'template'],
  ]
  const templates = [
    '',
    '{room}',
    '{streamName',
    'a}',
    'a/{login}',
    '../{login}',
    '.x',
    'x.',
    'a:b',
    '{}',
    '{toString}',
  ]
  for (const template of templates) {
    wrong.push([`the template ${JSON.stringify(template)}`, () => wcs({ template }), 'template'])
  }
  for (const [name, make, field] of wrong) {
    it(`do not take ${name}`, () => {
      expect(make).toThrow(expect.objectContaining({ code: 'BAD_CONFIGURATION', field }))
    })
  }

  it('take braces in a prefix as text', () => {
    expect(fishjam({ prefix: 'a{b}' }).name(composite)).toBe('a{b}/room-1/rec-7')
  })

  it('tell which facts they use', () => {
    const elements = (options?: WcsNamingOptions): readonly string[] => wcs(options).elements
    expect(fishjam().elements).toEqual(['roomId', 'recordingId', 'participantId'])
    expect(hundredMs().elements).toContain('participantId')
    expect(jocloud().elements).toContain('participantId')
    expect(elements()).toEqual(
      expect.arrayContaining(['sessionId', 'mediaSessionId', 'login', 'participantId', 'part']),
    )
    expect(elements({ template: '{endTime}' })).toEqual(['endedAt', 'part'])
  })

  it('say which fact is missing', () => {
    const { roomId: _, ...roomless } = composite
    const missing = (element: string): unknown => expect.objectContaining({ code: 'NAMING_MISSING_FACT', element })
    for (const rule of [fishjam(), hundredMs(), jocloud()]) expect(() => rule.name(roomless)).toThrow(missing('roomId'))
    const { participantId: __, ...nobody } = individual
    expect(() => wcs().name(nobody)).toThrow(missing('mediaSessionId'))
    expect(() => wcs({ template: '{endTime}' }).name(individual)).toThrow(missing('endTime'))
    expect(() => wcs({ template: '{videoCodec}' }).name(individual)).toThrow(missing('videoCodec'))
  })
})
