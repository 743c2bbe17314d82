import { ConfigurationError } from '@rushes/media'
import { template } from '@rushes/naming-rules'
import { describe, expect, it } from 'vitest'
import { resolvePlan } from '../src/plan.js'

describe('resolvePlan', () => {
  it('has a default for everything', () => {
    const { naming, ...rest } = resolvePlan({}, true)
    expect(rest).toEqual({
      formats: new Set(['hls', 'mp4']),
      segments: 'ts',
      participants: undefined,
      audioCodec: 'aac',
      sampleRate: 48_000,
      bitRate: undefined,
      segmentDuration: 6,
      targetDuration: undefined,
      playlistType: 'vod',
      vodPlaylist: false,
      kinds: new Set(['audio', 'video']),
      parts: undefined,
      startHold: { us: 5_000_000, bytes: 16_777_216 },
      afterLoss: 'freeze',
      fromUs: undefined,
      toUs: undefined,
    })
    expect(naming.name({ recordingId: 'r', participantId: 'p', kind: 'individual', startedAtUs: 0 })).toBe('r/p')
    expect(resolvePlan({}, false).playlistType).toBe('event')
  })

  it('keeps what is given', () => {
    const naming = template('{participantId}')
    expect(
      resolvePlan(
        {
          outputs: ['individual'],
          formats: ['hls'],
          participants: ['a'],
          audio: { codec: 'opus', sampleRate: 44_100, bitRate: 96_000 },
          media: 'audio',
          parts: { seconds: 600 },
          startHold: { seconds: 0, bytes: 65_536 },
          hls: { segmentDuration: 4, targetDuration: 6, playlistType: 'live', vodPlaylist: true },
          afterLoss: 'continue',
          fromUs: 1,
          toUs: 2,
          naming,
        },
        false,
      ),
    ).toEqual({
      formats: new Set(['hls']),
      segments: 'ts',
      participants: new Set(['a']),
      audioCodec: 'opus',
      sampleRate: 44_100,
      bitRate: 96_000,
      segmentDuration: 4,
      targetDuration: 6,
      playlistType: 'live',
      vodPlaylist: true,
      kinds: new Set(['audio']),
      parts: { lengthUs: 600_000_000, bytes: Number.POSITIVE_INFINITY },
      startHold: { us: 0, bytes: 65_536 },
      afterLoss: 'continue',
      fromUs: 1,
      toUs: 2,
      naming,
    })
  })

  // What types forbid comes from JSON and command lines all the same.
  it.each<[string, object]>([
    ['outputs', { outputs: ['composite'] }],
    ['formats', { formats: ['ogg'] }],
    ['hls.segments', { hls: { segments: 'webm' } }],
    ['formats', { formats: [] }],
    ['participants', { participants: [] }],
    ['media', { media: 'subtitles' }],
    ['parts', { parts: {} }],
    ['parts.seconds', { parts: { seconds: 0.5 } }],
    ['parts.seconds', { parts: { seconds: Number.NaN } }],
    ['parts.bytes', { parts: { bytes: 65_535 } }],
    ['parts.bytes', { parts: { bytes: 100_000.5 } }],
    ['startHold.seconds', { startHold: { seconds: -1 } }],
    ['startHold.seconds', { startHold: { seconds: 60.5 } }],
    ['startHold.seconds', { startHold: { seconds: Number.NaN } }],
    ['startHold.bytes', { startHold: { bytes: 65_535 } }],
    ['startHold.bytes', { startHold: { bytes: 100_000.5 } }],
    ['audio.codec', { audio: { codec: 'mp3' } }],
    ['audio.sampleRate', { audio: { sampleRate: 32_000 } }],
    ['audio.bitRate', { audio: { bitRate: 7999 } }],
    ['audio.bitRate', { audio: { bitRate: 320_001 } }],
    ['audio.bitRate', { audio: { bitRate: 64_000.5 } }],
    ['audio.bitRate', { audio: { bitRate: Number.NaN } }],
    ['hls.segmentDuration', { hls: { segmentDuration: 0.4 } }],
    ['hls.segmentDuration', { hls: { segmentDuration: 61 } }],
    ['hls.segmentDuration', { hls: { segmentDuration: Number.NaN } }],
    ['hls.targetDuration', { hls: { playlistType: 'event', targetDuration: 5 } }],
    ['hls.targetDuration', { hls: { playlistType: 'event', targetDuration: 6.5 } }],
    ['hls.targetDuration', { hls: { targetDuration: 12 } }],
    ['hls.playlistType', { hls: { playlistType: 'dvr' } }],
    ['afterLoss', { afterLoss: 'drop' }],
    ['fromUs', { fromUs: -1 }],
    ['fromUs', { fromUs: 0.5 }],
    ['toUs', { toUs: Number.POSITIVE_INFINITY }],
    ['toUs', { fromUs: 5, toUs: 5 }],
  ])('names %s in %j', (field, plan) => {
    let thrown: unknown
    try {
      resolvePlan(plan, true)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(ConfigurationError)
    expect(thrown).toMatchObject({ code: 'BAD_CONFIGURATION', field })
    expect((thrown as Error).message).toContain(field)
  })
})
