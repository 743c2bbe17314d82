import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flashTimes, measureSilence, measureSync, readBeeps, readVideoCards } from '../../src/card/index.js'
import { drawCard } from './draw-card.js'
import { makeTone } from './make-tone.js'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).error === undefined
const SECONDS = 4
const FIRST_COUNTER = 65_520

describe.skipIf(!hasFfmpeg && !process.env['CI'])('recordings', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'testkit-card-'))
    // The flash comes where counter % 30 is 0, also past the wrap: the counter of the card is taken modulo 65536 here.
    const counters = Array.from({ length: SECONDS * 30 }, (_, i) => (FIRST_COUNTER + i) % 65_536)
    writeFileSync(
      join(dir, 'cards.raw'),
      Buffer.concat(counters.map((counter) => drawCard(320, 180, { counter, cardId: 9 }))),
    )
    // 65520 is a multiple of 30; after the wrap 0, 30, 60 are 16, 46, 76 pictures after the start.
    const beeps = [0, 16, 46, 76, 106].map((frame) => frame * 1600)
    const samples = makeTone(500, SECONDS * 48_000, beeps)
    samples.fill(0, 100_000, 120_000)
    writeFileSync(join(dir, 'tone.raw'), Buffer.from(samples.buffer))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  function make(name: string, args: string): string {
    const video = `-f rawvideo -pix_fmt gray -s 320x180 -r 30 -i ${join(dir, 'cards.raw')}`
    const audio = `-f f32le -ar 48000 -ac 1 -i ${join(dir, 'tone.raw')}`
    const path = join(dir, name)
    const x264 = '-c:v libx264 -pix_fmt yuv420p -g 30 -bf 2'
    const { status, stderr } = spawnSync('ffmpeg', `-v error -y ${video} ${audio} ${x264} ${args} ${path}`.split(' '))
    if (status !== 0) throw new Error(String(stderr))
    return path
  }

  it.each([
    ['mp4.mp4', '-c:a aac', 0],
    ['opus.mp4', '-c:a libopus', 0],
    ['ts.ts', '-c:a aac -b:a 160k -f mpegts', 1_466_667],
    ['index.m3u8', '-c:a aac -b:a 160k -f hls -hls_time 1 -hls_list_size 0', 1_466_667],
  ])('%s: cards, times and beeps', async (name, args, firstUs) => {
    const path = make(name, args)
    const frames = await readVideoCards(path)
    expect(frames.map(({ counter }) => counter)).toEqual(
      Array.from({ length: SECONDS * 30 }, (_, i) => (FIRST_COUNTER + i) % 65_536),
    )
    expect(frames.every(({ cardId, width, height }) => cardId === 9 && width === 320 && height === 180)).toBe(true)
    for (const [index, { ptsUs }] of frames.entries()) {
      expect(Math.abs(ptsUs - firstUs - (index * 1e6) / 30)).toBeLessThan(20)
    }
    const flashes = flashTimes(frames)
    expect(flashes.map(({ counter, sinceFlashUs }) => [counter, sinceFlashUs])).toEqual(
      [0, 30, 60, 90].map((c) => [c, 0]),
    )
    const beeps = await readBeeps(path, { toneHz: 500 })
    const sync = measureSync(
      flashes.map(({ ptsUs }) => ptsUs),
      beeps.map(({ atUs }) => atUs),
    )
    expect(sync.differencesUs.length).toBe(4)
    expect(Math.abs(sync.minUs)).toBeLessThan(700)
    expect(Math.abs(sync.maxUs)).toBeLessThan(700)
    expect(beeps.every(({ level }) => level > 0.45 && level < 0.55)).toBe(true)
    expect(await readBeeps(path, { toneHz: 400 })).toEqual([])
  })

  it('measures silence', async () => {
    const path = make('silence.mov', '-c:a pcm_f32le')
    const sound = await measureSilence(path)
    expect(sound.startUs).toBe(0)
    expect(sound.endUs).toBe(SECONDS * 1e6)
    expect(sound.peak).toBeCloseTo(0.5, 2)
    expect(sound.gaps).toEqual([])
    expect(sound.silences.length).toBe(1)
    expect(Math.abs((sound.silences[0]?.startUs ?? 0) - 100_000 / 0.048)).toBeLessThan(1500)
    expect(Math.abs((sound.silences[0]?.endUs ?? 0) - 120_000 / 0.048)).toBeLessThan(1500)
  })

  it('finds the holes of a file that leaves sound out', async () => {
    const path = make('gap.mkv', '-c:a pcm_f32le -af aselect=lt(t\\,1)+gt(t\\,2)')
    const { gaps, silences } = await measureSilence(path)
    expect(gaps.length).toBe(1)
    expect(Math.abs((gaps[0]?.endUs ?? 0) - (gaps[0]?.startUs ?? 0) - 1e6)).toBeLessThan(30_000)
    expect(silences.length).toBe(2)
  })

  it('crops, and follows pictures that change their size', async () => {
    const small = make('small.ts', '-an -vf scale=160:90,pad=640:360:320:180 -f mpegts')
    const frames = await readVideoCards(small, { crop: { x: 320, y: 180, width: 160, height: 90 } })
    expect(frames.filter(({ counter }) => counter !== undefined).length).toBe(SECONDS * 30)
    expect((await readVideoCards(small)).every(({ counter }) => counter === undefined)).toBe(true)
    const a = make('a.h264', '-an -vf scale=640:360 -bsf:v dump_extra')
    const b = make('b.h264', '-an -vf scale=180:320 -bsf:v dump_extra')
    const path = join(dir, 'both.h264')
    writeFileSync(path, spawnSync('cat', [a, b]).stdout)
    const both = await readVideoCards(path)
    expect(both.length).toBe(SECONDS * 60)
    expect(both.every(({ counter }) => counter !== undefined)).toBe(true)
    expect(new Set(both.map(({ width, height }) => `${width}x${height}`))).toEqual(new Set(['640x360', '180x320']))
  })

  it('says what is wrong', async () => {
    await expect(readVideoCards('/nowhere.mp4')).rejects.toMatchObject({ code: 'FFMPEG_FAILED' })
    await expect(readVideoCards('/nowhere.mp4', { ffmpeg: '/no/ffmpeg' })).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
    })
    await expect(readBeeps('/nowhere.mp4', { toneHz: 0.5 })).rejects.toMatchObject({
      code: 'BAD_CONFIGURATION',
      field: 'toneHz',
    })
    const signal = AbortSignal.abort()
    await expect(readVideoCards('/nowhere.mp4', { signal })).rejects.toMatchObject({ name: 'AbortError' })
  })
})
