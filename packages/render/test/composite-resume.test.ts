import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { checkMp4 } from '@rushes/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Manifest, type RenderEvent, type RenderPlan, type RenderSinks, render } from '../src/index.js'
import { filesBelow, fixture, hlsFindings, temporaryFolder } from './fixtures.js'

// What a killed process leaves, and how true the pictures are, is in test/faults/killed-composite.test.ts.
const composite = {
  size: '160x90',
  fps: 10,
  video: { preset: 'ultrafast' },
  thumbnails: { everySeconds: 1, width: 32 },
}
const plan: RenderPlan = {
  outputs: [{ composite: { ...composite, video: { preset: 'ultrafast' } } }],
  hls: { segmentDuration: 1 },
  toUs: 10_000_000,
}

let workDir: string
beforeEach(() => {
  workDir = join(temporaryFolder(), 'work')
})
const segments = (): string[] => filesBelow(workDir).filter((name) => /segment-\d+$/.test(name))

interface Rendered {
  readonly manifest: Manifest
  readonly store: MemoryStore
  /** Recording times at which composites went on. */
  readonly resumed: readonly number[]
}

async function rendered(own: RenderPlan, sinks: Partial<RenderSinks> = {}): Promise<Rendered> {
  const store = createMemoryStore()
  const resumed: number[] = []
  const onEvent = (event: RenderEvent): void => void (event.type === 'resumed' && resumed.push(event.atUs))
  const manifest = await render(await fixture('meeting3'), own, { store, workDir, onEvent, ...sinks })
  return { manifest, store, resumed }
}

/** Aborted when so much is composed; returns how many segments are kept. */
async function interrupted(own: RenderPlan, atUs: number): Promise<number> {
  const controller = new AbortController()
  const onEvent = (event: RenderEvent): void => {
    if (event.type === 'progress' && event.recordedUs >= atUs) controller.abort()
  }
  const sinks = { store: createMemoryStore(), workDir, signal: controller.signal, onEvent }
  await expect(render(await fixture('meeting3'), own, sinks)).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
  return segments().length
}

describe('a composite that was interrupted', () => {
  it('goes on before what is damaged, also in parts, and leaves no work behind', async () => {
    const own = { ...plan, parts: { seconds: 3 } }
    const kept = await interrupted(own, 6_000_000)
    expect(kept).toBeGreaterThanOrEqual(5)
    truncateSync(join(workDir, segments().at(-1) as string), 1000)
    const { manifest, store, resumed } = await rendered(own)
    expect(resumed).toEqual([(kept - 1) * 1_000_000 + 100_000])
    expect(filesBelow(join(workDir, '..'))).toEqual([])
    const reference = await rendered(own, {})
    expect(reference.resumed).toEqual([])
    const facts = ({ outputs }: Manifest): unknown[] =>
      outputs.map(({ key, part, startUs, durationUs }) => ({ key, part, startUs, durationUs }))
    expect(facts(manifest)).toEqual(facts(reference.manifest))
    expect(facts(manifest)).toHaveLength(8)
    expect({ ...manifest, outputs: [] }).toEqual({ ...reference.manifest, outputs: [] })
    for (const { container, key } of manifest.outputs) {
      const data = store.objects.get(key)?.data as Uint8Array
      expect(container === 'mp4' ? await checkMp4(data) : await hlsFindings(store, key), key).toEqual([])
    }
  })

  it('with other settings begins anew, and what there was goes', async () => {
    await interrupted(plan, 4_000_000)
    const { resumed } = await rendered({ ...plan, outputs: [{ composite: { ...composite, fps: 12, video: {} } }] })
    expect(resumed).toEqual([])
    expect(filesBelow(join(workDir, '..'))).toEqual([])
  })

  it('goes on where its outputs could not be brought to where they belong', async () => {
    const onStored = (): Promise<void> => Promise.reject(new Error('no way'))
    await expect(rendered(plan, { onStored })).rejects.toThrow('no way')
    expect(segments()).toHaveLength(9)
    expect((await rendered(plan)).resumed).toEqual([9_100_000])
  })

  it('is not kept where it is of sound alone, and a render does not fail for what it keeps', async () => {
    writeFileSync(join(workDir, '..', 'file'), '')
    const nowhere = join(workDir, '..', 'file', 'work')
    const short = { ...plan, formats: ['mp4'], toUs: 2_000_000 } as const
    const sound = await rendered({ ...short, media: 'audio' }, { workDir: nowhere })
    expect(sound.manifest.warnings).toEqual([])
    const both = await rendered(short, { workDir: nowhere })
    expect(both.manifest.warnings.map(({ code }) => code)).toEqual(['COMPOSITE_NOT_KEPT'])
    expect(both.manifest.outputs).toHaveLength(1)
  })
})
