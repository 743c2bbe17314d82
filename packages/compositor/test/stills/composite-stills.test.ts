import { spawnSync } from 'node:child_process'
import { PictureCanvas } from '@rushes/codecs'
import { describe, expect, it } from 'vitest'
import {
  type CompositeObject,
  type CompositeSettings,
  type KeptStills,
  resolveComposite,
  type TakenThumbnail,
  type Thumbnail,
} from '../../src/index.js'
import { CompositeStills, type CompositeStillsOptions } from '../../src/stills/composite-stills.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0

/** Each frame has a grey of its own. */
const grey = (frame: number): number => 16 + frame * 7

interface Taken {
  readonly objects: readonly CompositeObject[]
  readonly thumbnails: readonly Thumbnail[]
}

/** One frame every half second, from 3 s of recording time on; `tellingFrom`: number of the first with somebody in it. */
async function taken(
  settings: CompositeSettings,
  frames: readonly number[],
  tellingFrom = Number.POSITIVE_INFINITY,
  more: Pick<CompositeStillsOptions, 'onThumbnail' | 'kept'> & {
    readonly onObject?: (object: CompositeObject) => void
  } = {},
): Promise<Taken> {
  const { poster, thumbnails } = resolveComposite({ size: '128x64', ...settings }, 'composite')
  const objects: CompositeObject[] = []
  const { onObject, ...own } = more
  const emit = (object: CompositeObject): void => {
    objects.push(object)
    onObject?.(object)
  }
  const stills = await CompositeStills.create({ poster, thumbnails, startUs: 3_000_000, emit, ...own })
  const canvas = await PictureCanvas.create({ width: 128, height: 64 })
  for (const frame of frames) {
    canvas.fillArea({ x: 0, y: 0, width: 128, height: 64 }, [grey(frame), 128, 128])
    stills?.see(canvas, 3_000_000 + frame * 500_000, frame >= tellingFrom)
  }
  stills?.flush(canvas)
  stills?.close()
  canvas.close()
  return { objects, thumbnails: stills?.thumbnails ?? [] }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The size that ffmpeg finds, and which frame is at a place. */
function read(jpeg: Uint8Array): { width: number; height: number; frameAt: (x: number, y: number) => number } {
  const probe = spawnSync(
    'ffprobe',
    ['-v', 'error', '-f', 'mjpeg', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', '-'],
    { input: jpeg },
  )
  const [width, height] = probe.stdout.toString().trim().split(',').map(Number) as [number, number]
  const args = ['-v', 'error', '-f', 'mjpeg', '-i', '-', '-pix_fmt', 'gray', '-f', 'rawvideo', '-']
  const { stdout } = spawnSync('ffmpeg', args, { input: jpeg })
  expect(stdout.byteLength).toBe(width * height)
  // The grey of JPEG has full range.
  const frameAt = (x: number, y: number): number =>
    Math.round((((stdout[y * width + x] as number) * 219) / 255 + 16 - 16) / 7)
  return { width, height, frameAt }
}

describe.skipIf(!hasFfmpeg && !process.env['CI'])('stills of a composite', () => {
  it('put a picture every so often in its place, sheet after sheet, the last as large as it must be', async () => {
    const settings = { thumbnails: { everySeconds: 1, width: 64, columns: 3, rows: 2 } }
    const { objects, thumbnails } = await taken(settings, upTo(20))
    expect(objects.map(({ suffix, contentType }) => [suffix, contentType])).toEqual([
      ['/thumbnails-1.jpg', 'image/jpeg'],
      ['/thumbnails-2.jpg', 'image/jpeg'],
    ])
    const sheets = objects.map(({ body }) => read(body))
    expect(sheets).toMatchObject([
      { width: 192, height: 64 },
      { width: 192, height: 64 },
    ])
    expect(thumbnails).toHaveLength(10)
    for (const [index, { atUs, sheet, x, y, width, height }] of thumbnails.entries()) {
      expect({ atUs, sheet }).toEqual({ atUs: 3_000_000 + index * 1_000_000, sheet: index < 6 ? 1 : 2 })
      expect({ x, y, width, height }).toEqual({
        x: (index % 3) * 64,
        y: Math.floor((index % 6) / 3) * 32,
        width: 64,
        height: 32,
      })
      const { frameAt } = sheets[sheet - 1] as (typeof sheets)[number]
      for (const [dx, dy] of [
        [4, 4],
        [60, 4],
        [4, 28],
        [60, 28],
      ] as const) {
        expect(frameAt(x + dx, y + dy), `thumbnail ${index}`).toBe(index * 2)
      }
    }
  })

  it.each([1, 2, 3, 4])('%i thumbnails are on no larger sheet than they need', async (count) => {
    const settings = { thumbnails: { everySeconds: 1, width: 32, columns: 3, rows: 2 } }
    const { objects } = await taken(settings, upTo(count * 2 - 1))
    expect(read(objects[0]?.body as Uint8Array)).toMatchObject({
      width: 32 * Math.min(count, 3),
      height: count > 3 ? 32 : 16,
    })
  })

  it('leave out what there is no frame for', async () => {
    const { thumbnails } = await taken({ thumbnails: { everySeconds: 1 } }, [0, 1, 2, 7, 8, 9])
    expect(thumbnails.map(({ atUs }) => atUs)).toEqual([3_000_000, 4_000_000, 6_500_000, 7_000_000])
  })

  it.each<[string, NonNullable<CompositeSettings['poster']>, number, number]>([
    ['the first that tells something', true, 3, 3],
    ['that of 3 s where none does', true, Number.POSITIVE_INFINITY, 6],
    ['that of the time that was asked for', { atSeconds: 4.2 }, 0, 9],
    ['the last of a shorter recording', { atSeconds: 100 }, 0, 9],
    ['the first', { atSeconds: 0 }, 5, 0],
  ])('have as poster %s', async (_, poster, tellingFrom, expected) => {
    const { objects } = await taken({ poster }, upTo(10), tellingFrom)
    expect(objects.map(({ suffix }) => suffix)).toEqual(['/poster.jpg'])
    const { width, height, frameAt } = read(objects[0]?.body as Uint8Array)
    expect([width, height, frameAt(64, 32)]).toEqual([128, 64, expected])
  })

  it('have a poster as wide as was asked for', async () => {
    const { objects } = await taken({ poster: { width: 64 } }, upTo(2), 0)
    expect(read(objects[0]?.body as Uint8Array)).toMatchObject({ width: 64, height: 32 })
  })

  it.each([0, 1, 2, 5, 6, 7, 12, 19])('go on at frame %i as if nothing had been', async (at) => {
    const settings = { poster: { atSeconds: 4 }, thumbnails: { everySeconds: 1, width: 64, columns: 3, rows: 2 } }
    const whole = await taken(settings, upTo(20))
    const seen: (CompositeObject | TakenThumbnail)[] = []
    await taken(settings, upTo(20), undefined, {
      onThumbnail: (one) => seen.push(one),
      onObject: (one) => seen.push(one),
    })
    // What was given out before that frame.
    const before = seen.filter(
      (one) => (one.type === 'object' ? one.atUs : one.thumbnail.atUs) < 3_000_000 + at * 500_000,
    )
    const objects = before.filter((one) => one.type === 'object')
    const thumbnails = before.filter((one) => one.type === 'thumbnail')
    const sheets = objects.filter(({ suffix }) => suffix !== '/poster.jpg')
    const kept: KeptStills = {
      hasPoster: sheets.length < objects.length,
      thumbnails: thumbnails.map(({ thumbnail }) => thumbnail),
      openSheet: thumbnails.slice(sheets.length * 6).map(({ samples }) => samples),
    }
    const rest = await taken(settings, upTo(20).slice(at), undefined, { kept })
    expect(rest.thumbnails).toEqual(whole.thumbnails)
    expect([...objects, ...rest.objects]).toEqual(whole.objects)
  })

  it('are none of nothing', async () => {
    expect(await taken({ poster: true, thumbnails: true }, [])).toEqual({ objects: [], thumbnails: [] })
    expect(await taken({}, upTo(3))).toEqual({ objects: [], thumbnails: [] })
  })
})
