import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from '@rushes/render'
import { openTake } from '@rushes/take'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startRushes } from './built-command.js'
import { fixture, rushes, rushesUntil } from './run.js'
import { decode, hasTools, pause, probe, sendWithFfmpeg, stopSenders } from './senders.js'

const small = ['--composite', '--size', '320x180', '--fps', '10']
let dir: string
const started: Running[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-composite-'))
})

afterEach(() => {
  stopSenders()
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
})

afterAll(() => rm(dir, { recursive: true, force: true }))

describe('rushes render --composite', () => {
  it('makes one recording of everyone, says so, and inspect finds nothing wrong with it', async () => {
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', fixture('meeting3'), '--out', 'all', ...small)
    expect(exitCode, stderr).toBe(0)
    const rows = stdout.split('\n').filter((line) => / {2}(HLS|MP4) {2}/.test(line))
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
      [
        'everyone',
        'HLS',
        expect.stringMatching(/^0:00\./),
        expect.stringMatching(/^0:19\./),
        ...shown('all/meeting3/composite/index.m3u8'),
      ],
      [
        'everyone',
        'MP4',
        expect.stringMatching(/^0:00\./),
        expect.stringMatching(/^0:19\./),
        ...shown('all/meeting3/composite.mp4'),
      ],
    ])
    expect(stdout).toMatch(/✓ 2 outputs, .* in .* real time\); manifest all\/meeting3\/manifest\.json\n$/)
    for (const file of ['composite', 'composite/index.m3u8', 'composite.mp4']) {
      const inspected = await rushes(dir, 'inspect', join('all/meeting3', file))
      expect([inspected.exitCode, inspected.stderr], inspected.stdout).toEqual([0, ''])
    }
  })

  it('with --individual makes everyone alone as well, and --json has all of it', async () => {
    const args = ['--individual', '--layout', 'spotlight', '--format', 'mp4', '--to', '8', '--json']
    const take = fixture('meeting3')
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', take, '--out', 'both', ...small, ...args)
    expect([exitCode, stderr]).toEqual([0, ''])
    const manifest = JSON.parse(stdout) as Manifest
    expect(manifest.outputs.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'individual meeting3/alice.mp4',
      'individual meeting3/bob.mp4',
      'individual meeting3/carol.mp4',
      'composite meeting3/composite.mp4',
    ])
    expect(manifest.outputs.at(-1)?.video).toMatchObject({ width: 320, height: 180 })
    expect(new Set(manifest.layouts.map(({ name }) => name))).toEqual(new Set(['spotlight']))
    expect(manifest.layouts.at(-1)?.tiles).toHaveLength(3)
    expect(manifest.layouts.at(-1)?.endUs).toBe(8_000_000)
    const chapters = manifest.chapters.map(({ label }) => label)
    expect(chapters).toEqual(expect.arrayContaining(['alice joined', 'bob joined', 'carol joined']))
    expect(chapters, 'of after the end there is none').not.toContain('bob left')
    expect(stdout).toBe(await readFile(join(dir, 'both/meeting3/manifest.json'), 'utf8'))
  })

  it('takes a layout from a file, whatever was set while it was recorded', async () => {
    const layout = {
      type: 'custom',
      name: 'panel',
      regions: [
        { x: 0, y: 0, width: 0.5, height: 1, participants: ['bob'] },
        { x: 0.5, y: 0, width: 0.5, height: 1 },
      ],
    }
    await writeFile(join(dir, 'panel.json'), JSON.stringify(layout))
    const take = join(dir, 'told')
    const { cp } = await import('node:fs/promises')
    await cp(fixture('meeting3'), take, { recursive: true })
    const { session } = await openTake(take)
    const told = { atMs: 2000, type: 'layout', layout: { type: 'pip' } }
    const events = [...session.events, told].sort((one, other) => one.atMs - other.atMs)
    await writeFile(join(take, 'session.json'), JSON.stringify({ ...session, events }))
    const named = async (...args: readonly string[]): Promise<string[]> => {
      const shape = ['--format', 'mp4', '--to', '5', '--json']
      const { stdout, stderr } = await rushes(dir, 'render', take, '--out', 'told-out', ...small, ...shape, ...args)
      expect(stderr).toBe('')
      return [...new Set((JSON.parse(stdout) as Manifest).layouts.map(({ name }) => name))]
    }
    expect(await named('--layout', 'panel.json')).toEqual(['panel'])
    expect(await named('--layout', './panel.json')).toEqual(['panel'])
    expect(await named()).toEqual(['grid', 'pip'])
  })
})

/** What the summary says of the composites of these tests. */
function shown(path: string): unknown[] {
  return [expect.stringMatching(/ [kM]B$/), expect.stringMatching(/^avc1\.64\w+ 320x180$/), 'AAC 48 kHz stereo', path]
}

describe('rushes render --composite, interrupted', () => {
  it('keeps what it has made and nothing else, says so, and goes on with it', async () => {
    const args = ['render', fixture('meeting3'), '--out', 'again', '--format', 'mp4', '--segment', '1', ...small]
    const first = await rushesUntil(/^Rendering: [3-9]0 %/m, dir, args, ['SIGINT'])
    expect([first.exitCode, first.stdout]).toEqual([130, ''])
    expect(first.stderr).toMatch(/\nrushes: interrupted; the same command goes on with the composite where it was\n$/)
    expect(await readdir(join(dir, 'again'))).toEqual(['.rushes-work'])
    const second = await rushes(dir, ...args)
    expect(second.exitCode, second.stderr).toBe(0)
    const [, at] = /^An earlier try was interrupted: goes on at 0:(\d\d) of 0:20\n/.exec(second.stderr) ?? []
    expect(Number(at)).toBeGreaterThanOrEqual(5)
    expect(await readdir(join(dir, 'again'))).toEqual(['meeting3'])
    const inspected = await rushes(dir, 'inspect', 'again/meeting3/composite.mp4')
    expect([inspected.exitCode, inspected.stderr], inspected.stdout).toEqual([0, ''])
  })

  it('leaves nothing where there was nothing to keep', async () => {
    const args = ['render', fixture('meeting3'), '--out', 'none', '--participant', 'nobody', ...small]
    expect((await rushes(dir, ...args)).exitCode).not.toBe(0)
    expect(await readdir(dir)).not.toContain('none')
  })
})

describe('rushes render --composite, refused', () => {
  const solo = fixture('solo')

  beforeAll(async () => {
    await writeFile(join(dir, 'broken.json'), '{ "type": "grid", ')
    const regions = [{ x: 0, y: 0, width: 1.5, height: 1 }]
    await writeFile(join(dir, 'wide.json'), JSON.stringify({ type: 'custom', regions }))
    await writeFile(join(dir, 'typo.json'), JSON.stringify({ type: 'grid', margins: 0.1 }))
    await writeFile(join(dir, 'list.json'), '[]')
  })

  it.each([
    [['--composite', '--layout', 'gird'], /LAYOUT_INVALID: .*gird.*grid/],
    [['--composite', '--layout', 'none.json'], /--layout: is neither a layout nor a file \(.*ENOENT/],
    [['--composite', '--layout', 'broken.json'], /--layout: is not JSON: /],
    [['--composite', '--layout', 'wide.json'], /LAYOUT_INVALID: .*regions\[0\]\.width/],
    [['--composite', '--layout', 'typo.json'], /LAYOUT_INVALID: .*margins/],
    [['--composite', '--layout', 'list.json'], /LAYOUT_INVALID: /],
    [['--composite', '--size', '1281x720'], /--size: must be two even numbers from 64 to 4096, like 1280x720, got/],
    [['--composite', '--size', 'large'], /--size: must be two even numbers/],
    [['--composite', '--fps', '99'], /--fps: must be an integer from 1 to 60, got 99/],
    [['--composite', '--fps', 'many'], /--fps: must be a number/],
    [['--layout', 'grid'], /--layout: goes with --composite/],
    [['--size', '640x360'], /--size: goes with --composite/],
    [['--fps', '30'], /--fps: goes with --composite/],
  ])('%j', async (args, message) => {
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', solo, '--out', 'refused', ...args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/fault of rushes|outputs\[0\]/)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(await readdir(dir)).not.toContain('refused')
  })
})

describe.skipIf(!hasTools && !process.env['CI'])('rushes record --composite', () => {
  it('records everyone in one picture, which plays while it grows', async () => {
    await sendWithFfmpeg(join(dir, 'anna.sdp'))
    const shape = ['--individual', '--layout', 'pip', '--recording', 'one', '--segment', '1']
    const running = startRushes(dir, ['record', '--out', 'live', '--sdp', 'anna.sdp', ...small, ...shape])
    started.push(running)
    await running.says('stdout', /everyone can be played while it grows: live\/one\/composite\/index\.m3u8\n/)
    await pause(3000)
    running.child.kill('SIGINT')
    expect(await running.ended, running.output.stderr).toBe(0)
    expect(running.output.stdout).toMatch(/✓ 4 outputs, /)
    for (const path of ['live/one/composite.mp4', 'live/one/composite/media.m3u8', 'live/one/anna.mp4']) {
      const { codecs, durationS } = probe(join(dir, path))
      expect([path, codecs]).toEqual([path, ['aac', 'h264']])
      expect(durationS, path).toBeGreaterThan(3)
      expect(decode(join(dir, path))).toBe('')
    }
    const manifest = JSON.parse(await readFile(join(dir, 'live/one/manifest.json'), 'utf8')) as Manifest
    expect(new Set(manifest.layouts.map(({ name }) => name))).toEqual(new Set(['pip']))
  })

  it('refuses a layout that is none before it listens', async () => {
    const args = ['record', '--out', 'never', '--udp', 'audio/opus:0', '--composite', '--layout', 'gird']
    const { exitCode, stdout, stderr } = await rushes(dir, ...args)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/gird/)
    expect(await readdir(dir)).not.toContain('never')
  })
})
