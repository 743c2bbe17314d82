import { ConfigurationError } from '@rushes/media'
import { template } from '@rushes/naming-rules'
import { describe, expect, it } from 'vitest'
import { type RenderPlan, resolvePlan } from '../src/plan.js'

describe('resolvePlan', () => {
  it('has a default for everything', () => {
    const { naming, ...rest } = resolvePlan({}, true)
    expect(rest).toEqual({
      individual: true,
      composites: [],
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
      individual: true,
      composites: [],
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

  it('takes composites, with all that they leave out', () => {
    const { individual, composites } = resolvePlan(
      { outputs: ['composite', { composite: { name: 'portrait', size: '720x1280', layout: 'spotlight' } }] },
      true,
    )
    expect(individual).toBe(false)
    expect(composites).toMatchObject([
      { layout: { type: 'grid' }, canvas: { width: 1280, height: 720 }, fps: 30, name: undefined, lagUs: 2_000_000 },
      { layout: { type: 'spotlight' }, canvas: { width: 720, height: 1280 }, name: 'portrait' },
    ])
  })

  it('says what is wrong with a layout, and where', () => {
    const custom = { type: 'custom', regions: [{ x: 0, y: 0, width: 1.4, height: 1 }] }
    const plan = { outputs: [{ composite: { layout: custom } }] } as RenderPlan
    expect(() => resolvePlan(plan, true)).toThrow(
      expect.objectContaining({ code: 'LAYOUT_INVALID', message: expect.stringContaining('regions[0].width') }),
    )
  })

  // What types forbid comes from JSON and command lines all the same.
  it.each<[string, object]>([
    ['outputs', { outputs: [] }],
    ['outputs[0]', { outputs: ['mixed'] }],
    ['outputs[1]', { outputs: ['individual', null] }],
    ['outputs[1].composite.fps', { outputs: ['individual', { composite: { fps: 61 } }] }],
    ['outputs[0].composite.fps', { outputs: [{ composite: { fps: 29.97 } }] }],
    ['outputs[0].composite.size', { outputs: [{ composite: { size: '1280' } }] }],
    ['outputs[0].composite.size', { outputs: [{ composite: { size: '1281x720' } }] }],
    ['outputs[0].composite.size', { outputs: [{ composite: { size: { width: 1280, height: 5000 } } }] }],
    ['outputs[0].composite.name', { outputs: [{ composite: { name: '../x' } }] }],
    ['outputs[1].composite.name', { outputs: ['composite', { composite: { layout: 'single' } }] }],
    ['outputs[0].composite.transitionMs', { outputs: [{ composite: { transitionMs: -1 } }] }],
    ['outputs[0].composite.holdSeconds', { outputs: [{ composite: { holdSeconds: 0 } }] }],
    ['outputs[0].composite.lagSeconds', { outputs: [{ composite: { lagSeconds: 0 } }] }],
    ['outputs[0].composite.video.preset', { outputs: [{ composite: { video: { preset: 'placebo' } } }] }],
    ['outputs[0].composite.video.profile', { outputs: [{ composite: { video: { profile: 'extended' } } }] }],
    ['outputs[0].composite.video.crf', { outputs: [{ composite: { video: { crf: 52 } } }] }],
    ['outputs[0].composite.video.crf', { outputs: [{ composite: { video: { crf: 20, bitRate: 1_000_000 } } }] }],
    ['outputs[0].composite.video.bitRate', { outputs: [{ composite: { video: { bitRate: 9999 } } }] }],
    ['outputs[0].composite.audio.channels', { outputs: [{ composite: { audio: { channels: 6 } } }] }],
    ['outputs[0].composite.audio.gains.ann', { outputs: [{ composite: { audio: { gains: { ann: 25 } } } }] }],
    ['outputs[0].composite.overlays[0].type', { outputs: [{ composite: { overlays: [{ type: 'video' }] } }] }],
    ['outputs[0].composite.background.image', { outputs: [{ composite: { background: {} } }] }],
    ['outputs[0].composite.background.fit', { outputs: [{ composite: { background: { image: 'a', fit: 'tile' } } }] }],
    ['outputs[0].composite.fonts.files', { outputs: [{ composite: { fonts: { files: 'a.ttf' } } }] }],
    ['outputs[0].composite.changes[0].atUs', { outputs: [{ composite: { changes: [{ atUs: -1, layout: 'grid' }] } }] }],
    ['formats', { formats: ['ogg'] }],
    ['hls.segments', { hls: { segments: 'webm' } }],
    ['formats', { outputs: ['composite'], formats: ['webm'] }],
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
