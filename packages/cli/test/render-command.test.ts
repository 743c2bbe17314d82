import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, rushes } from './run.js'

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-cli-'))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

interface Manifest {
  readonly recordingId: string
  readonly outputs: readonly {
    readonly participantId: string
    readonly container: string
    readonly key: string
    readonly startUs: number
    readonly durationUs: number
    readonly audio?: { readonly codec: string; readonly sampleRate: number }
  }[]
}

describe('rushes render', () => {
  it('writes everyone in both formats and says where, in a table', async () => {
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', fixture('meeting3'), '--out', 'all')
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toMatch(/^(Rendering: \d+ % .*\n)+$/)
    const rows = stdout.split('\n').filter((line) => / {2}(HLS|MP4) {2}/.test(line))
    expect(rows.map((row) => row.trim().split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      'alice HLS',
      'alice MP4',
      'bob HLS',
      'bob MP4',
      'carol HLS',
      'carol MP4',
    ])
    for (const row of rows) {
      const path = row.trim().split(/ {2,}/).at(-1) ?? ''
      expect((await readFile(join(dir, path))).byteLength, path).toBeGreaterThan(0)
    }
    expect(stdout).toMatch(/✓ 6 outputs, .* MB in .* s \(.*x real time\); manifest all\/meeting3\/manifest\.json\n$/)
    expect((await readdir(join(dir, 'all'))).sort()).toEqual(['meeting3'])
  })

  it('tells repairs', async () => {
    const { exitCode, stdout } = await rushes(dir, 'render', fixture('burst-loss'), '--out', 'lossy', '--format', 'mp4')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/repaired alice-video: picture held \d+x, [\d.]+ s in all, \d+ packets lost/)
    expect(stdout).toMatch(/repaired alice-audio: concealed by the sound around it \d+x/)
    expect(await readdir(join(dir, 'lossy', 'burst-loss'))).toEqual(
      expect.arrayContaining(['alice.mp4', 'manifest.json']),
    )
  })

  it('with --json writes the manifest and nothing else', async () => {
    const args = ['--participant', 'bob', '--format', 'mp4', '--audio', 'opus', '--json']
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', fixture('meeting3'), '-o', 'json', ...args)
    expect([exitCode, stderr]).toEqual([0, ''])
    const manifest = JSON.parse(stdout) as Manifest
    expect(manifest.outputs.map(({ key }) => key)).toEqual(['meeting3/bob.mp4'])
    expect(manifest.outputs[0]?.audio?.codec).toBe('opus')
    expect(stdout).toBe(await readFile(join(dir, 'json', 'meeting3', 'manifest.json'), 'utf8'))
  })

  it('takes a stretch, a rate, segments and names', async () => {
    const args = ['--from', '0:08', '--to', '12', '--sample-rate', '44100', '--segment', '2', '--json']
    const naming = ['--naming', '{startedAt:yyyyMMdd}/{participantId}-{roomId}']
    const take = fixture('solo')
    const { exitCode, stdout, stderr } = await rushes(dir, 'render', take, '--out', 'part', ...args, ...naming)
    expect([exitCode, stderr]).toEqual([0, ''])
    const { outputs } = JSON.parse(stdout) as Manifest
    expect(outputs.map(({ key }) => key)).toEqual(['20261121/alice-solo/index.m3u8', '20261121/alice-solo.mp4'])
    for (const { startUs, durationUs, audio } of outputs) {
      expect(audio?.sampleRate).toBe(44_100)
      // Copied video begins with the keyframe at or before --from.
      expect(startUs).toBeLessThanOrEqual(8_000_000)
      expect(Math.abs(startUs + durationUs - 12_000_000)).toBeLessThan(100_000)
    }
  })

  it('renders what a crash left as a whole recording', async () => {
    const take = join(dir, 'crashed')
    const { cp } = await import('node:fs/promises')
    await cp(fixture('solo'), take, { recursive: true })
    const session = JSON.parse(await readFile(join(take, 'session.json'), 'utf8')) as Record<string, unknown>
    const { durationMs: _, ...unfinished } = session
    await writeFile(join(take, 'session.json'), JSON.stringify({ ...unfinished, finished: false }))
    const video = await readFile(join(take, 'alice-video.rtpdump'))
    await writeFile(join(take, 'alice-video.rtpdump'), video.subarray(0, 400_001))
    const { exitCode, stdout } = await rushes(dir, 'render', take, '--out', 'after-crash')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /warning {2}TAKE_DAMAGED: alice-video\.rtpdump: its last record is torn: cut there, \d+ bytes were not used/,
    )
    const playlist = await readFile(join(dir, 'after-crash', 'solo', 'alice', 'media.m3u8'), 'utf8')
    expect(playlist).toContain('#EXT-X-PLAYLIST-TYPE:VOD')
    expect(playlist.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
  })
})

describe('rushes render, refused', () => {
  const solo = fixture('solo')

  it.each([
    [['render', solo], 2, /^rushes: USAGE: required option '-o, --out <place>' not specified/],
    [['render', '--out', 'x'], 2, /^rushes: USAGE: missing required argument 'take'/],
    [['render', solo, '--out', 'x', '--nonsense'], 2, /^rushes: USAGE: unknown option '--nonsense'/],
    [['render', solo, 'other', '--out', 'x'], 2, /^rushes: USAGE: too many arguments/],
    [['redner', solo], 2, /^rushes: USAGE: unknown command 'redner'/],
    [
      ['render', solo, '--out', 'x', '--format', 'webm'],
      2,
      /^rushes: BAD_CONFIGURATION: --format: must be one of hls, mp4/,
    ],
    [['render', solo, '--out', 'x', '--audio', 'mp3'], 2, /--audio: must be one of aac, opus, got "mp3"/],
    [['render', solo, '--out', 'x', '--sample-rate', '22050'], 2, /--sample-rate: must be one of 44100, 48000/],
    [['render', solo, '--out', 'x', '--segment', '0.1'], 2, /--segment: must lie between 0.5 and 60/],
    [['render', solo, '--out', 'x', '--from', 'noon'], 2, /--from: must be a time/],
    [
      ['render', solo, '--out', 'x', '--from', '10', '--to', '0:05'],
      2,
      /--to: must lie after --from \(10\), got "0:05"/,
    ],
    [['render', solo, '--out', 'x', '--after-loss', 'hope'], 2, /--after-loss: must be one of freeze, continue/],
    [['render', solo, '--out', 'x', '--naming', '../{participantId}'], 2, /BAD_CONFIGURATION: --naming: /],
    [['render', fixture('meeting3'), '--out', 'x', '--naming', 'same'], 2, /BAD_CONFIGURATION: --naming: /],
    [['render', solo, '--out', 'x', '-p', 'dave'], 2, /^rushes: RENDER_UNKNOWN_PARTICIPANT: .*alice/],
    [['render', '/nowhere', '--out', 'x'], 3, /^rushes: TAKE_NO_SESSION: .*\n {2}A take is a folder/],
    [['render', join(solo, 'session.json'), '--out', 'x'], 3, /^rushes: TAKE_NO_SESSION: /],
    [['render', solo, '--out', join(solo, 'session.json')], 1, /^rushes: OUT_NOT_WRITABLE: /],
    [['render', solo, '--out', join(solo, 'session.json', 'below')], 1, /^rushes: OUT_NOT_WRITABLE: /],
  ] as const)('%j ends with %d and says why', async (args, exitCode, message) => {
    const before = await readdir(dir)
    const outcome = await rushes(dir, ...args)
    expect(outcome.stderr).toMatch(message)
    expect(outcome.exitCode).toBe(exitCode)
    expect(outcome.stdout).toBe('')
    expect(outcome.stderr).not.toMatch(/\n {4}at /)
    expect(await readdir(dir)).toEqual(before)
  })

  it('names the rule that a session.json breaks', async () => {
    await writeFile(join(dir, 'session.json'), '{"startedAt":"yesterday"}')
    const { exitCode, stderr } = await rushes(dir, 'render', '.', '--out', 'x')
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^rushes: TAKE_BAD_SESSION: session\.json: \$\.startedAt must be /)
    await rm(join(dir, 'session.json'))
  })

  it.runIf(process.platform === 'linux')('comes to an end where folders cannot be made', async () => {
    const { exitCode, stderr } = await rushes(dir, 'render', solo, '--out', '/proc/rushes/out')
    expect([exitCode, stderr.split('\n')[0]]).toEqual([1, expect.stringMatching(/OUT_NOT_WRITABLE/)])
  })
})

describe('rushes', () => {
  it('helps, and says its version', async () => {
    const help = await rushes(dir, '--help')
    expect([help.exitCode, help.stderr]).toEqual([0, ''])
    for (const text of ['render', 'inspect', 'record', 'recover', 'import', 'Exit codes:'])
      expect(help.stdout).toContain(text)
    for (const command of ['render', 'inspect', 'record', 'recover', 'import']) {
      const { exitCode, stdout } = await rushes(dir, command, '--help')
      expect(exitCode).toBe(0)
      expect(stdout).toContain('Exit codes:')
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    }
    const version = await rushes(dir, '--version')
    expect([version.exitCode, version.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
    expect((await rushes(dir)).exitCode).toBe(2)
  })
})
