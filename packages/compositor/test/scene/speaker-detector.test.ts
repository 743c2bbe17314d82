import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { SpeakerDetector } from '../../src/scene/speaker-detector.js'

const STEP_US = 20_000
/** What a question is answered from lies so long before it. */
const LOOK_BACK_US = 100_000

/** Loudness at a time, in dBFS; `undefined` where no packet comes. */
type Voice = (atUs: number) => number | undefined

/** Noise without chance: the same at the same time. */
const wobble = (atUs: number, seed = 0): number =>
  Math.sin(atUs / 7001 + seed) * 0.6 + Math.sin(atUs / 23_011 + seed) * 0.4

const seconds = (us: number): number => us / 1_000_000
const between = (atUs: number, fromS: number, toS: number): boolean => seconds(atUs) >= fromS && seconds(atUs) < toS
const silence: Voice = () => -75
/** Words of 100 to 400 ms with short stops, and a breath every 2.5 s, as talkers have them. */
const talk =
  (dbfs: number, offsetMs = 0): Voice =>
  (atUs) => {
    const ms = atUs / 1000 + offsetMs
    if (ms % 2500 < 300) return -70 + wobble(atUs)
    return ms % 370 < 80 ? -58 + wobble(atUs) : dbfs + 5 * wobble(atUs, offsetMs)
  }
const during =
  (voice: Voice, fromS: number, toS: number, otherwise: Voice = silence): Voice =>
  (atUs) =>
    between(atUs, fromS, toS) ? voice(atUs) : otherwise(atUs)
const constant =
  (dbfs: number): Voice =>
  (atUs) =>
    dbfs + wobble(atUs)
/** The test card's sound: a tone of amplitude 0.02, and 0.5 for the first 100 ms of each second. */
const beeps: Voice = (atUs) => (atUs % 1_000_000 < 100_000 ? -9.03 : -36.99)

interface Answers {
  /** Active speaker every 20 ms. */
  readonly active: (string | undefined)[]
  /** Changes as `time in ms: who`. */
  readonly changes: string[]
  readonly speaking: Map<string, boolean[]>
}

function listen(voices: Readonly<Record<string, Voice>>, durationS: number): Answers {
  const detector = new SpeakerDetector()
  const active: (string | undefined)[] = []
  const changes: string[] = []
  const speaking = new Map(Object.keys(voices).map((id): [string, boolean[]] => [id, []]))
  for (let atUs = 0; atUs < durationS * 1_000_000; atUs += STEP_US) {
    for (const [id, voice] of Object.entries(voices)) {
      const dbfs = voice(atUs)
      if (dbfs !== undefined) detector.level(id, atUs, dbfs)
    }
    const askedUs = atUs + STEP_US + LOOK_BACK_US
    const now = detector.activeSpeakerAt(askedUs)
    if (now !== active.at(-1)) changes.push(`${(atUs + STEP_US) / 1000}: ${now}`)
    active.push(now)
    for (const [id, list] of speaking) list.push(detector.isSpeaking(id, askedUs))
  }
  return { active, changes, speaking }
}

/** How often the flag goes on. */
function onsets(flags: readonly boolean[] | undefined): number {
  return (flags ?? []).filter((flag, index, all) => flag && all[index - 1] !== true).length
}

function shareOn(flags: readonly boolean[] | undefined, fromS: number, toS: number): number {
  const part = (flags ?? []).slice(fromS * 50, toS * 50)
  return part.filter(Boolean).length / part.length
}

describe('SpeakerDetector', () => {
  it('makes a talker active after 300 ms of speech, and keeps whoever spoke last', () => {
    const { active, changes, speaking } = listen({ alice: during(talk(-25), 1, 6), bob: silence }, 12)
    expect(changes).toEqual([expect.stringMatching(/: alice$/)])
    const first = active.indexOf('alice') * 20
    expect(first).toBeGreaterThanOrEqual(1280)
    expect(first).toBeLessThanOrEqual(1800)
    expect(active.at(-1)).toBe('alice')
    expect(shareOn(speaking.get('alice'), 2, 6)).toBeGreaterThan(0.9)
    expect(shareOn(speaking.get('alice'), 6.5, 12)).toBe(0)
    expect(onsets(speaking.get('bob'))).toBe(0)
  })

  it('goes on to the next speaker when the first one is silent', () => {
    const { changes } = listen({ alice: during(talk(-25), 1, 6), bob: during(talk(-30), 7, 12) }, 12)
    expect(changes.map((change) => change.split(': ')[1])).toEqual(['alice', 'bob'])
    const [, bob = ''] = changes
    expect(Number.parseFloat(bob)).toBeGreaterThanOrEqual(7300)
    expect(Number.parseFloat(bob)).toBeLessThanOrEqual(7900)
  })

  it('does not flicker while two of the same loudness talk over each other', () => {
    const { changes } = listen({ alice: during(talk(-25), 1, 30), bob: during(talk(-26, 1190), 5, 30) }, 30)
    expect(changes.map((change) => change.split(': ')[1])).toEqual(['alice'])
  })

  it('goes over to somebody clearly louder, and not back', () => {
    const { changes } = listen({ alice: during(talk(-36), 1, 20), bob: during(talk(-20, 1190), 8, 20) }, 20)
    expect(changes.map((change) => change.split(': ')[1])).toEqual(['alice', 'bob'])
    const [, bob = ''] = changes
    expect(Number.parseFloat(bob)).toBeGreaterThanOrEqual(8700)
    expect(Number.parseFloat(bob)).toBeLessThanOrEqual(10_500)
  })

  it.each<[string, Voice]>([
    ['a cough', during(constant(-15), 5, 5.26)],
    ['two coughs', (atUs) => (between(atUs, 5, 5.2) || between(atUs, 5.9, 6.1) ? -15 : -75)],
    ['a door', during(constant(-8), 5, 5.1)],
    ['breathing', (atUs) => (atUs % 3_000_000 < 1_200_000 ? -49 + wobble(atUs) : -68)],
    ['a keyboard', (atUs) => (atUs % 260_000 < 40_000 ? -28 : -62)],
    ['a fan', constant(-40)],
    ['a test card', beeps],
    ['digital silence', () => Number.NEGATIVE_INFINITY],
    ['nothing at all', () => undefined],
  ])('does not take %s for somebody who wants to speak', (_, voice) => {
    const { changes } = listen({ alice: during(talk(-28), 1, 3), bob: voice }, 20)
    expect(changes.map((change) => change.split(': ')[1])).toEqual(['alice'])
  })

  it.each<[string, Voice]>([
    ['breathing', (atUs) => (atUs % 3_000_000 < 1_200_000 ? -49 + wobble(atUs) : -68)],
    ['a keyboard', (atUs) => (atUs % 260_000 < 40_000 ? -28 : -62)],
    ['a fan', constant(-40)],
    ['a loud fan', constant(-25)],
  ])('does not mark %s as speech', (_, voice) => {
    expect(onsets(listen({ bob: voice }, 20).speaking.get('bob'))).toBe(0)
  })

  it('does not take a fan for speech after a gap of 40 ms, that of a lost packet', () => {
    const fan: Voice = (atUs) => (atUs % 3_000_000 < 2 * STEP_US ? -127 : -30 + wobble(atUs))
    expect(onsets(listen({ bob: fan }, 20).speaking.get('bob'))).toBe(0)
  })

  it('takes the flag off when packets stop in the midst of a word', () => {
    const { speaking } = listen(
      { alice: (atUs) => (between(atUs, 1, 2) ? -20 : atUs < 1_000_000 ? -75 : undefined) },
      4,
    )
    expect(onsets(speaking.get('alice'))).toBe(1)
    expect(shareOn(speaking.get('alice'), 1.1, 2)).toBe(1)
    expect(shareOn(speaking.get('alice'), 2.5, 4)).toBe(0)
  })

  it('decides between two who are just as loud by their ids, not by whom it heard first', () => {
    const voice = during(talk(-25), 1, 5)
    expect(listen({ alice: voice, bob: voice }, 6).changes).toEqual(listen({ bob: voice, alice: voice }, 6).changes)
    expect(listen({ bob: voice, alice: voice }, 6).changes).toEqual([expect.stringMatching(/alice$/)])
  })

  it('takes a fan that is switched on for speech for 6 s at most', () => {
    const { speaking } = listen({ bob: during(constant(-38), 5, 60) }, 60)
    expect(onsets(speaking.get('bob'))).toBe(1)
    expect(shareOn(speaking.get('bob'), 12, 60)).toBe(0)
  })

  it('hears music on hold as noise after a while, and does not flicker over it', () => {
    const music: Voice = (atUs) => -24 + 3 * wobble(atUs) + 2 * Math.sin(atUs / 250_000)
    const { changes, speaking } = listen({ alice: during(talk(-22), 10, 40), hold: music }, 40)
    expect(changes.length).toBeLessThanOrEqual(2)
    expect(changes.at(-1)).toMatch(/alice$/)
    expect(shareOn(speaking.get('hold'), 10, 40)).toBe(0)
  })

  it('stays with one while all test cards beep at once', () => {
    const { changes } = listen({ alice: beeps, bob: beeps, carol: beeps }, 20)
    expect(changes).toEqual([])
  })

  it('keeps the flag on between words, off between sentences, through lost packets', () => {
    const lossy: Voice = (atUs) => (Math.floor(atUs / STEP_US) % 7 < 2 ? undefined : talk(-25)(atUs))
    for (const voice of [talk(-25), lossy]) {
      const { speaking } = listen({ alice: during(voice, 1, 11) }, 15)
      expect(onsets(speaking.get('alice'))).toBe(1)
    }
  })

  it('hears frames of 60 ms like those of 20 ms', () => {
    const voice = during(talk(-25), 1, 6)
    const sparse: Voice = (atUs) => (atUs % 60_000 === 0 ? voice(atUs) : undefined)
    const { active } = listen({ alice: sparse }, 8)
    expect(active.indexOf('alice') * 20).toBeLessThanOrEqual(2000)
  })

  it('goes to who speaks when the active one leaves, else to who spoke last', () => {
    const detector = new SpeakerDetector({ lookBackUs: 0 })
    const voices = { alice: during(talk(-25), 1, 4), bob: during(talk(-25), 5, 8), carol: during(talk(-40), 5, 12) }
    const asked: (string | undefined)[] = []
    for (let atUs = 0; atUs < 14_000_000; atUs += STEP_US) {
      for (const [id, voice] of Object.entries(voices)) {
        if (id === 'bob' && atUs >= 7_500_000) continue
        if (id === 'carol' && atUs >= 10_000_000) continue
        detector.level(id, atUs, voice(atUs) ?? -127)
      }
      if (atUs === 7_500_000) detector.leave('bob', atUs)
      if (atUs === 10_000_000) detector.leave('carol', atUs)
      const active = detector.activeSpeakerAt(atUs + STEP_US)
      if (active !== asked.at(-1)) asked.push(active)
    }
    expect(asked).toEqual(['alice', 'bob', 'carol', 'alice'])
    detector.leave('alice', 14_000_000)
    expect(detector.activeSpeakerAt(14_100_000)).toBeUndefined()
    expect(detector.isSpeaking('alice', 14_100_000)).toBe(false)
  })

  it('counts what comes too late, and goes through a day without a sound at once', () => {
    const detector = new SpeakerDetector()
    detector.level('alice', 0, -20)
    detector.level('alice', 1_000_000, Number.NaN)
    expect(detector.activeSpeakerAt(86_400_000_000)).toBeUndefined()
    detector.level('alice', 86_000_000_000, -20)
    detector.level('bob', -1, -20)
    expect(detector.stats).toEqual({ levels: 1, lateLevels: 3, refusedLevels: 0 })
  })

  it('may be fed an hour ahead of the questions', () => {
    const ahead = new SpeakerDetector()
    const voices = { alice: during(talk(-25), 1, 200), bob: during(talk(-25, 700), 210, 400) }
    for (let atUs = 0; atUs < 600_000_000; atUs += STEP_US) {
      for (const [id, voice] of Object.entries(voices)) ahead.level(id, atUs, voice(atUs) ?? -127)
    }
    const { active } = listen(voices, 600)
    const answers = active.map((_, index) => ahead.activeSpeakerAt((index + 1) * STEP_US + LOOK_BACK_US))
    expect(answers).toEqual(active)
  })
})

const TEXT =
  'Good morning everybody, thank you for coming. Today we want to talk about the plans for the next quarter, and I ' +
  'would like to start with a short summary of what we have done so far. The release went out on time.'

const spoken = new Map<string, Buffer>()

/** 16 kHz, 16 bits, spoken by a machine. */
function speech(voice: string): Buffer {
  const source = `flite=text='${TEXT}':voice=${voice}`
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, '-ar', '16000', '-ac', '1', '-f', 's16le', '-']
  const samples = spoken.get(voice) ?? spawnSync('ffmpeg', args, { maxBuffer: 100_000_000 }).stdout
  spoken.set(voice, samples)
  return samples
}

/** The level of each 20 ms, with noise at -70 dBFS. */
function speak(voice: string, gainDb: number): Voice {
  const bytes = speech(voice)
  const samples = 320
  return (atUs) => {
    const at = Math.floor(atUs / STEP_US) * samples * 2
    let energy = 1e-7
    for (let byte = at; byte < at + samples * 2 && byte + 2 <= bytes.length; byte += 2) {
      energy += (bytes.readInt16LE(byte) / 32_768) ** 2 / samples
    }
    return 10 * Math.log10(energy) + gainDb
  }
}

// Few builds of ffmpeg can speak.
const canSpeak = spawnSync('ffmpeg', ['-hide_banner', '-filters']).stdout?.includes(' flite ') === true

describe.skipIf(!canSpeak)('SpeakerDetector of real words', () => {
  it.each(['kal', 'slt', 'awb', 'rms'])('follows the voice %s without a break, also a quiet one', (voice) => {
    for (const gainDb of [0, -15]) {
      const { changes, speaking } = listen({ alice: speak(voice, gainDb) }, 11)
      expect(changes).toEqual([expect.stringMatching(/alice$/)])
      expect(onsets(speaking.get('alice'))).toBeLessThanOrEqual(2)
      expect(shareOn(speaking.get('alice'), 1, 10)).toBeGreaterThan(0.9)
    }
  })

  it('does not flicker among four who talk at once', () => {
    const later =
      (voice: Voice, us: number): Voice =>
      (atUs) =>
        atUs < us ? -70 : voice(atUs - us)
    const voices = {
      alice: speak('slt', -2),
      bob: later(speak('rms', 0), 1_000_000),
      carol: later(speak('kal', -6), 2_000_000),
      dave: later(speak('awb', 0), 3_000_000),
    }
    const { changes } = listen(voices, 10)
    expect(changes).toEqual([expect.stringMatching(/alice$/)])
  })
})
