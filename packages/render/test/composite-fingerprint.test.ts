import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CompositeSettings, resolveComposite } from '@rushes/compositor'
import { describe, expect, it } from 'vitest'
import { compositeFingerprint } from '../src/composite-fingerprint.js'
import { type RenderPlan, resolvePlan } from '../src/plan.js'
import { temporaryFolder } from './fixtures.js'

interface Changed {
  readonly settings?: CompositeSettings
  readonly plan?: RenderPlan
  readonly recordingId?: string
  readonly finished?: boolean
}

async function fingerprint({ settings = {}, plan = {}, recordingId = 'r', finished = true }: Changed): Promise<string> {
  return compositeFingerprint({
    recordingId,
    startedAtUs: 1_000_000,
    plan: resolvePlan(plan, finished),
    settings: resolveComposite(settings, 'composite'),
  })
}

describe('the fingerprint of a composite', () => {
  it('is the same live and later, whatever its outputs are', async () => {
    const one = await fingerprint({})
    expect(await fingerprint({ finished: false })).toBe(one)
    expect(await fingerprint({ plan: { formats: ['mp4'], hls: { playlistType: 'event' } } })).toBe(one)
    expect(await fingerprint({ settings: { lagSeconds: 5 } })).toBe(one)
    expect(await fingerprint({ plan: { participants: ['b', 'a'] } })).toBe(
      await fingerprint({ plan: { participants: ['a', 'b'] } }),
    )
  })

  it.each<[string, Changed]>([
    ['recording', { recordingId: 's' }],
    ['layout', { settings: { layout: 'spotlight' } }],
    ['changes', { settings: { changes: [] } }],
    ['size', { settings: { size: '640x360' } }],
    ['fps', { settings: { fps: 25 } }],
    ['quality', { settings: { video: { crf: 20 } } }],
    ['renditions', { settings: { video: { renditions: [{ size: '640x360' }] } } }],
    ['gains', { settings: { audio: { gains: { ann: 3 } } } }],
    ['poster', { settings: { poster: true } }],
    ['thumbnails', { settings: { thumbnails: { everySeconds: 5 } } }],
    ['overlays', { settings: { overlays: [{ type: 'text', text: 'draft' }] } }],
    ['segments', { plan: { hls: { segmentDuration: 4 } } }],
    ['sample rate', { plan: { audio: { sampleRate: 44_100 } } }],
    ['kinds', { plan: { media: 'video' } }],
    ['stretch', { plan: { fromUs: 1 } }],
    ['people', { plan: { participants: ['a'] } }],
    ['losses', { plan: { afterLoss: 'continue' } }],
  ])('is another with another %s', async (_, changed) => {
    expect(await fingerprint(changed)).not.toBe(await fingerprint({}))
  })

  it('tells files apart by what is in them', async () => {
    const image = join(temporaryFolder(), 'logo.png')
    const all: CompositeSettings[] = [
      { overlays: [{ type: 'image', image }] },
      { background: { image } },
      { placeholder: { images: { ann: image } } },
      { fonts: { files: [image] } },
    ]
    for (const settings of all) {
      writeFileSync(image, 'one')
      const one = await fingerprint({ settings })
      expect(await fingerprint({ settings })).toBe(one)
      writeFileSync(image, 'two')
      expect(await fingerprint({ settings })).not.toBe(one)
    }
  })
})
