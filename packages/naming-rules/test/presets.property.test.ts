import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NamingFacts, type NamingRule, OUTPUT_SUFFIXES, outputNames, presets } from '../src/index.js'
import { faultsOf, meetingsOf } from './name-faults.js'

const RUNS = { numRuns: 10_000 }
const { fishjam, hundredMs, jocloud, wcs } = presets

/** Each with the number of components that a composite and an individual name have. */
const rules: Readonly<Record<string, readonly [NamingRule, number, number]>> = {
  fishjam: [fishjam({ prefix: 'base' }), 3, 5],
  '100ms': [hundredMs({ prefix: 'a/b' }), 6, 8],
  jocloud: [jocloud(), 1, 1],
  wcs: [wcs(), 1, 1],
  'wcs, streamName': [wcs({ policy: 'streamName', prefix: 'records' }), 2, 2],
  'wcs, Base64url': [wcs({ encoding: 'base64url' }), 1, 1],
  'wcs, times': [wcs({ template: '{streamName}-{startTime}.{endTime}_{audioCodec}' }), 1, 1],
}

// Pieces that mean something in one of the names, so that names come close to each other.
const piece = fc.constantFrom(
  ...['a', 'b', '_', '__', '_uid', '__uid', '__uid_s_', '__uid_e', '_uid_s_1', 'uid', 'rid_', '-', '.', '~', '%', '/'],
  ...['Rec-', 'Rec-a-0', 'rec-', 'participants', 'index', 'media', 'segment-00001', 'manifest', '.part-00001'],
  ...['.m3u8', '.mp4', '.ts', '.json', '.webm', '.m4s', 'composite', '%5F', '%2E', '..', 'con', ' ', '_1', '0', '😀'],
)
const close = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''))
const long = fc
  .tuple(fc.constantFrom('x', 'я', '😀', '%', 'Ж-', '. ', '_'), fc.integer({ min: 20, max: 300 }), close)
  .map(([unit, count, end]) => unit.repeat(count) + end)
const any = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
const startedAtUs = fc.constantFrom(0, 1, 1_795_251_907_042_000, 253_402_300_799_999_000)

function factsOf(text: fc.Arbitrary<string>): fc.Arbitrary<NamingFacts> {
  return fc.record(
    {
      recordingId: text,
      roomId: text,
      kind: fc.constantFrom('individual' as const, 'composite' as const),
      startedAtUs,
      endedAtUs: fc.constant(253_402_300_799_999_000),
      audioCodec: fc.constantFrom('opus', 'aac'),
      participantId: text,
      participantName: text,
      sessionId: text,
      streamId: text,
      streamName: text,
      mediaSessionId: text,
      login: text,
      uid: text,
    },
    { requiredKeys: ['recordingId', 'roomId', 'kind', 'startedAtUs', 'endedAtUs', 'audioCodec', 'participantId'] },
  )
}

const facts = factsOf(fc.oneof(close, long, any))

/** The name, where its facts do not make the name of a device that cannot be encoded away. */
function namesOf(rule: NamingRule, facts: NamingFacts): ReturnType<typeof outputNames> | undefined {
  try {
    return outputNames(rule, facts, 'hls')
  } catch (error) {
    expect(error).toMatchObject({ code: 'NAMING_BAD_FACT' })
    return undefined
  }
}

for (const [name, [rule, ofComposite, ofIndividual]] of Object.entries(rules)) {
  describe(`names by ${name}`, () => {
    it('are safe with every suffix, in every part', () => {
      fc.assert(
        fc.property(facts, fc.integer({ min: 1, max: 2_000_000 }), fc.boolean(), (facts, part, lastPart) => {
          const whole = namesOf(rule, facts)
          // Only what nothing can be encoded in: Base64url that happens to be the name of a device.
          if (whole === undefined) return
          const times = { partStartedAtUs: facts.startedAtUs, partEndedAtUs: 253_402_300_799_999_000 }
          const number = rule.elements.includes('part') ? part : 1 + (part % 99_999)
          const ofPart = whole.part({ part: number, lastPart, ...times })
          const keys = [...OUTPUT_SUFFIXES.map(whole.key), ...['.mp4', '/index.m3u8', '.webm'].map(ofPart.key)]
          const faults = keys.flatMap(faultsOf)
          const components = facts.kind === 'composite' ? ofComposite : ofIndividual
          if (whole.stem.split('/').length !== components) faults.push('another number of components')
          if (ofPart.stem.split('/').length !== components) faults.push('another number of components in a part')
          expect(faults).toEqual([])
        }),
        RUNS,
      )
    })

    it('are the same for the same facts, whatever was named before', () => {
      fc.assert(
        fc.property(facts, facts, (one, other) => {
          const first = namesOf(rule, Object.freeze(one))?.stem
          namesOf(rule, other)
          const reversed = Object.fromEntries(Object.entries(one).reverse()) as unknown as NamingFacts
          expect(namesOf(rule, reversed)?.stem).toBe(first)
        }),
        RUNS,
      )
    })

    it('leave room for the longest suffix first, and waste none', () => {
      const suffix = fc
        .tuple(fc.constantFrom('.', '/'), fc.string({ unit: fc.constantFrom('x', 'я'), minLength: 1, maxLength: 40 }))
        .map(([sign, text]) => sign + text)
      const words = factsOf(fc.constantFrom('x', 'я', '😀').map((unit) => unit.repeat(300)))
      fc.assert(
        fc.property(words, fc.array(suffix, { minLength: 1, maxLength: 5 }), (facts, suffixes) => {
          const sizes = suffixes.map((text) => Buffer.byteLength(text.split('/')[0] ?? ''))
          const longest = Math.max(...sizes)
          const stem = rule.name(facts, { suffixes })
          const last = Buffer.byteLength(stem.split('/').at(-1) ?? '')
          const reserve = rule.elements.includes('part') ? '_99999'.length : 0
          expect(last + longest).toBeLessThanOrEqual(255)
          // Elements of bounded length need not fill a name, and a key has an end as well.
          const fills = Buffer.byteLength(stem) < 900 && (name === 'jocloud' || name === 'wcs, streamName')
          if (fills) expect(last + longest + reserve).toBeGreaterThan(255 - 4)
        }),
        RUNS,
      )
    })
  })
}

describe('names that are distinct', () => {
  const suffixes = [...OUTPUT_SUFFIXES, '/media.m3u8', '/vod.m3u8', '/segment-00001.ts', '/init-00001.mp4']
  const keysOf = (rule: NamingRule, facts: NamingFacts): string[] => {
    const names = outputNames(rule, facts, 'hls')
    const part = names.part({ part: 1 })
    return [...suffixes.map(names.key), part.key('.mp4'), part.key('/index.m3u8')]
  }
  // Often only one fact differs, or where the signs between the facts lie.
  const pairs = fc
    .tuple(
      factsOf(fc.oneof(close, long)),
      factsOf(close),
      fc.constantFrom('all', 'room', 'kind', 'recording', 'who', 'extension'),
    )
    .map(([one, other, change]): readonly [NamingFacts, NamingFacts] => {
      if (change === 'room') return [one, { ...one, roomId: other.roomId ?? 'x' }]
      if (change === 'kind') return [one, { ...one, kind: one.kind === 'composite' ? 'individual' : 'composite' }]
      if (change === 'recording') return [one, { ...one, recordingId: other.recordingId }]
      if (change === 'extension') {
        const [recordingId, roomId] = [`${one.recordingId}.mp4`, `${one.roomId}.mp4`]
        const kind = one.kind === 'composite' ? 'individual' : 'composite'
        return [one, one.roomId === other.roomId ? { ...one, kind, roomId } : { ...one, kind, recordingId }]
      }
      if (change === 'who') return [one, { ...one, participantId: other.participantId ?? 'x' }]
      return [one, other]
    })
  const who = ({ kind, participantId }: NamingFacts): string => (kind === 'individual' ? `p${participantId}` : '')
  const user = ({ kind, participantId, uid }: NamingFacts): string =>
    kind === 'individual' ? `p${uid ?? participantId}` : ''
  const cases: readonly [string, NamingRule, (facts: NamingFacts) => string][] = [
    ['fishjam', fishjam(), (facts) => JSON.stringify([facts.roomId, facts.recordingId, who(facts)])],
    ['jocloud', jocloud(), (facts) => JSON.stringify([facts.roomId, facts.recordingId, user(facts)])],
    [
      // In what it uses: it says of itself that recordings of one day may meet.
      '100ms',
      hundredMs(),
      (facts) => {
        const { kind, roomId, startedAtUs, sessionId = facts.recordingId, participantId, streamId } = facts
        const day = new Date(startedAtUs / 1000).toISOString().slice(0, 10)
        const session = [roomId, day, sessionId]
        if (kind === 'composite') return JSON.stringify([...session, Math.floor(startedAtUs / 1000)])
        return JSON.stringify([...session, participantId, streamId ?? participantId])
      },
    ],
  ]
  for (const [name, rule, identity] of cases) {
    it(`never meet by ${name}: no object of one output is an object or folder of another`, () => {
      fc.assert(
        fc.property(pairs, ([one, other]) => {
          if (identity(one) === identity(other)) {
            expect(rule.name(one)).toBe(rule.name(other))
          } else expect(meetingsOf(keysOf(rule, one), keysOf(rule, other))).toEqual([])
        }),
        RUNS,
      )
    })
  }

  for (const encoding of ['percent', 'base64url'] as const) {
    it(`stay apart under ${encoding} by the name of the stream`, () => {
      const rule = wcs({ policy: 'streamName', encoding })
      const word = fc.oneof(close, long, any)
      const base: NamingFacts = { recordingId: 'r', kind: 'individual', startedAtUs: 0 }
      fc.assert(
        fc.property(word, word, (one, other) => {
          const names = [one, other].map((streamName) => namesOf(rule, { ...base, streamName })?.stem)
          if (names[0] === undefined) return
          expect(names[0] === names[1]).toBe(one === other)
        }),
        RUNS,
      )
    })
  }
})

describe('names can be read back', () => {
  // Short enough that nothing is trimmed; percent-encoding is that of UTF-8.
  const word = fc.oneof(close, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }))
  const read = decodeURIComponent

  it('by Fishjam', () => {
    fc.assert(
      fc.property(factsOf(word), (facts) => {
        const [room = '', recording = '', , participant] = fishjam().name(facts).split('/')
        const expected = facts.kind === 'composite' ? undefined : facts.participantId
        expect([read(room), read(recording)]).toEqual([facts.roomId, facts.recordingId])
        expect(participant === undefined ? undefined : read(participant)).toBe(expected)
      }),
      RUNS,
    )
  })

  it('by 100ms', () => {
    fc.assert(
      fc.property(factsOf(word), (facts) => {
        const { sessionId = facts.recordingId, streamId = facts.participantId } = facts
        const [room = '', , session = '', ...rest] = hundredMs().name(facts).split('/')
        expect([read(room), read(session)]).toEqual([facts.roomId, sessionId])
        if (facts.kind === 'composite') {
          const [, inner = '', epochMs] = /^Rec-(.*)-(\d+)$/s.exec(rest[0] ?? '') ?? []
          expect([read(inner), Number(epochMs)]).toEqual([sessionId, Math.floor(facts.startedAtUs / 1000)])
        } else expect(rest.map(read)).toEqual([facts.participantId, streamId, streamId])
      }),
      RUNS,
    )
  })

  it('by Jocloud', () => {
    fc.assert(
      fc.property(factsOf(word), (facts) => {
        const [, recording = '', rest = ''] = /^rid_([^_]*)_(.*)$/s.exec(jocloud().name(facts)) ?? []
        const [, room = '', user = ''] = /^(.+?)__uid_s_(.*)__uid_e$/s.exec(rest) ?? [rest, rest]
        const { uid = facts.participantId } = facts
        expect([read(recording), read(room)]).toEqual([facts.recordingId, facts.roomId])
        expect(read(user)).toBe(facts.kind === 'composite' ? '' : uid)
      }),
      RUNS,
    )
  })

  it('by WCS', () => {
    const percent = wcs({ policy: 'streamName' })
    const base64 = wcs({ policy: 'streamName', encoding: 'base64url' })
    const none = wcs({ policy: 'streamName', encoding: 'none' })
    const session = wcs({ template: '{sessionId}' })
    const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64url').toString()
    fc.assert(
      fc.property(word, (text) => {
        const facts: NamingFacts = { recordingId: 'r', kind: 'individual', startedAtUs: 0, streamName: text }
        const encoded = percent.name(facts)
        expect(read(encoded)).toBe(text)
        const stem = namesOf(base64, facts)?.stem
        if (stem !== undefined) expect(decoded(stem)).toBe(text)
        // Without an encoding a name is the fact, or there is none.
        const asItIs = namesOf(none, facts)?.stem
        expect(asItIs).toBe(encoded === text ? text : undefined)
        const short = namesOf(session, { ...facts, sessionId: text })?.stem
        if (short !== undefined && short.length < 60) expect(decoded(short)).toBe(text)
      }),
      RUNS,
    )
  })
})

describe('parts of WCS', () => {
  it('keep number and extension, and share what is before them, however much is trimmed', () => {
    const rule = wcs({ policy: 'streamName' })
    const base: NamingFacts = { recordingId: 'r', kind: 'individual', startedAtUs: 0 }
    const number = fc.integer({ min: 1, max: 99_999 })
    const suffix = fc.constantFrom('.mp4', '.webm', '.manifest.json', '/index.m3u8')
    fc.assert(
      fc.property(fc.oneof(long, close), number, number, suffix, (streamName, one, other, suffix) => {
        const names = outputNames(rule, { ...base, streamName }, 'mp4')
        const keys = [one, other].map((part) => names.part({ part }).key(suffix))
        const last = names.part({ part: other + 1, lastPart: true }).key(suffix)
        expect(keys).toEqual([`${names.stem}_${one}${suffix}`, `${names.stem}_${other}${suffix}`])
        expect(last).toBe(names.stem + suffix)
      }),
      RUNS,
    )
  })
})
