import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SpeakerDetector } from '../../src/scene/speaker-detector.js'

const STEP_US = 20_000
const NAMES = ['alice', 'bob', 'carol'] as const

/** Stretches of one loudness; `undefined` where nothing comes. */
const voice = fc.array(
  fc.record({
    steps: fc.integer({ min: 1, max: 120 }),
    dbfs: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: -50, max: -5 }) },
      { weight: 4, arbitrary: fc.integer({ min: -90, max: -50 }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
  }),
  { minLength: 1, maxLength: 25 },
)

interface Level {
  readonly id: string
  readonly atUs: number
  readonly dbfs: number
}

function levelsOf(voices: readonly (readonly { steps: number; dbfs: number | undefined }[])[]): Level[] {
  const levels: Level[] = []
  for (const [index, stretches] of voices.entries()) {
    let step = 0
    for (const { steps, dbfs } of stretches) {
      for (const end = step + steps; step < end; step++) {
        // A little movement, so that energies are seldom the same.
        const wobble = ((step * 7 + index * 3) % 11) / 10
        if (dbfs !== undefined) levels.push({ id: NAMES[index] as string, atUs: step * STEP_US, dbfs: dbfs + wobble })
      }
    }
  }
  return levels.sort((one, other) => one.atUs - other.atUs)
}

interface Answer {
  readonly active: string | undefined
  readonly speaking: readonly boolean[]
}

function ask(detector: SpeakerDetector, timeUs: number): Answer {
  const active = detector.activeSpeakerAt(timeUs)
  return { active, speaking: NAMES.map((name) => detector.isSpeaking(name, timeUs)) }
}

/** Asks every 40 ms, as soon as levels have come up to then. */
function answers(levels: readonly Level[], arrivalUs: (level: Level) => number, endUs: number): Answer[] {
  const detector = new SpeakerDetector()
  const inOrder = levels
    .map((level) => ({ level, arrivalUs: arrivalUs(level) }))
    .sort((one, other) => one.arrivalUs - other.arrivalUs)
  const found: Answer[] = []
  let next = 0
  for (let timeUs = 0; timeUs < endUs; timeUs += 40_000) {
    for (; (inOrder[next]?.arrivalUs ?? Number.POSITIVE_INFINITY) <= timeUs; next++) {
      const { id, atUs, dbfs } = (inOrder[next] as { level: Level }).level
      detector.level(id, atUs, dbfs)
    }
    found.push(ask(detector, timeUs))
  }
  expect(detector.stats.lateLevels).toBe(0)
  return found
}

describe('SpeakerDetector', () => {
  it('answers the same, however late the levels of each person come, up to 100 ms', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 80_000 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(voice, { minLength: 1, maxLength: 3 }), delays, (voices, delayUs) => {
        const levels = levelsOf(voices)
        const endUs = (levels.at(-1)?.atUs ?? 0) + 3_000_000
        const late = answers(levels, ({ id, atUs }) => atUs + (delayUs[NAMES.indexOf(id as 'bob')] ?? 0), endUs)
        const before = answers(levels, () => 0, endUs)
        expect(late).toEqual(before)
        const byPerson = [...levels].sort((one, other) => (one.id < other.id ? 1 : one.id > other.id ? -1 : 0))
        const detector = new SpeakerDetector()
        // Nobody is more than 5 s ahead of the others here: what is fed person by person is not told apart either.
        if (endUs < 8_000_000) {
          for (const { id, atUs, dbfs } of byPerson) detector.level(id, atUs, dbfs)
          expect(late.map((_, index) => ask(detector, index * 40_000))).toEqual(late)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('changes the active speaker at most once in 2 s while nobody leaves, and only to somebody who has spoken', () => {
    fc.assert(
      fc.property(fc.array(voice, { minLength: 2, maxLength: 3 }), (voices) => {
        const levels = levelsOf(voices)
        const endUs = (levels.at(-1)?.atUs ?? 0) + 3_000_000
        const found = answers(levels, ({ atUs }) => atUs, endUs)
        let lastUs = Number.NEGATIVE_INFINITY
        for (const [index, { active, speaking }] of found.entries()) {
          if (index === 0 || active === found[index - 1]?.active) continue
          expect(active).toBeDefined()
          expect(speaking[NAMES.indexOf(active as 'bob')]).toBe(true)
          expect(index * 40_000 - lastUs).toBeGreaterThanOrEqual(2_000_000 - 40_000)
          lastUs = index * 40_000
        }
      }),
      { numRuns: 300 },
    )
  })

  it('has as active only somebody who is there, whoever leaves', () => {
    const leaves = fc.array(fc.record({ who: fc.constantFrom(...NAMES), step: fc.integer({ min: 0, max: 1500 }) }), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(fc.array(voice, { minLength: 2, maxLength: 3 }), leaves, (voices, gone) => {
        const leftUs = new Map(gone.map(({ who, step }) => [who as string, step * STEP_US]))
        const levels = levelsOf(voices).filter(({ id, atUs }) => atUs < (leftUs.get(id) ?? Number.POSITIVE_INFINITY))
        const detector = new SpeakerDetector({ lookBackUs: 0 })
        for (const level of levels) detector.level(level.id, level.atUs, level.dbfs)
        for (const [who, atUs] of leftUs) detector.leave(who, atUs)
        // Fed before it is asked, and so evaluated by 5 s less than the newest: later leaves count from then on.
        const fromUs = (levels.at(-1)?.atUs ?? 0) + STEP_US
        for (let timeUs = fromUs; timeUs < 35_000_000; timeUs += 1_000_000) {
          const { active, speaking } = ask(detector, timeUs)
          for (const [who, atUs] of leftUs) {
            if (timeUs < Math.max(atUs, fromUs) + STEP_US) continue
            expect(active).not.toBe(who)
            expect(speaking[NAMES.indexOf(who as 'bob')]).toBe(false)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
