import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RushesError } from '@rushes/media'
import { type Manifest, render } from '@rushes/render'
import { createMemoryStore, type MemoryStore } from '@rushes/storage-adapters'
import { createTakeWriter, openTake } from '@rushes/take'
import { checkHls, checkMp4 } from '@rushes/testkit'
import { describe, expect, it } from 'vitest'
import { copyOf, temporaryFolder } from './fault-sites.js'

/** Cuts of each file; the long form is a matter of this number. */
const CUTS = Number(process.env['RUSHES_TAKE_CUTS'] ?? 6)

/** A small seeded generator (mulberry32): a failure can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Outcome {
  readonly store: MemoryStore
  readonly manifest: Manifest | undefined
  readonly error: unknown
}

/**
 * Renders what is left. What is stored is whole, or it is not there. A track that ends in mid-call stays in the tables of
 * the segments after it.
 */
async function renderIn(dir: string): Promise<Outcome> {
  const store = createMemoryStore()
  let manifest: Manifest | undefined
  let error: unknown
  try {
    manifest = await render(await openTake(dir), { recordingId: 'r' }, { store })
  } catch (caught) {
    error = caught
    expect(caught, 'a typed error').toBeInstanceOf(RushesError)
    expect([...store.objects.keys()]).toEqual([])
  }
  for (const { container, key } of manifest?.outputs ?? []) {
    const folder = key.slice(0, key.lastIndexOf('/'))
    const read = (uri: string): Uint8Array => store.objects.get(`${folder}/${uri}`)?.data as Uint8Array
    const findings =
      container === 'hls'
        ? await checkHls({ entry: 'index.m3u8', read }, { transportStream: { allowIdle: true } })
        : await checkMp4(store.objects.get(key)?.data as Uint8Array)
    expect(findings, key).toEqual([])
  }
  return { store, manifest, error }
}

describe('a damaged take', () => {
  it.each(['alice-video.rtpdump', 'alice-audio.rtpdump'])('%s cut at random places', async (file) => {
    const dir = copyOf('solo')
    const path = join(dir, file)
    const whole = readFileSync(path)
    const random = randomFrom(4711)
    for (let i = 0; i < CUTS; i++) {
      // The header line and its sixteen bytes are the first places where a file can end.
      const at = i === 0 ? Math.floor(random() * 50) : Math.floor(random() * whole.byteLength)
      writeFileSync(path, whole.subarray(0, at))
      const { manifest } = await renderIn(dir)
      const damage = manifest?.warnings.filter(({ code }) => code === 'TAKE_DAMAGED')
      expect(damage, `cut at ${at}`).toHaveLength(1)
      expect(damage?.[0]).toMatchObject({ participantId: 'alice', trackId: file.replace('.rtpdump', '') })
      expect(damage?.[0]?.message, `cut at ${at}`).toMatch(new RegExp(`^${file}: .*\\d+ bytes`))
    }
  })

  it('with zeros at its end, as a power failure leaves them', async () => {
    const dir = copyOf('solo')
    const path = join(dir, 'alice-video.rtpdump')
    const whole = readFileSync(path)
    const half = Math.floor(whole.byteLength / 2)
    whole.fill(0, half)
    writeFileSync(path, whole)
    const { manifest } = await renderIn(dir)
    expect(manifest?.warnings).toMatchObject([{ code: 'TAKE_DAMAGED', trackId: 'alice-video' }])
    const bytes = Number(/(\d+) bytes/.exec(manifest?.warnings[0]?.message ?? '')?.[1])
    expect(bytes).toBeGreaterThanOrEqual(whole.byteLength - half)
    expect(bytes).toBeLessThan(whole.byteLength - half + 1500)
    expect(manifest?.outputs[0]?.video).toBeDefined()
  })

  it('with garbage in its middle', async () => {
    const dir = copyOf('solo')
    const path = join(dir, 'alice-video.rtpdump')
    const whole = readFileSync(path)
    const random = randomFrom(11)
    for (let i = 0; i < 5000; i++) whole[300_000 + i] = Math.floor(random() * 256)
    writeFileSync(path, whole)
    const { manifest } = await renderIn(dir)
    expect(manifest?.warnings.map(({ code }) => code)).toContain('TAKE_DAMAGED')
  })

  it('without one of its files', async () => {
    const dir = copyOf('meeting3')
    rmSync(join(dir, 'bob-audio.rtpdump'))
    const { manifest } = await renderIn(dir)
    const [damage] = manifest?.warnings.filter(({ code }) => code === 'TAKE_DAMAGED') ?? []
    expect(damage).toMatchObject({ participantId: 'bob', trackId: 'bob-audio' })
    expect(damage?.message).toBe('bob-audio.rtpdump: there is no such file: the track is left out')
    const bob = manifest?.outputs.filter(({ participantId }) => participantId === 'bob') ?? []
    expect(bob).toHaveLength(2)
    for (const output of bob) expect(output.audio).toBeUndefined()
  })

  it('without any of its files', async () => {
    const dir = copyOf('solo')
    rmSync(join(dir, 'alice-video.rtpdump'))
    rmSync(join(dir, 'alice-audio.rtpdump'))
    expect((await renderIn(dir)).error).toMatchObject({ code: 'TAKE_MISSING_TRACK_FILE' })
  })

  it('that is empty', async () => {
    const dir = join(temporaryFolder(), 'empty')
    await (await createTakeWriter(dir, { startedAt: '2026-11-21T11:36:26.977Z' })).finish()
    expect((await renderIn(dir)).error).toMatchObject({ code: 'RENDER_NO_MEDIA' })
    const files = copyOf('solo')
    truncateSync(join(files, 'alice-video.rtpdump'))
    truncateSync(join(files, 'alice-audio.rtpdump'))
    expect((await renderIn(files)).error).toMatchObject({ code: 'RENDER_NO_MEDIA' })
  })

  it.each([
    ['empty', ''],
    ['cut', '{"startedAt":"2026-11-21T11:36:26.977Z","participants":[{"id":"al'],
    ['zeros', '\0'.repeat(2000)],
    ['no object', '[1, 2]'],
    ['without participants', '{"startedAt":"2026-11-21T11:36:26.977Z"}'],
    ['without a time', '{"startedAt":"yesterday","participants":[]}'],
    [
      'with a file outside',
      '{"startedAt":"2026-11-21T11:36:26.977Z","participants":[{"id":"a","tracks":[{"id":"t","kind":"video","file":"../../etc/passwd","mimeType":"video/H264","clockRate":90000,"joinedAtMs":0}]}]}',
    ],
  ])('whose session.json is %s', async (_what, text) => {
    const dir = copyOf('solo')
    writeFileSync(join(dir, 'session.json'), text)
    const { error } = await renderIn(dir)
    expect(error).toMatchObject({ code: 'TAKE_BAD_SESSION' })
    expect((error as { path?: string }).path, 'the place is named').toMatch(/^\$/)
  })

  it('whose session.json is missing, or of a later version', async () => {
    const dir = copyOf('solo')
    writeFileSync(
      join(dir, 'session.json'),
      '{"formatVersion":99,"startedAt":"2026-11-21T11:36:26.977Z","participants":[]}',
    )
    expect((await renderIn(dir)).error).toMatchObject({ code: 'TAKE_FORMAT_TOO_NEW' })
    rmSync(join(dir, 'session.json'))
    expect((await renderIn(dir)).error).toMatchObject({ code: 'TAKE_NO_SESSION' })
  })
})
