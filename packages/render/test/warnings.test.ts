import type { ClockState } from '@rushes/rtp-depacketizer'
import type { Session, TakeDamage, TakeSource } from '@rushes/take'
import { describe, expect, it } from 'vitest'
import type { Survey, TrackSurvey } from '../src/survey.js'
import { damageWarnings, journalWarnings, surveyWarnings } from '../src/warnings.js'
import { audio, video } from './samples.js'

const tracks: TrackSurvey[] = [
  { track: video, participantId: 'p', units: 0, keyframes: 0, startUs: undefined, endUs: undefined },
  { track: audio, participantId: 'q', units: 5, keyframes: 0, startUs: 0, endUs: 1 },
].map((track) => ({ ...track, frameRate: undefined, sizes: [], gaps: [], stats: {} }))

function survey(states: Partial<ClockState>[]): Survey {
  return { clocks: new Map(), tracks, clockStates: states as ClockState[] }
}

describe('surveyWarnings', () => {
  it('tells of tracks without media', () => {
    const [warning, ...others] = surveyWarnings(survey([]), undefined)
    expect(warning).toMatchObject({ code: 'TRACK_WITHOUT_MEDIA', participantId: 'p', trackId: 'v' })
    expect(warning?.message).toContain('keyframe')
    expect(others).toEqual([])
    expect(surveyWarnings(survey([]), new Set(['q']))).toEqual([])
  })

  it('tells of clocks that were not believed, and how far off they are', () => {
    const states = [
      { trackId: 'a', basis: 'distrusted-sender-reports' as const, ntpOffsetUs: 12_340_000 },
      { trackId: 'v', basis: 'sender-reports' as const },
    ]
    const [warning, ...others] = surveyWarnings(survey(states), new Set(['q']))
    expect(warning).toMatchObject({ code: 'CLOCK_DISTRUSTED', participantId: 'q', trackId: 'a' })
    expect(warning?.message).toContain('12.3 s')
    expect(others).toEqual([])
  })

  it('tells of tracks without sender reports', () => {
    const states = [{ trackId: 'a', basis: 'arrival' as const }] as unknown as ClockState[]
    expect(surveyWarnings(survey(states), new Set(['q']))).toMatchObject([{ code: 'NO_SENDER_REPORTS', trackId: 'a' }])
  })
})

describe('damageWarnings', () => {
  const session: Session = {
    startedAt: '2026-11-21T11:36:26.977Z',
    participants: [
      {
        id: 'p',
        tracks: [
          { id: 'v', kind: 'video', file: 'camera.rtpdump', mimeType: 'video/H264', clockRate: 90_000, joinedAtMs: 0 },
        ],
      },
    ],
    events: [],
  }
  const source = (damage: TakeDamage[]): TakeSource & { damage: TakeDamage[] } => ({
    session,
    finished: true,
    async *items() {},
    damage,
  })

  it.each([
    'missing',
    'unreadable',
    'unknown-codec',
    'not-rtp',
    'bad-header',
    'torn',
    'zero-filled',
    'bad-record',
  ] as const)('names the file and what was done: %s', (cause) => {
    const [warning] = damageWarnings(source([{ trackId: 'v', cause, bytes: 4711 }]), undefined)
    expect(warning).toMatchObject({ code: 'TAKE_DAMAGED', participantId: 'p', trackId: 'v' })
    expect(warning?.message).toMatch(/^camera\.rtpdump: /)
    if (!['missing', 'unreadable', 'unknown-codec'].includes(cause)) expect(warning?.message).toContain('4711')
  })

  it('names events.ndjson', () => {
    const [warning] = damageWarnings(source([{ cause: 'bad-event', bytes: 2 }]), new Set(['q']))
    expect(warning).toEqual({ code: 'TAKE_DAMAGED', message: 'events.ndjson: 2 lines are no events and were left out' })
  })

  it('says nothing of those who are not chosen, and of sources without a disk', () => {
    expect(damageWarnings(source([{ trackId: 'v', cause: 'torn', bytes: 1 }]), new Set(['q']))).toEqual([])
    const { damage: _none, ...live } = source([])
    expect(damageWarnings(live, undefined)).toEqual([])
  })
})

describe('journalWarnings', () => {
  const session = (stretches: number): Session => ({
    startedAt: '2026-01-01T00:00:00.000Z',
    participants: [
      {
        id: 'p',
        tracks: [{ id: 'v', kind: 'video', file: 'v', mimeType: 'video/H264', clockRate: 90_000, joinedAtMs: 0 }],
      },
    ],
    events: [
      { type: 'mark', atMs: 1 },
      ...Array.from({ length: stretches }, () => ({
        type: 'not-journalled',
        atMs: 3000,
        track: 'v',
        cause: 'journal-full',
        fromMs: 1000,
        toMs: 2500,
        packets: 7,
        bytes: 700,
      })),
    ],
  })

  it('tells what is not in the journal, of those who are asked for', () => {
    expect(journalWarnings(session(1), undefined)).toEqual([
      {
        code: 'NOT_JOURNALLED',
        message: 'v: 7 packets between 1.0 and 2.5 s are not in the journal (journal-full)',
        participantId: 'p',
        trackId: 'v',
      },
    ])
    expect(journalWarnings(session(1), new Set(['q']))).toEqual([])
  })

  it('is brief where there is no end of it', () => {
    const warnings = journalWarnings(session(150), undefined)
    expect(warnings).toHaveLength(101)
    expect(warnings.at(-1)?.message).toBe('50 more stretches are not in the journal')
  })
})
