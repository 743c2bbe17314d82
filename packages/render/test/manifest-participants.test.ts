import type { Session, SessionTrack } from '@rushes/take'
import { describe, expect, it } from 'vitest'
import { manifestParticipants } from '../src/manifest-participants.js'

const track = (id: string, joinedAtMs: number, leftAtMs?: number): SessionTrack => ({
  id,
  kind: 'video',
  file: `${id}.rtpdump`,
  mimeType: 'video/H264',
  clockRate: 90_000,
  joinedAtMs,
  ...(leftAtMs === undefined ? {} : { leftAtMs }),
})

const session = (tracks: SessionTrack[], events: Session['events'] = []): Session => ({
  startedAt: '2026-11-21T11:36:26.977Z',
  participants: [
    { id: 'p', name: 'Pia', tracks },
    { id: 'q', tracks: [] },
  ],
  events,
})

describe('manifestParticipants', () => {
  it('makes stays of tracks', () => {
    const tracks = [
      track('c', 9000.4, 12_000),
      track('a', 100, 5000),
      track('b', 4000, 6000),
      track('d', 13_000, 14_000),
    ]
    expect(manifestParticipants(session(tracks), 20_000_000, undefined)).toEqual([
      {
        id: 'p',
        name: 'Pia',
        intervals: [
          { startUs: 100_000, endUs: 6_000_000 },
          { startUs: 9_000_400, endUs: 14_000_000 },
        ],
      },
      { id: 'q', intervals: [] },
    ])
  })

  it('lets who is still there stay until the end', () => {
    const [p] = manifestParticipants(session([track('a', 100)]), 20_000_000, new Set(['p']))
    expect(p?.intervals).toEqual([{ startUs: 100_000, endUs: 20_000_000 }])
  })

  it('believes the room where nobody closed the track', () => {
    const events = [
      { type: 'leave', participant: 'p', atMs: 50 },
      { type: 'leave', participant: 'q', atMs: 3000 },
      { type: 'leave', participant: 'p', atMs: 7000 },
    ]
    const [p] = manifestParticipants(session([track('a', 100), track('b', 9000)], events), 20_000_000, undefined)
    expect(p?.intervals).toEqual([
      { startUs: 100_000, endUs: 7_000_000 },
      { startUs: 9_000_000, endUs: 20_000_000 },
    ])
  })

  it('lists only the chosen', () => {
    expect(manifestParticipants(session([]), 0, new Set(['q'])).map(({ id }) => id)).toEqual(['q'])
  })
})
