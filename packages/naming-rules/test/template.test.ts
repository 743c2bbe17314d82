import { describe, expect, it } from 'vitest'
import { DEFAULT_TEMPLATE, type NamingFacts, outputNames, type TemplateOptions, template } from '../src/index.js'

const facts: NamingFacts = {
  recordingId: 'rec-7',
  roomId: 'room 1',
  sessionId: 's',
  participantId: 'alice',
  participantName: 'Алиса',
  trackId: 'camera',
  kind: 'individual',
  startedAtUs: Date.UTC(2026, 10, 21, 9, 5, 7, 42) * 1000 + 999,
  part: 3,
}

describe('a template', () => {
  const cases: readonly [string, Partial<NamingFacts>, string, TemplateOptions?][] = [
    [DEFAULT_TEMPLATE, {}, 'rec-7/alice'],
    [DEFAULT_TEMPLATE, { kind: 'composite', participantId: '' }, 'rec-7/composite'],
    [DEFAULT_TEMPLATE, { participantId: 'composite' }, 'rec-7/%63omposite'],
    ['{roomId}/{startedAt:yyyyMMdd}/{recordingId}-{participantId}', {}, 'room 1/20261121/rec%2D7-alice'],
    ['{startedAt}', {}, '20261121T090507042Z'],
    ["{startedAt:yyyy-MM-dd'T'HH-mm-ss.SSS}", {}, '2026-11-21T09-05-07.042'],
    ['Rec-{recordingId}-{startedAt:epochMs}', {}, 'Rec-rec-7-1795251907042'],
    ['{startedAt:epochS}_{kind}', {}, '1795251907_individual'],
    ['{participantName}', {}, 'Алиса'],
    ['{participantName}', {}, '0JDQu9C40YHQsA', { encoding: 'base64url' }],
    ['{participantName}', {}, 'Алиса', { encoding: 'none' }],
    ['{recordingId}/part-{part:0000}', {}, 'rec-7/part-0003'],
    ['{roomId|lobby}', { roomId: '' }, 'lobby'],
    ['{roomId|lobby}', { roomId: 'lobby' }, '%6Cobby'],
    ['{{{roomId}}}', {}, '{room 1}'],
    ['{login}@{roomId}', { extras: { login: 'a@b' } }, 'a%40b@room 1', { elements: { login: {} } }],
    ['{roomId}-{sessionId}', { roomId: 'a-b', sessionId: 'c-d' }, 'a%2Db-c-d'],
    ['{roomId}-{sessionId}', { roomId: 'a-b', sessionId: 'c-d' }, 'a-b-c-d', { distinct: false }],
    ['{roomId}', { roomId: '..' }, '%2E%2E'],
    ['{roomId}', { roomId: '.' }, '%2E'],
    ['{roomId}', { roomId: '../../etc/passwd' }, '%2E.%2F..%2Fetc%2Fpasswd'],
    ['{roomId}', { roomId: 'a\0b\n' }, 'a%00b%0A'],
    ['{roomId}', { roomId: '100% <ok>?' }, '100%25 %3Cok%3E%3F'],
    ['{roomId}', { roomId: ' x. ' }, '%20x.%20'],
    ['{roomId}', { roomId: 'con' }, '%63on'],
    ['{roomId}', { roomId: 'NUL.tar' }, '%4EUL.tar'],
    ['CO{roomId}', { roomId: 'N' }, 'CO%4E'],
    ['{roomId}', { roomId: 'console' }, 'console'],
    ['{roomId}', { roomId: 'take.mp4' }, 'take%2Emp4'],
    ['{roomId}', { roomId: 'take.part-00001' }, 'take%2Epart-00001'],
    ['{roomId}/x', { roomId: 'take.mp4' }, 'take.mp4/x'],
    ['{login}/{streamName}', { login: 'l', streamName: 's' }, 'l/s'],
    ['{streamId}/{mediaSessionId}/{uid}', { kind: 'composite' }, 'composite/composite/composite'],
    ['{roomId}', { roomId: '\ud83d' }, '%ED%A0%BD'],
    ['{roomId}', { roomId: '😀~' }, '😀%7E'],
  ]
  for (const [text, change, expected, options] of cases) {
    it(`${text} with ${JSON.stringify(change)} gives ${expected}`, () => {
      expect(template(text, options).name({ ...facts, ...change })).toBe(expected)
    })
  }

  it('tells which facts it needs', () => {
    const rule = template('{roomId}/{startedAt:yyyy}-{recordingId}/{roomId}')
    expect(rule.elements).toEqual(['roomId', 'startedAt', 'recordingId'])
    expect(rule.distinct).toBe(true)
    expect(template('{roomId}-{sessionId}', { distinct: false }).distinct).toBe(false)
  })

  const broken: readonly [string, number | undefined, string, TemplateOptions?][] = [
    ['', undefined, 'must not be empty'],
    ['{room}', 1, 'no element'],
    ['a/{roomId', 3, 'no end'],
    ['a}', 2, 'without its {'],
    ['/a', 1, 'empty component'],
    ['a//b', 1, 'empty component'],
    ['a/', 1, 'empty component'],
    ['../{roomId}', 1, 'dot'],
    ['{roomId}/.x', 10, 'dot'],
    ['x /{roomId}', 1, 'dot or a space'],
    ['a:b', 2, 'cannot stand in a name'],
    ['a~{roomId}', 2, 'cannot stand in a name'],
    ['a\n', 2, 'cannot stand in a name'],
    ['con/{roomId}', 1, 'device'],
    ['AUX.{roomId}', 1, 'device'],
    ['{startedAt:YYYY}', 1, 'no field'],
    ['{startedAt:yyyy/MM}', 1, 'no field'],
    ["{startedAt:yyyy'/'MM}", 1, 'cannot stand'],
    ["{startedAt:'x'}", 1, 'no field'],
    ['{startedAt:yyyy.}', 1, 'dot'],
    ['{roomId:9}', 1, 'at least 10'],
    ['{roomId:many}', 1, 'limit'],
    ['{kind:3}', 1, 'no argument'],
    ['{part:3}', 1, 'zeros'],
    ['{part|x}', 1, 'no fallback'],
    ['{roomId|a/b}', 1, 'cannot stand'],
    ['{roomId}{sessionId}', 1, 'needs a sign'],
    ['{roomId}x{sessionId}', 1, 'needs a sign'],
    ['{roomId}-{sessionId}', 1, 'other than - and _', { encoding: 'base64url' }],
    ['{roomId}{startedAt:epochMs}', 9, 'needs a sign'],
    ['{startedAt:epochMs}{roomId}', 1, 'needs a sign'],
    ['{roomId|a-b}-{sessionId}', 1, 'must not contain'],
    ['{roomId|none}', 1, 'could be an encoded fact', { encoding: 'base64url' }],
  ]
  for (const [text, position, rule, options] of broken) {
    it(`${JSON.stringify(text)} is refused: ${rule}`, () => {
      let thrown: unknown
      try {
        template(text, options)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'BAD_CONFIGURATION', field: 'template' })
      expect((thrown as Error).message).toContain(rule)
      if (position !== undefined) expect((thrown as Error).message).toContain(`at character ${position}:`)
    })
  }

  it('refuses an encoding that there is not', () => {
    const options = { encoding: 'rot13' } as unknown as TemplateOptions
    expect(() => template('{roomId}', options)).toThrow(expect.objectContaining({ field: 'encoding' }))
  })

  it('says which fact is missing or cannot be said', () => {
    const { roomId: _, ...without } = facts
    const missing = expect.objectContaining({ code: 'NAMING_MISSING_FACT', element: 'roomId' })
    expect(() => template('{roomId}').name(without)).toThrow(missing)
    const bad = expect.objectContaining({ code: 'NAMING_BAD_FACT', element: 'roomId' })
    expect(() => template('{roomId}', { encoding: 'none' }).name({ ...facts, roomId: 'a/b' })).toThrow(bad)
    const never = expect.objectContaining({ code: 'NAMING_BAD_FACT' })
    expect(() => template('{startedAt:yyyy}').name({ ...facts, startedAtUs: Number.NaN })).toThrow(never)
    expect(() => template('COM{part}').name(facts)).toThrow(never)
    expect(() => template('{roomId}', { encoding: 'none' }).name({ ...facts, roomId: 'nul' })).toThrow(never)
    expect(() => template('{toString}', { elements: { toString: {} } }).name(facts)).toThrow(
      expect.objectContaining({ code: 'NAMING_MISSING_FACT' }),
    )
  })
})

describe('limits', () => {
  it('trim a single element and tell the trimmed apart', () => {
    const rule = template('{participantName:20}')
    const [one, other] = ['a', 'b'].map((end) => rule.name({ ...facts, participantName: `${'я'.repeat(30)}${end}` }))
    expect(one).toMatch(/^я{11}~[0-9a-f]{8}$/)
    expect(other).toMatch(/^я{11}~[0-9a-f]{8}$/)
    expect(one).not.toBe(other)
    expect(rule.name({ ...facts, participantName: 'я'.repeat(20) })).toBe('я'.repeat(20))
  })

  it('may count bytes, and cut between characters and not within an encoded one', () => {
    const rule = template('{participantName:20b}')
    expect(rule.name({ ...facts, participantName: 'я'.repeat(10) })).toBe('я'.repeat(10))
    expect(rule.name({ ...facts, participantName: 'я'.repeat(11) })).toMatch(/^я{5}~[0-9a-f]{8}$/)
    expect(rule.name({ ...facts, participantName: '?'.repeat(11) })).toMatch(/^(%3F){3}~[0-9a-f]{8}$/)
    const viaOptions = template('{participantName}', { elements: { participantName: { limit: 20, unit: 'bytes' } } })
    expect(viaOptions.name({ ...facts, participantName: 'я'.repeat(11) })).toBe(
      rule.name({ ...facts, participantName: 'я'.repeat(11) }),
    )
  })

  it('leave room for the longest suffix first', () => {
    const rule = template('{roomId}/{participantId}')
    const long = { ...facts, roomId: 'x'.repeat(300), participantId: 'y'.repeat(300) }
    const [room = '', participant = ''] = rule.name(long).split('/')
    expect(room).toHaveLength(255)
    expect(participant).toHaveLength(255 - '.part-00001.webm'.length)
    expect(rule.name(long, { suffixes: ['.mp4'] }).split('/')[1]).toHaveLength(251)
    expect(rule.name(long, { suffixes: ['/segment-00000001.ts'] }).split('/')[1]).toHaveLength(255)
  })

  it('cut the longest components when the name as a whole is too long', () => {
    const rule = template('{roomId}/{sessionId}/{recordingId}/{participantId}/{trackId}/{kind}')
    const long = { ...facts, roomId: 'r'.repeat(300), sessionId: 's'.repeat(300), recordingId: 'e'.repeat(300) }
    const whole = rule.name({ ...long, participantId: 'p'.repeat(300), trackId: 't' })
    const lengths = whole.split('/').map((component) => component.length)
    // 1,023 less the suffix of 43, five slashes and the short components of 1 and 10 leaves 964 for four.
    expect(lengths).toEqual([241, 241, 241, 241, 1, 10])
    expect(whole.length + '.part-00001/rendition-1/segment-00000001.ts'.length).toBe(1023)
  })

  it('refuse a template that has no room', () => {
    const rule = template(Array.from({ length: 40 }, () => '{roomId}').join('/'))
    expect(() => rule.name({ ...facts, roomId: 'x'.repeat(200) })).toThrow(
      expect.objectContaining({ code: 'NAMING_NO_ROOM' }),
    )
  })
})

describe('the names of an output', () => {
  it('share their stem', () => {
    const rule = template(DEFAULT_TEMPLATE)
    const names = outputNames(rule, facts, 'hls')
    expect(names.stem).toBe('rec-7/alice')
    expect(names.main).toBe('rec-7/alice/index.m3u8')
    expect(names.key('/segment-00000001.ts')).toBe('rec-7/alice/segment-00000001.ts')
    expect(outputNames(rule, facts, 'mp4').main).toBe('rec-7/alice.mp4')
    expect(outputNames(rule, facts, 'webm').key('.manifest.json')).toBe('rec-7/alice.manifest.json')
  })

  it('refuse a suffix that has no room, or is none', () => {
    const names = outputNames(template('{roomId}'), { ...facts, roomId: 'x'.repeat(300) }, 'mp4')
    const noRoom = expect.objectContaining({ code: 'NAMING_NO_ROOM' })
    expect(() => names.key(`.${'x'.repeat(20)}`)).toThrow(noRoom)
    for (const suffix of ['', 'mp4', '/', '//x']) expect(() => names.key(suffix)).toThrow(noRoom)
  })
})

describe('a participant who is called like a composite', () => {
  it('has another name', () => {
    const rule = template(DEFAULT_TEMPLATE)
    const facts = { recordingId: 'r', startedAtUs: 0, compositeNames: ['stage', 'wide'] } as const
    expect(rule.name({ ...facts, kind: 'composite', participantId: 'stage' })).toBe('r/stage')
    expect(rule.name({ ...facts, kind: 'individual', participantId: 'stage' })).toBe('r/%73tage')
    expect(rule.name({ ...facts, kind: 'individual', participantId: 'stages' })).toBe('r/stages')
  })
})
