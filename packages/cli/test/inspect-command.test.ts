import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TakeInspection } from '../src/inspect-take.js'
import type { MediaInspection } from '../src/media-inspection.js'
import { fixture, rushes } from './run.js'

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-cli-'))
  const { exitCode, stderr } = await rushes(
    dir,
    'render',
    fixture('meeting3'),
    '--out',
    '.',
    '-p',
    'bob',
    '--segment',
    '3',
  )
  expect(exitCode, stderr).toBe(0)
})

afterAll(() => rm(dir, { recursive: true, force: true }))

async function inspect<Kind extends { readonly kind: string }>(...args: readonly string[]): Promise<Kind> {
  const { stdout, stderr } = await rushes(dir, 'inspect', ...args, '--json')
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Kind
}

describe('rushes inspect TAKE', () => {
  it('knows what a take holds', async () => {
    const take = await inspect<TakeInspection>(fixture('meeting3'))
    expect(take).toMatchObject({ kind: 'take', name: 'meeting3', durationUs: 19_999_000, finished: true, damage: [] })
    expect(take.participants.map(({ id, tracks }) => [id, tracks.length])).toEqual([
      ['alice', 2],
      ['bob', 2],
      ['carol', 2],
    ])
    const [video] = take.participants[2]?.tracks ?? []
    expect(video).toMatchObject({ id: 'carol-video', ssrc: 1_816_485_243, mimeType: 'video/H264', gaps: [] })
    expect(video?.sizes).toMatchObject([{ width: 360, height: 640 }])
    expect(video?.keyframes).toBeGreaterThan(0)
    expect(Math.abs((video?.startUs ?? 0) - 5_936_000)).toBeLessThan(100_000)
    expect(video?.clocks).toMatchObject([{ basis: 'sender-reports', epoch: 0 }])
    expect(video?.stats['packets']).toBeGreaterThan(400)
  })

  it('shows it to people: loss, gaps, sizes, events', async () => {
    const { exitCode, stdout } = await rushes(dir, 'inspect', fixture('mutes'))
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^mutes {2}0:28\.0 {2}started 2026-/)
    expect(stdout).toMatch(/alice-video +H264 \d sizes +\d+/)
    expect(stdout).toMatch(/alice-video {2}640x360 from 0:00\.\d+, 1280x720 from .*, 800x1000 from/)
    expect(stdout).toMatch(/alice-video {2}nothing 0:1\d\.\d{3} to 0:1\d\.\d{3}/)
    for (const line of stdout.split('\n')) expect(line).toBe(line.trimEnd())
    const lossy = (await rushes(dir, 'inspect', fixture('lossy'))).stdout
    expect(lossy).toMatch(/track +packets +lost +reordered +duplicate/)
  })

  it('shows damage, restarts and names that would like to be more', async () => {
    const take = join(dir, 'damaged')
    await cp(fixture('rejoin'), take, { recursive: true })
    const session = (await readFile(join(take, 'session.json'), 'utf8')).replace(
      '"id": "bob"',
      '"id": "bob", "name": "Bob\\u001b[2J"',
    )
    await writeFile(join(take, 'session.json'), session)
    await rm(join(take, 'bob-audio-2.rtpdump'))
    const { exitCode, stdout } = await rushes(dir, 'inspect', take)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/Damage\n {2}bob-audio-2: the file is missing/)
    expect(stdout).toContain('Bob\ufffd[2J (bob)')
    expect(stdout).not.toContain('\u001b')
  })
})

describe('rushes inspect PLAYLIST and FILE', () => {
  it('reads a playlist with its segments, from the file or the folder', async () => {
    const media = await inspect<MediaInspection>('meeting3/bob/index.m3u8')
    expect(media).toMatchObject({ kind: 'hls', findings: [], playlist: { type: 'VOD', ended: true } })
    expect(media.playlist?.longestSegmentS).toBeLessThanOrEqual((media.playlist?.targetDurationS ?? 0) + 0.5)
    expect(media.streams.map(({ kind, codec }) => [kind, codec])).toEqual([
      ['video', 'avc1.42c01f'],
      ['audio', 'mp4a.40.2'],
    ])
    expect(media.streams[0]).toMatchObject({ sizes: [{ width: 480, height: 360 }] })
    expect(media.streams[1]).toMatchObject({ sampleRate: 48_000, channels: 1, gaps: [] })
    expect(Math.abs(media.durationUs - 11_100_000)).toBeLessThan(150_000)
    expect(await inspect<MediaInspection>('meeting3/bob')).toEqual(media)
    const { exitCode, stdout } = await rushes(dir, 'inspect', 'meeting3/bob/media.m3u8')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^meeting3\/bob\/media\.m3u8 {2}HLS {2}0:11\.\d{3} {2}/)
    expect(stdout).toMatch(/\n✓ no rule broken\n$/)
  })

  it('reads the same pictures, sound and sync in the playlist, in its segments and in the MP4', async () => {
    const hls = await inspect<MediaInspection>('meeting3/bob')
    const mp4 = await inspect<MediaInspection>('meeting3/bob.mp4')
    const ts = await inspect<MediaInspection>('meeting3/bob/segment-00001.ts')
    expect(mp4).toMatchObject({ kind: 'mp4', findings: [] })
    expect(ts).toMatchObject({ kind: 'transport-stream', findings: [] })
    for (const [index, stream] of mp4.streams.entries()) {
      const { kind, codec, units, keyframes } = stream
      expect(hls.streams[index]).toMatchObject({
        kind,
        codec,
        units,
        ...(keyframes === undefined ? {} : { keyframes }),
      })
    }
    const [hlsSync, mp4Sync, tsSync] = [hls, mp4, ts].map(({ audioOffsetUs = Number.NaN }) => audioOffsetUs)
    expect(Math.abs((hlsSync ?? 0) - (mp4Sync ?? 0))).toBeLessThan(1000)
    expect(hlsSync).toBe(tsSync)
    expect(Math.abs(hlsSync ?? Number.NaN)).toBeLessThan(50_000)
  })

  it('ends with 1 when rules are broken, and says which', async () => {
    const folder = join(dir, 'broken')
    await cp(join(dir, 'meeting3', 'bob'), folder, { recursive: true })
    const segment = await readFile(join(folder, 'segment-00001.ts'))
    // One packet less: a continuity counter jumps.
    await writeFile(join(dir, 'gap.ts'), Buffer.concat([segment.subarray(0, 188 * 40), segment.subarray(188 * 41)]))
    const ts = await rushes(dir, 'inspect', 'gap.ts')
    expect(ts.exitCode).toBe(1)
    expect(ts.stdout).toMatch(/✗ \d+ findings?\n/)
    expect(ts.stdout).toMatch(/\n {2}continuity-counter at segment 0, offset \d+/)
    await rm(join(folder, 'segment-00002.ts'))
    const hls = await rushes(dir, 'inspect', folder)
    expect(hls.exitCode).toBe(1)
    expect(hls.stdout).toMatch(/segment-missing/)
    const whole = await readFile(join(dir, 'meeting3', 'bob.mp4'))
    await writeFile(join(dir, 'torn.mp4'), whole.subarray(0, whole.length - 10_000))
    const mp4 = await rushes(dir, 'inspect', 'torn.mp4', '--json')
    expect(mp4.exitCode).toBe(1)
    expect((JSON.parse(mp4.stdout) as MediaInspection).findings.length).toBeGreaterThan(0)
  })

  it('never fails on bytes that are no media: it finds them wrong', async () => {
    const whole = await readFile(join(dir, 'meeting3', 'bob.mp4'))
    // The moov is at the front: every cut of it ends inside another field.
    for (let cut = 9; cut < 3000; cut += 97) {
      await writeFile(join(dir, 'cut.mp4'), whole.subarray(0, cut))
      expect((await rushes(dir, 'inspect', 'cut.mp4')).exitCode, `cut at ${cut}`).toBe(1)
    }
    for (let at = 40; at < 1500; at += 61) {
      const damaged = Buffer.from(whole)
      damaged.fill(0xff, at, at + 4)
      await writeFile(join(dir, 'damaged.mp4'), damaged)
      expect((await rushes(dir, 'inspect', 'damaged.mp4')).stderr, `damaged at ${at}`).toBe('')
    }
  })

  it('ends with 3 where there is nothing that it knows', async () => {
    await writeFile(join(dir, 'notes.txt'), 'hello')
    await writeFile(join(dir, 'empty.bin'), '')
    await symlink('loop', join(dir, 'loop'))
    for (const [path, code] of [
      ['nowhere.mp4', 'INPUT_NOT_FOUND'],
      ['notes.txt/nothing', 'INPUT_NOT_FOUND'],
      ['notes.txt', 'INPUT_UNKNOWN'],
      ['empty.bin', 'INPUT_UNKNOWN'],
      ['.', 'INPUT_UNKNOWN'],
      ['loop', 'INPUT_NOT_READABLE'],
    ] as const) {
      const { exitCode, stderr, stdout } = await rushes(dir, 'inspect', path)
      expect([path, exitCode, stdout]).toEqual([path, 3, ''])
      expect(stderr).toMatch(new RegExp(`^rushes: ${code}: `))
    }
    await copyFile(join(dir, 'meeting3', 'bob.mp4'), join(dir, 'nameless'))
    expect((await inspect<MediaInspection>('nameless')).kind).toBe('mp4')
  })
})
