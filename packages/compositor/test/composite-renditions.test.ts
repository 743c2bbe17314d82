import { PictureCanvas } from '@rushes/codecs'
import type { EncodedSample, TimedItem } from '@rushes/media'
import { describe, expect, it } from 'vitest'
import { CompositeEncoding } from '../src/composite-encoding.js'
import { type CanvasSize, type CompositeVideo, Compositor, type LoadStep, resolveComposite } from '../src/index.js'

const resolve = (video: CompositeVideo, size = '1280x720') => resolveComposite({ size, video }, 'composite').video

describe('settings of renditions', () => {
  it('take from the picture what they leave out, and are sorted by size', () => {
    expect(resolve({}).renditions).toEqual([])
    const { renditions } = resolve({
      preset: 'fast',
      crf: 20,
      profile: 'main',
      renditions: [
        { size: '426x240', bitRate: 300_000 },
        { size: { width: 854, height: 480 } },
        { size: '640x360', crf: 30 },
      ],
    })
    const shared = { preset: 'fast', profile: 'main' }
    expect(renditions).toEqual([
      { ...shared, size: { width: 854, height: 480 }, crf: 20, bitRate: undefined },
      { ...shared, size: { width: 640, height: 360 }, crf: 30, bitRate: undefined },
      { ...shared, size: { width: 426, height: 240 }, crf: undefined, bitRate: 300_000 },
    ])
    expect(resolve({ bitRate: 2_000_000, renditions: [{ size: '640x360' }] }).renditions[0]).toMatchObject({ crf: 23 })
  })

  it.each<[string, unknown]>([
    ['video.renditions', []],
    ['video.renditions', Array.from({ length: 5 }, () => ({ size: '320x180' }))],
    ['video.renditions[0]', [null]],
    ['video.renditions[1].size', [{ size: '320x180' }, { size: '1280x720' }]],
    ['video.renditions[0].size', [{}]],
    ['video.renditions[0].size', [{ size: '640x720' }]],
    ['video.renditions[0].size', [{ size: '640x480' }]],
    ['video.renditions[0].crf', [{ size: '640x360', crf: 52 }]],
    ['video.renditions[0].crf', [{ size: '640x360', crf: 20, bitRate: 500_000 }]],
    ['video.renditions[0].bitRate', [{ size: '640x360', bitRate: 1 }]],
  ])('%s is refused by its name', (field, renditions) => {
    expect(() => resolve({ renditions } as CompositeVideo)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', field: `composite.${field}` }),
    )
  })
})

const whole = { width: 1280, height: 720 }
const small = { width: 640, height: 360 }

/** Where either form of a picture is coded otherwise than before, when a machine gives up one thing after the other. */
async function changesUnderLoad(size: CanvasSize): Promise<number[]> {
  const canvas = await PictureCanvas.create(whole)
  const shared = { preset: 'medium', profile: 'high', crf: 30, bitRate: undefined } as const
  const encoding = await CompositeEncoding.open('v', canvas, { ...shared, size }, 30)
  const samples: EncodedSample[] = []
  const emit = (item: TimedItem): void => void (item.type === 'sample' && samples.push(item))
  const steps: LoadStep[] = [
    ...(['fast', 'veryfast', 'superfast', 'ultrafast'] as const).map(
      (preset): LoadStep => ({ preset, frameStep: 1, sizeDivisor: 1 }),
    ),
    { preset: 'ultrafast', frameStep: 2, sizeDivisor: 1 },
    { preset: 'ultrafast', frameStep: 2, sizeDivisor: 2 },
    { preset: 'medium', frameStep: 1, sizeDivisor: 1 },
  ]
  encoding.encode(0, 2, true, emit)
  for (const [index, step] of steps.entries()) {
    await encoding.setLoad(step)
    encoding.encode(2 * index + 2, 2 * index + 4, true, emit)
  }
  encoding.flush(emit)
  encoding.close()
  canvas.close()
  expect(samples).toHaveLength(steps.length + 1)
  return samples.flatMap(({ configuration }, index) => (configuration === undefined ? [] : [index]))
}

describe('renditions', () => {
  it('change when the picture does, under load, and not else: all playlists break at the same places', async () => {
    const [ofWhole, ofSmall] = [await changesUnderLoad(whole), await changesUnderLoad(small)]
    expect(ofSmall).toEqual(ofWhole)
    // The profile of the fastest preset, half of the size, and back.
    expect(ofWhole).toEqual([0, 4, 6, 7])
  })

  const settings = resolveComposite(
    {
      size: '320x180',
      fps: 10,
      video: { preset: 'ultrafast', renditions: [{ size: '160x90' }] },
    },
    'composite',
  )

  async function composed(
    act: (compositor: Compositor, frame: number) => Promise<void> | void,
  ): Promise<EncodedSample[][]> {
    const compositor = await Compositor.create({
      settings,
      startUs: 0,
      startedAtUs: 0,
      sampleRate: 48_000,
      kinds: new Set(['video']),
      keyframeSeconds: 1,
    })
    const items: TimedItem[] = []
    compositor.scene({ type: 'join', atUs: 500_000, participantId: 'ann', name: 'Ann' })
    for (let frame = 0; frame < 30; frame++) {
      await act(compositor, frame)
      compositor.compose({ knownUs: 10_000_000, forcedUs: 10_000_000 }, (item) => items.push(item))
    }
    const { tracks } = compositor
    compositor.flush((item) => items.push(item), 3_000_000)
    expect(tracks.map(({ id }) => id)).toEqual(['composite-video', 'composite-video-1'])
    for (const { id } of tracks) {
      expect(items.filter(({ type, trackId }) => type === 'track-end' && trackId === id)).toHaveLength(1)
    }
    return tracks.map(({ id }) =>
      items.filter((item): item is EncodedSample => item.type === 'sample' && item.trackId === id),
    )
  }

  const timesOf = (samples: readonly EncodedSample[]) =>
    samples.map(({ pts, dts, duration, keyframe }) => ({ pts, dts, duration, keyframe }))

  it('have the same times and keyframes as the picture, in their own size', async () => {
    const [whole, small] = (await composed((compositor, frame) => {
      if (frame === 13) compositor.requestKeyframe()
    })) as [EncodedSample[], EncodedSample[]]
    expect(whole).toHaveLength(30)
    expect(timesOf(small)).toEqual(timesOf(whole))
    expect(whole.flatMap(({ keyframe }, index) => (keyframe ? [index] : []))).toEqual([0, 10, 13, 20])
    expect(whole[0]?.configuration).toMatchObject({ width: 320, height: 180 })
    expect(small[0]?.configuration).toMatchObject({ width: 160, height: 90 })
    expect(small.slice(1).every(({ configuration }) => configuration === undefined)).toBe(true)
  })
})
