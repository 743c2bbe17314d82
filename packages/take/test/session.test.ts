import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  foldEvents,
  parseSession,
  type Session,
  startedAtUs,
  TakeError,
  trackOf,
  validateSession,
} from '../src/index.js'
import { fixture, fixtureNames, startedAt, videoTrack } from './fixtures.js'

const minimal = { startedAt, participants: [] }

function withTrack(change: Record<string, unknown>): unknown {
  return { startedAt, participants: [{ id: 'alice', tracks: [{ ...videoTrack('camera'), ...change }] }] }
}

describe('session.json', () => {
  for (const name of fixtureNames) {
    it(`of ${name} is kept as a whole`, () => {
      const text = readFileSync(join(fixture(name), 'session.json'), 'utf8')
      expect(parseSession(text)).toEqual(JSON.parse(text))
    })
  }

  it('starts at a wall time', () => {
    expect(startedAtUs(validateSession(minimal))).toBe(1_795_260_986_977_000)
  })

  const broken: readonly [string, unknown, string][] = [
    ['no object', [], '$'],
    ['no start', { participants: [] }, '$.startedAt'],
    ['a start that is no date', { ...minimal, startedAt: 'yesterday' }, '$.startedAt'],
    ['a start without a time', { ...minimal, startedAt: '2026-11-21' }, '$.startedAt'],
    ['no participants', { startedAt }, '$.participants'],
    ['a participant without id', { startedAt, participants: [{ tracks: [] }] }, '$.participants[0].id'],
    ['a participant twice', { startedAt, participants: [{ id: 'a' }, { id: 'a' }] }, '$.participants[1].id'],
    ['a bad kind', withTrack({ kind: 'data' }), '$.participants[0].tracks[0].kind'],
    ['no clock rate', withTrack({ clockRate: 0 }), '$.participants[0].tracks[0].clockRate'],
    ['a negative time', withTrack({ joinedAtMs: -1 }), '$.participants[0].tracks[0].joinedAtMs'],
    ['a file in another folder', withTrack({ file: '../camera.rtpdump' }), '$.participants[0].tracks[0].file'],
    ['an absolute file', withTrack({ file: '/etc/passwd' }), '$.participants[0].tracks[0].file'],
    ['a file on another drive', withTrack({ file: 'C:camera' }), '$.participants[0].tracks[0].file'],
    ['a backslash', withTrack({ file: 'a\\b' }), '$.participants[0].tracks[0].file'],
    ['the folder itself', withTrack({ file: '..' }), '$.participants[0].tracks[0].file'],
    ['session.json as a track', withTrack({ file: 'session.json' }), '$.participants[0].tracks[0].file'],
    ['a file name with a NUL', withTrack({ file: 'a\0b' }), '$.participants[0].tracks[0].file'],
    ['too long a file name', withTrack({ file: 'я'.repeat(128) }), '$.participants[0].tracks[0].file'],
    ['an event without a time', { ...minimal, events: [{ type: 'join' }] }, '$.events[0].atMs'],
    ['a duration in words', { ...minimal, durationMs: 'long' }, '$.durationMs'],
    ['finished in words', { ...minimal, finished: 'yes' }, '$.finished'],
    [
      'two tracks with one file',
      {
        startedAt,
        participants: [{ id: 'a', tracks: [videoTrack('x'), { ...videoTrack('y'), file: 'x.rtpdump' }] }],
      },
      '$.participants[0].tracks[1].file',
    ],
  ]
  for (const [name, value, path] of broken) {
    it(`with ${name} is refused, naming ${path}`, () => {
      let thrown: unknown
      try {
        validateSession(value)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(TakeError)
      expect(thrown).toMatchObject({ code: 'TAKE_BAD_SESSION', path })
      expect((thrown as TakeError).message).toContain(path)
    })
  }

  it('that is no JSON, or of a later version, is refused', () => {
    expect(() => parseSession('{')).toThrow(expect.objectContaining({ code: 'TAKE_BAD_SESSION' }))
    const later = { ...minimal, formatVersion: 2 }
    expect(() => validateSession(later)).toThrow(expect.objectContaining({ code: 'TAKE_FORMAT_TOO_NEW' }))
  })

  it('may call header extensions extmap, as an object or a list', () => {
    const uri = 'urn:3gpp:video-orientation'
    for (const change of [{ headerExtensions: { 4: uri } }, { extmap: { 4: uri } }, { extmap: [{ id: 4, uri }] }]) {
      const track = validateSession(withTrack(change)).participants[0]?.tracks[0]
      expect(track?.headerExtensions).toEqual({ 4: uri })
    }
  })
})

describe('trackOf', () => {
  it('describes a track as all packages do', () => {
    const session = parseSession(readFileSync(join(fixture('solo'), 'session.json'), 'utf8'))
    const tracks = session.participants.flatMap(({ id, tracks }) => tracks.map((track) => trackOf(track, id)))
    expect(tracks).toEqual([
      {
        id: 'alice-video',
        kind: 'video',
        codec: 'h264',
        clockRate: 90_000,
        participantId: 'alice',
        ssrc: 1_520_090_187,
        payloadType: 97,
        fmtp: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
      },
      {
        id: 'alice-audio',
        kind: 'audio',
        codec: 'opus',
        clockRate: 48_000,
        channels: 2,
        participantId: 'alice',
        ssrc: 3_487_050_789,
        payloadType: 96,
        fmtp: 'minptime=10;useinbandfec=1;maxaveragebitrate=28000',
      },
    ])
  })

  it('refuses a codec that nobody knows, and a kind that contradicts it', () => {
    for (const mimeType of ['video/theora', 'audio/opus']) {
      expect(() => trackOf({ ...videoTrack('x'), mimeType })).toThrow(
        expect.objectContaining({ code: 'TAKE_UNKNOWN_CODEC', trackId: 'x' }),
      )
    }
  })
})

describe('folding events', () => {
  const initial: Session = validateSession({ ...minimal, events: [{ atMs: 0, type: 'start' }] })
  const events = [
    { atMs: 10, type: 'join', participant: 'alice', name: 'Alice' },
    { atMs: 12, type: 'track-added', participant: 'alice', definition: videoTrack('camera', 12) },
    { atMs: 900, type: 'track-removed', track: 'camera' },
    { atMs: 950, type: 'leave', participant: 'alice' },
  ]

  it('puts tracks and participants in their place and keeps what happened', () => {
    const folded = foldEvents(initial, events)
    expect(folded.participants).toEqual([
      { id: 'alice', name: 'Alice', tracks: [{ ...videoTrack('camera', 12), leftAtMs: 900 }] },
    ])
    expect(folded.events.map(({ type }) => type)).toEqual(['start', 'join', 'track-removed', 'leave'])
    expect(initial.participants).toEqual([])
  })

  it('may be done one by one', () => {
    expect(events.reduce((session, event) => foldEvents(session, [event]), initial)).toEqual(
      foldEvents(initial, events),
    )
  })

  it('does not add a track twice', () => {
    const twice = foldEvents(foldEvents(initial, events), events.slice(1, 2))
    expect(twice.participants[0]?.tracks).toHaveLength(1)
  })
})
