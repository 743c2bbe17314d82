import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createMemoryStore } from '@rushes/storage-adapters'
import { describe, expect, it } from 'vitest'
import { type Manifest, type RenderPlan, render } from '../src/index.js'
import { derivedTake, fixture, replay } from './fixtures.js'
import { schemaErrors } from './schema-errors.js'

const schema = JSON.parse(readFileSync(new URL('../src/manifest.schema.json', import.meta.url), 'utf8'))

/** Everything that a manifest may hold. */
const full: Manifest = {
  version: 1,
  recordingId: 'r',
  roomId: 'room',
  startedAt: '2026-11-21T11:36:26.977Z',
  durationUs: 20_000_000,
  participants: [{ id: 'p', name: 'Pia', intervals: [{ startUs: 0, endUs: 1 }] }],
  outputs: [
    {
      kind: 'individual',
      participantId: 'p',
      container: 'mp4',
      key: 'r/p.mp4',
      location: 'file:///r/p.mp4',
      bytes: 1,
      sha256: '0'.repeat(64),
      startUs: -5,
      durationUs: 1,
      video: { codec: 'avc1.42c01f', width: 640, height: 360 },
      audio: { codec: 'mp4a.40.2', sampleRate: 48_000, channels: 1 },
      poster: { key: 'r/p/poster.jpg', location: 'file:///r/p/poster.jpg' },
      thumbnails: {
        key: 'r/p/thumbnails.vtt',
        location: 'file:///r/p/thumbnails.vtt',
        sheets: ['r/p/thumbnails-1.jpg'],
      },
    },
    {
      kind: 'composite',
      name: 'small',
      container: 'mp4',
      key: 'r/small.mp4',
      location: 'file:///r/small.mp4',
      bytes: 1,
      startUs: 0,
      durationUs: 1,
    },
  ],
  layouts: [
    {
      startUs: 0,
      endUs: 5,
      name: 'grid',
      composite: 'small',
      transition: true,
      canvas: { width: 640, height: 360 },
      tiles: [
        {
          participantId: 'p',
          trackId: 'v',
          x: 0,
          y: 0,
          width: 640,
          height: 360,
          picture: { x: -2, y: 0, width: 644, height: 360 },
          placeholder: false,
        },
        { participantId: 'q', x: 0, y: 0, width: 64, height: 36, placeholder: true },
      ],
    },
  ],
  chapters: [{ atUs: 3, type: 'join', participantId: 'p', label: 'p joined' }],
  pauses: [{ startUs: 1, endUs: 2, mode: 'cut' }],
  marks: [{ atUs: 5, label: 'goal' }],
  repairs: [
    {
      participantId: 'p',
      trackId: 'v',
      startUs: 0,
      endUs: 1,
      cause: 'packet-loss',
      packets: 1,
      action: 'held-picture',
    },
  ],
  warnings: [{ code: 'TAKE_DAMAGED', message: 'm', participantId: 'p', trackId: 'v' }],
}

/** All paths of a value's keys, list places left out: `outputs.video.width`. */
function pathsOf(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, at))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [`${at}${key}`, ...pathsOf(inner, `${at}${key}.`)])
}

describe('manifest.schema.json', () => {
  it('is published', () => {
    const path = createRequire(import.meta.url).resolve('@rushes/render/manifest.schema.json')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(schema)
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
  })

  it('knows everything that the type knows', () => {
    expect(schemaErrors(schema, full)).toEqual([])
  })

  it.each(pathsOf(full))('has a rule for %s', (path) => {
    const broken = structuredClone(full) as unknown as Record<string, unknown>
    const keys = path.split('.')
    let place = broken
    for (const key of keys.slice(0, -1)) {
      const inner = place[key]
      place = (Array.isArray(inner) ? inner[0] : inner) as Record<string, unknown>
    }
    place[keys.at(-1) as string] = null
    expect(schemaErrors(schema, broken)).not.toEqual([])
    place[`${keys.at(-1)}x`] = 1
    delete place[keys.at(-1) as string]
    expect(schemaErrors(schema, broken)).not.toEqual([])
  })

  it.each<[string, RenderPlan]>([
    ['solo', { formats: ['mp4'] }],
    ['meeting3', { formats: ['hls'] }],
    ['lossy', {}],
    ['burst-loss', { afterLoss: 'continue', audio: { codec: 'opus' } }],
    ['mutes', { formats: ['hls'], fromUs: 5_000_000 }],
    ['rejoin', { formats: ['hls'], audio: { sampleRate: 44_100 } }],
    ['ramp', { formats: ['mp4'], toUs: 9_000_000 }],
  ])('holds for %s', async (take, plan) => {
    const manifest = await render(await fixture(take), plan, { store: createMemoryStore() })
    expect(schemaErrors(schema, JSON.parse(JSON.stringify(manifest)))).toEqual([])
  })

  it('holds live, and with warnings', async () => {
    const store = createMemoryStore()
    const live = await render(replay(await fixture('rejoin')), { formats: ['hls'] }, { store })
    expect(schemaErrors(schema, JSON.parse(JSON.stringify(live)))).toEqual([])
    const silent = await derivedTake(await fixture('solo'), (packet) => packet.trackId === 'alice-audio')
    const warned = await render(silent, { formats: ['mp4'] }, { store })
    expect(warned.warnings).not.toEqual([])
    expect(schemaErrors(schema, JSON.parse(JSON.stringify(warned)))).toEqual([])
  })
})
