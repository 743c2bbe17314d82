import { describe, expect, it } from 'vitest'
import { parseCodecs, parseParticipants } from '../src/import-options.js'

describe('--codec', () => {
  it('says what payload types stand for', () => {
    expect(parseCodecs(['96=video/H264', '97=audio/mpeg4-generic/44100', '96=video/VP8'])).toEqual({
      96: { mimeType: 'video/VP8' },
      97: { mimeType: 'audio/mpeg4-generic', clockRate: 44_100 },
    })
  })

  it.each(['', '96', '96=H264', '=video/H264', '96=video/', '96=text/red', '96=audio/opus/fast', '128=video/H264'])(
    'refuses %j',
    (text) => {
      expect(() => parseCodecs([text])).toThrow(/^--codec: /)
    },
  )
})

describe('--participant', () => {
  const stream = {
    ssrc: 0x00ab_cdef,
    payloadType: 96,
    kind: 'video',
    source: '[fe80::1]:5000',
    destination: '10.0.0.9:5004',
    cname: 'user=1@host',
  } as const

  it.each(['11259375', '0xabcdef', '0x00ABCDEF', 'fe80::1', '[fe80::1]:5000', '10.0.0.9:5004', 'user=1@host'])(
    'knows a stream by %s',
    (key) => {
      expect(parseParticipants([`${key}=ann`])(stream)).toBe('ann')
    },
  )

  it('knows an mjr file by its name', () => {
    const of = parseParticipants(['a-video.mjr=ann'])
    expect(of({ ssrc: 1, payloadType: 96, kind: 'video', input: 'a-video.mjr' })).toBe('ann')
    expect(of({ ssrc: 1, payloadType: 96, kind: 'video', input: 'b-video.mjr' })).toBeUndefined()
  })

  it('prefers a key to everyone, and says nothing of others', () => {
    expect(parseParticipants(['bob', 'fe80::1=ann'])(stream)).toBe('ann')
    expect(parseParticipants(['bob', 'fe80::2=ann'])(stream)).toBe('bob')
    expect(parseParticipants(['fe80::2=ann'])(stream)).toBeUndefined()
  })

  it.each([[['']], [['=ann']], [['fe80::1=']], [['ann', 'bob']]])('refuses %j', (given) => {
    expect(() => parseParticipants(given)).toThrow(/^--participant: /)
  })
})
