import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type NamingFacts, OUTPUT_SUFFIXES, outputNames, type TemplateOptions, template } from '../src/index.js'
import { faultsOf, meetingsOf } from './name-faults.js'

const rules: readonly [string, TemplateOptions?][] = [
  ['{recordingId}/{participantId}'],
  ['{roomId}/{startedAt:yyyyMMdd}/{recordingId}-{participantId}'],
  ['stream-{sessionId}-{recordingId}-{participantName}'],
  ['{kind}{startedAt:HHmm}{roomId}_{participantId|nobody}'],
  ['{startedAt:epochMs}.{roomId}.{startedAt:epochMs}'],
  ['{roomId:20}-{participantId:30b}/{trackId|none}'],
  ['{roomId}.{participantId}/x', { encoding: 'base64url' }],
  ['co{roomId}'],
  ['{roomId}/{sessionId}/{recordingId}/{participantId}/{participantName}'],
]

// Few characters, all of them with a meaning somewhere, so that names come close to each other.
const close = fc.string({
  unit: fc.constantFrom('a', 'n', '-', '.', '%', '~', '/', '_', ' ', '2', 'D', 'я', '\ud83d', '\ude00'),
  maxLength: 5,
})
const known = fc.constantFrom(
  'composite',
  'nobody',
  'none',
  'con',
  'n',
  'NUL',
  'n.txt',
  '..',
  '.',
  '%2E',
  'a.mp4',
  'a.manifest.json',
  'a.part-00001',
)
const long = fc
  .tuple(fc.constantFrom('x', 'я', '😀', '%', 'Ж-', '. '), fc.integer({ min: 20, max: 300 }), close)
  .map(([unit, count, end]) => unit.repeat(count) + end)
const any = fc.string({ unit: 'binary', maxLength: 40 })
const fact = fc.oneof(close, known, long, any)

function factsArbitrary(text: fc.Arbitrary<string>): fc.Arbitrary<NamingFacts> {
  const present = text.map((value) => value || 'x')
  return fc.record({
    recordingId: present,
    roomId: present,
    sessionId: present,
    participantName: present,
    participantId: text,
    trackId: text,
    kind: fc.constantFrom('individual' as const, 'composite' as const),
    startedAtUs: fc.constantFrom(0, 1, 60_000_000, 1_795_251_907_042_000, 253_402_300_799_999_000),
  })
}

/** What a rule sees of the facts: an empty one counts as missing. Undefined when the rule cannot name them. */
function nameOf(rule: ReturnType<typeof template>, facts: NamingFacts): string | undefined {
  try {
    return rule.name(facts)
  } catch (error) {
    // An individual output needs its participant; everything else has a name.
    expect(error).toMatchObject({ code: 'NAMING_MISSING_FACT' })
    expect(facts.kind).toBe('individual')
    return undefined
  }
}

const trimmed: NamingFacts = { recordingId: 'r', kind: 'individual', startedAtUs: 0 }

describe('names', () => {
  for (const [text, options] of rules) {
    const rule = template(text, options)

    it(`by ${text} are safe everywhere, with every suffix`, () => {
      fc.assert(
        fc.property(factsArbitrary(fact), (facts) => {
          const name = nameOf(rule, facts)
          if (name === undefined) return
          const { key } = outputNames(rule, facts, 'hls')
          const faults = OUTPUT_SUFFIXES.flatMap((suffix) => faultsOf(key(suffix)))
          if (name.split('/').length !== text.split('/').length) faults.push('another number of components')
          expect(faults).toEqual([])
        }),
      )
    })

    it(`by ${text} are the same for the same facts, and differ when the facts do`, () => {
      const dates = rule.elements.includes('startedAt')
        ? template(text.match(/\{startedAt[^}]*\}/)?.[0] ?? '')
        : undefined
      const used = (facts: NamingFacts): string => {
        const seen = rule.elements.map((element) => {
          if (element === 'startedAt') return dates?.name(facts)
          return facts[element as keyof NamingFacts]
        })
        return JSON.stringify(seen)
      }
      fc.assert(
        fc.property(factsArbitrary(fact), factsArbitrary(close), fc.boolean(), (one, other, alike) => {
          // Often only one fact differs.
          const { roomId = 'x', participantId = '' } = other
          const second = alike ? { ...one, roomId, participantId } : other
          const names = [nameOf(rule, one), nameOf(rule, second)] as const
          expect(nameOf(rule, Object.fromEntries(Object.entries(one).reverse()) as unknown as NamingFacts)).toBe(
            names[0],
          )
          if (names[0] === undefined || names[1] === undefined) return
          expect(names[0] === names[1]).toBe(used(one) === used(second))
          if (used(one) === used(second)) return
          // Not only the stems: no object of the one output is an object or a folder of the other.
          const keys = [one, second].map((facts) => {
            const { key } = outputNames(rule, facts, 'mp4')
            return OUTPUT_SUFFIXES.map(key)
          }) as [string[], string[]]
          expect(meetingsOf(...keys)).toEqual([])
        }),
      )
    })
  }

  // The names of all pairs of some words, and of what those words become in names: what could be taken for another.
  const meetings = (rule: ReturnType<typeof template>, words: readonly string[]): string[] => {
    const base: NamingFacts = {
      recordingId: 'r',
      sessionId: 's',
      participantName: 'p',
      kind: 'individual',
      startedAtUs: 0,
    }
    const facts = words.flatMap((roomId) =>
      words.flatMap((participantId): NamingFacts[] => [
        { ...base, roomId, participantId },
        { ...base, roomId, trackId: participantId, kind: 'composite' },
      ]),
    )
    const owners = new Map<string, string>()
    const folders = new Map<string, string>()
    const found: string[] = []
    for (const one of facts) {
      const name = nameOf(rule, one)
      if (name === undefined) continue
      const seen = rule.elements.map((element) => one[element as keyof NamingFacts])
      // A composite output and an individual one differ by what stands for the participant.
      const owner = JSON.stringify(seen)
      for (const suffix of ['.mp4', '.manifest.json', '/index.m3u8']) {
        const key = name + suffix
        if ((owners.get(key) ?? owner) !== owner) found.push(`${key}: ${owner} and ${owners.get(key)}`)
        owners.set(key, owner)
        const folder = key.slice(0, key.lastIndexOf('/'))
        folders.set(folder, owner)
      }
    }
    for (const folder of folders.keys()) if (owners.has(folder)) found.push(`${folder} is a file and a folder`)
    return found
  }

  const pairRules = [
    '{roomId}-{participantId}',
    '{roomId|none}.{participantId|nobody}',
    '{roomId:12}/{participantId:12b}',
  ]

  it('never meet: all pairs of words that have a meaning somewhere', () => {
    const words = ['a', '-', 'a-', '-a', 'a-a', '.', 'a.', '.a', 'a.a', 'none', 'nobody', 'composite', 'con', '%63on']
    words.push(
      '%2D',
      'a%2Da',
      '%6Eone',
      '%63omposite',
      '~',
      'a~',
      'a.mp4',
      'a%2Emp4',
      'a.manifest.json',
      '/',
      '%2F',
      '%',
    )
    words.push(
      'я'.repeat(300),
      `${'я'.repeat(300)}a`,
      template('{roomId}').name({ ...trimmed, roomId: 'я'.repeat(300) }),
    )
    for (const text of [...pairRules, '{participantId}', 'co{roomId}', '{roomId}/{participantId}']) {
      expect(meetings(template(text), words)).toEqual([])
    }
  })

  for (const text of pairRules) {
    const rule = template(text)
    it(`by ${text} never meet, nor what they become when they are facts themselves`, () => {
      const tiny = fc.string({ unit: fc.constantFrom('a', '-', '.', '%', '~'), minLength: 1, maxLength: 3 })
      fc.assert(
        fc.property(fc.array(fc.oneof(tiny, known, long, any), { minLength: 1, maxLength: 2 }), (words) => {
          const present = words.map((word) => word || 'a')
          const encoded = present.flatMap((roomId) => {
            const facts = { ...trimmed, roomId, participantId: roomId }
            return [template('{roomId}').name(facts), rule.name(facts).split('/')[0] ?? '']
          })
          expect(meetings(rule, [...new Set([...present, ...encoded])])).toEqual([])
        }),
      )
    })
  }

  it('can be decoded', () => {
    const rule = template('{roomId}')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (roomId) => {
        const name = rule.name({ recordingId: 'r', kind: 'individual', startedAtUs: 0, roomId })
        expect(decodeURIComponent(name)).toBe(roomId)
      }),
    )
  })

  it('of 255 bytes, Cyrillic and emoji, can be created', () => {
    const dir = mkdtempSync(join(tmpdir(), 'rushes-names-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const rule = template('{roomId}/{participantId}')
    const letters = fc.constantFrom('я', 'Ж', 'ё', '😀', '👩‍👩‍👧‍👦', '🇩🇪', 'a', '-', '.', ' ', '%', '?')
    const name = fc.array(letters, { minLength: 20, maxLength: 200 }).map((parts) => parts.join(''))
    let run = 0
    fc.assert(
      fc.property(name, name, (roomId, participantId) => {
        run += 1
        const root = join(dir, String(run))
        const facts: NamingFacts = { recordingId: 'r', kind: 'individual', startedAtUs: 0, roomId, participantId }
        const { key, stem } = outputNames(rule, facts, 'hls')
        for (const suffix of OUTPUT_SUFFIXES) {
          const path = join(root, key(suffix))
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, '')
        }
        const [room = '', participant = ''] = stem.split('/')
        expect(readdirSync(root)).toEqual([room])
        const expected = new Set([
          participant,
          ...OUTPUT_SUFFIXES.filter((suffix) => !suffix.startsWith('/')).map(
            (suffix) => participant + suffix.split('/')[0],
          ),
        ])
        expect(readdirSync(join(root, room)).sort()).toEqual([...expected].sort())
        rmSync(root, { recursive: true })
      }),
    )
  })
})
