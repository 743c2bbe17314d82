import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { template } from '@rushes/naming-rules'
import { createMemoryStore } from '@rushes/storage-adapters'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { readCard } from '@rushes/testkit/card'
import { describe, expect, it } from 'vitest'
import { type Manifest, type ManifestOutput, type RenderEvent, type RenderPlan, render } from '../src/index.js'
import { filesBelow, fixture, replay, temporaryFolder } from './fixtures.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const size = { width: 640, height: 360 }
const FPS = 15
const composite = { size, fps: FPS, video: { preset: 'ultrafast' } } as const

/** All of everybody's picture, and nothing written on it. */
const whole = { type: 'grid', tile: { fit: 'contain', label: false } } as const

interface Cue {
  /** Microseconds of media time. */
  readonly fromUs: number
  readonly toUs: number
  readonly sheet: string
  readonly place: readonly [x: number, y: number, width: number, height: number]
}

/** As ffprobe reads the file. */
function cuesOf(path: string): Cue[] {
  const args = ['-v', 'error', '-show_packets', '-show_data', '-of', 'json', path]
  const { packets } = JSON.parse(execFileSync('ffprobe', args).toString())
  return packets.map((packet: { pts_time: string; duration_time: string; data: string }) => {
    // A hexadecimal dump, sixteen bytes a line.
    const hex = [...packet.data.matchAll(/^[0-9a-f]{8}: ((?:[0-9a-f]{2,4} ?)+) /gm)].map(([, bytes]) => bytes).join('')
    const text = Buffer.from(hex.replaceAll(' ', ''), 'hex').toString()
    const [, sheet, place] = /^(thumbnails-\d+\.jpg)#xywh=([\d,]+)$/.exec(text) ?? []
    const fromUs = Math.round(Number(packet.pts_time) * 1e6)
    return {
      fromUs,
      toUs: fromUs + Math.round(Number(packet.duration_time) * 1e6),
      sheet: sheet as string,
      place: (place as string).split(',').map(Number) as unknown as Cue['place'],
    }
  })
}

/** Grey pictures of a file, of the size that is given. */
function greys(path: string, { width, height }: { width: number; height: number }, filter = 'null'): Buffer[] {
  const args = ['-v', 'error', '-i', path, '-vf', filter, '-fps_mode', 'passthrough', '-pix_fmt', 'gray']
  const raw = execFileSync('ffmpeg', [...args, '-f', 'rawvideo', '-'], { maxBuffer: 1 << 28 })
  expect(raw.byteLength % (width * height)).toBe(0)
  return Array.from({ length: raw.byteLength / (width * height) }, (_, index) =>
    raw.subarray(index * width * height, (index + 1) * width * height),
  )
}

/** A part of a picture. */
function cut(picture: Buffer, stride: number, x: number, y: number, width: number, height: number): Uint8Array {
  return Buffer.concat(
    Array.from({ length: height }, (_, row) =>
      picture.subarray((y + row) * stride + x, (y + row) * stride + x + width),
    ),
  )
}

/** Counters of the test cards that stand in a picture of the composite at a time, by participant. */
function cardsIn(picture: Buffer, { layouts }: Manifest, atUs: number): Record<string, number | undefined> {
  const layout = layouts.find(({ startUs, endUs }) => startUs <= atUs && atUs < endUs)
  const cards: Record<string, number | undefined> = {}
  if (layout === undefined || layout.transition === true) return cards
  for (const { participantId, picture: place, placeholder } of layout.tiles) {
    if (placeholder || place === undefined) continue
    const { x, y, width, height } = place
    cards[participantId] = readCard(cut(picture, size.width, x, y, width, height), width, height).counter
  }
  return cards
}

const compositesOf = ({ outputs }: Manifest): ManifestOutput[] => outputs.filter(({ kind }) => kind === 'composite')

describe.skipIf(!hasFfmpeg && !process.env['CI'])('stills of a composite', () => {
  it('are the pictures of the recording, each in the cue of its time', async () => {
    const root = temporaryFolder()
    const stored: string[] = []
    const thumbnails = { everySeconds: 2, width: 640, columns: 2, rows: 3 }
    const manifest = await render(
      await fixture('meeting3'),
      { outputs: [{ composite: { ...composite, layout: whole, transitionMs: 0, poster: true, thumbnails } }] },
      {
        store: createLocalStore({ root }),
        onEvent: (event: RenderEvent) => {
          if (event.type === 'stored') stored.push(event.key)
        },
      },
    )
    const files = {
      poster: { key: 'meeting3/composite/poster.jpg' },
      thumbnails: {
        key: 'meeting3/composite/thumbnails.vtt',
        sheets: ['meeting3/composite/thumbnails-1.jpg', 'meeting3/composite/thumbnails-2.jpg'],
      },
    }
    expect(manifest.outputs).toMatchObject([
      { container: 'hls', ...files },
      { container: 'mp4', ...files },
    ])
    const [hls, mp4] = manifest.outputs as [ManifestOutput, ManifestOutput]
    expect(mp4.poster?.location).toMatch(/^file:.*poster\.jpg$/)
    const order = stored.filter((key) => /\.(jpg|vtt|json)$/.test(key))
    expect(order, 'what names others comes after them').toEqual([
      files.poster.key,
      ...files.thumbnails.sheets,
      files.thumbnails.key,
      'meeting3/manifest.json',
    ])

    const cues = cuesOf(join(root, files.thumbnails.key))
    expect(cues).toHaveLength(10)
    for (const [index, { fromUs, toUs }] of cues.entries()) {
      expect(fromUs).toBe(index === 0 ? 0 : cues[index - 1]?.toUs)
      if (index < 9) expect(Math.abs(toUs - (index + 1) * 2_000_000)).toBeLessThan(10_000)
    }
    expect(cues.at(-1)?.toUs).toBe(Math.round(mp4.durationUs / 1000) * 1000)
    expect([hls.startUs, hls.durationUs]).toEqual([mp4.startUs, mp4.durationUs])

    // Every frame of the recording at its media time.
    const video = greys(join(root, mp4.key), size)
    const firstUs = Number(
      execFileSync('ffprobe', [
        ...['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=start_time', '-of', 'csv=p=0'],
        join(root, mp4.key),
      ]).toString(),
    )
    const frameOf = (mediaUs: number): number => Math.max(0, Math.round((mediaUs / 1e6 - firstUs) * FPS))
    const sheets = new Map(
      [
        [files.thumbnails.sheets[0], { width: 1280, height: 1080 }],
        [files.thumbnails.sheets[1], { width: 1280, height: 720 }],
      ].map(([key, sheetSize]) => {
        const [picture] = greys(join(root, key as string), sheetSize as { width: number; height: number })
        return [key as string, picture as Buffer]
      }),
    )
    const read: Record<string, number[]> = {}
    for (const { fromUs, sheet, place } of cues) {
      const [x, y, width, height] = place
      expect([width, height]).toEqual([640, 360])
      const picture = cut(sheets.get(`meeting3/composite/${sheet}`) as Buffer, 1280, x, y, width, height)
      const atUs = mp4.startUs + fromUs + 1000
      const cards = cardsIn(picture as Buffer, manifest, atUs)
      expect(cards, `at ${fromUs}`).toEqual(cardsIn(video[frameOf(fromUs)] as Buffer, manifest, atUs))
      for (const [participantId, counter] of Object.entries(cards)) {
        expect(counter, `${participantId} at ${fromUs}`).toBeTypeOf('number')
        read[participantId] = [...(read[participantId] ?? []), (counter as number) - (atUs * 30) / 1e6]
      }
    }
    // Everybody is seen, and all cards follow one clock.
    expect(Object.fromEntries(Object.entries(read).map(([id, all]) => [id, all.length]))).toEqual({
      alice: 9,
      bob: 5,
      carol: 7,
    })
    const all = Object.values(read).flat()
    expect(Math.max(...all) - Math.min(...all)).toBeLessThan(6)

    const [poster] = greys(join(root, files.poster.key), size)
    const aliceFrom = manifest.layouts.find(({ tiles }) => tiles.length === 1)?.startUs as number
    expect(cardsIn(poster as Buffer, manifest, aliceFrom)).toEqual(
      cardsIn(video[frameOf(aliceFrom - mp4.startUs)] as Buffer, manifest, aliceFrom),
    )
    expect(cardsIn(poster as Buffer, manifest, aliceFrom)['alice']).toBeTypeOf('number')
  })
})

describe('stills', () => {
  const stillsOf = (keys: Iterable<string>): string[] => [...keys].filter((key) => /\.(jpg|vtt)$/.test(key)).sort()
  const plan = (more: object = {}): RenderPlan => ({
    outputs: [{ composite: { ...composite, ...more } }],
    formats: ['mp4'],
    toUs: 5_000_000,
  })

  it('are there of a live recording, as of a finished one', async () => {
    const stills = { poster: { atSeconds: 2 }, thumbnails: { everySeconds: 1, width: 64 } }
    const store = createMemoryStore()
    const manifest = await render(replay(await fixture('solo')), plan(stills), { store })
    expect(stillsOf(store.objects.keys())).toEqual([
      'solo/composite/poster.jpg',
      'solo/composite/thumbnails-1.jpg',
      'solo/composite/thumbnails.vtt',
    ])
    const [output] = compositesOf(manifest)
    const text = new TextDecoder().decode(store.objects.get(output?.thumbnails?.key as string)?.data)
    expect(text.match(/ --> /g)).toHaveLength(5)
    expect(store.objects.get('solo/composite/thumbnails.vtt')?.contentType).toBe('text/vtt')
    expect(store.objects.get('solo/composite/poster.jpg')?.contentType).toBe('image/jpeg')
  })

  it('are only those that are wanted, and of nothing else than composites', async () => {
    const store = createMemoryStore()
    const { outputs } = plan({ poster: true })
    const manifest = await render(
      await fixture('solo'),
      { ...plan(), outputs: ['individual', ...(outputs as [])] },
      { store },
    )
    expect(stillsOf(store.objects.keys())).toEqual(['solo/composite/poster.jpg'])
    expect(manifest.outputs.map(({ kind, poster }) => [kind, poster !== undefined])).toEqual([
      ['individual', false],
      ['composite', true],
    ])
    expect(manifest.outputs.every(({ thumbnails }) => thumbnails === undefined)).toBe(true)
    const sound = await render(await fixture('solo'), { ...plan({ poster: true }), media: 'audio' }, { store })
    expect(sound.outputs[0]).not.toHaveProperty('poster')
  })

  it.each([
    ['{recordingId}/{participantId}', 'solo/composite'],
    ['{recordingId}/{participantId}-{part}', 'solo/composite-1'],
    ['{recordingId}/{participantId}-{endedAt:yyyy}', 'solo/composite-2026'],
  ])('of a recording named %s stand beside it, once', async (rule, stem) => {
    const store = createMemoryStore()
    const parts = rule.includes('endedAt') ? {} : { parts: { seconds: 2 } }
    const stills = { poster: true, thumbnails: { everySeconds: 1, width: 64 } }
    const manifest = await render(
      await fixture('solo'),
      { ...plan(stills), ...parts, naming: template(rule) },
      { store },
    )
    const { poster, thumbnails } = manifest.outputs[0] as ManifestOutput
    expect([poster?.key, thumbnails?.key]).toEqual([`${stem}/poster.jpg`, `${stem}/thumbnails.vtt`])
    for (const output of manifest.outputs) expect(output).toMatchObject({ poster, thumbnails })
  })

  it('of what is given up are nowhere', async () => {
    const root = temporaryFolder()
    const scratchDir = temporaryFolder()
    const controller = new AbortController()
    const take = await fixture('solo')
    const source = replay(take, {
      onPacket: (arrivalUs) => {
        if (arrivalUs > 9_000_000) controller.abort()
        return undefined
      },
      untilUs: 10_000_000,
    })
    const { outputs } = plan({ poster: true, thumbnails: { everySeconds: 1, columns: 1, rows: 1 } })
    const rendering = render(
      source,
      { outputs: outputs as [], formats: ['mp4'] },
      { store: createLocalStore({ root }), scratchDir, signal: controller.signal },
    )
    await expect(rendering).rejects.toMatchObject({ code: 'RENDER_ABORTED' })
    expect([...filesBelow(root), ...filesBelow(scratchDir)]).toEqual([])
  })
})
