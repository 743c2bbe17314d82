import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startRushes } from './built-command.js'
import { fixture, rushes, rushesUntil } from './run.js'
import { decode, hasTools, pause, probe, sendWithFfmpeg, stopSenders } from './senders.js'

let dir: string
const started: Running[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-recover-'))
})

afterEach(() => {
  stopSenders()
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
})

afterAll(() => rm(dir, { recursive: true, force: true }))

/** Records for a while, and is killed. */
async function crash(out: string, recordingId: string): Promise<void> {
  const sdp = join(dir, `${recordingId}-anna.sdp`)
  await sendWithFfmpeg(sdp)
  const args = ['record', '--out', out, '--sdp', sdp, '-p', 'anna', '--recording', recordingId, '--segment', '1']
  const running = startRushes(dir, args)
  started.push(running)
  await running.says('stdout', /anna can be played/)
  await pause(1500)
  running.child.kill('SIGKILL')
  await running.ended
  stopSenders()
}

describe.skipIf(!hasTools && !process.env['CI'])('after kill -9 of rushes record', () => {
  it('rushes recover finishes the recording, and its playlist goes on', async () => {
    await crash('out', 'one')
    const media = join(dir, 'out/one/anna/media.m3u8')
    const before = await readFile(media, 'utf8')
    expect(before).not.toContain('#EXT-X-ENDLIST')
    const { exitCode, stdout, stderr } = await rushes(dir, 'recover', 'out/.takes', '--out', 'out', '--keep-journal')
    expect([exitCode, stderr]).toEqual([0, 'Finishing one …\n'])
    expect(stdout).toMatch(/^one {2}0:0\d\.\d {2}started .*\n {2}(nothing that had reached the disk was lost|lost {2})/)
    expect(stdout).toMatch(/✓ 2 outputs, .*; manifest out\/one\/manifest\.json\n$/)
    const after = await readFile(media, 'utf8')
    expect(after.startsWith(before)).toBe(true)
    expect(after.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true)
    for (const path of [join(dir, 'out/one/anna.mp4'), media]) {
      const { codecs, durationS } = probe(path)
      expect([path, codecs]).toEqual([path, ['aac', 'h264']])
      expect(durationS, path).toBeGreaterThan(1.5)
    }
    expect(decode(join(dir, 'out/one/anna.mp4'))).toBe('')
    // The take was to stay, and is finished: there is nothing more to do.
    const take = await rushes(dir, 'inspect', 'out/.takes/one', '--json')
    expect(JSON.parse(take.stdout)).toMatchObject({ finished: true, recordingId: 'one', damage: [] })
    const again = await rushes(dir, 'recover', 'out/.takes', '--out', 'out')
    expect([again.exitCode, again.stdout]).toEqual([0, 'out/.takes: nothing was cut short\n'])
  })

  it('the next rushes record finishes it as well, and says so', async () => {
    await crash('next', 'first')
    const running = startRushes(dir, ['record', '--out', 'next', '--udp', 'audio/opus:0'])
    started.push(running)
    await running.says(
      'stdout',
      /first, which was cut short, is finished: next\/first\/anna\/index\.m3u8, next\/first\/anna\.mp4\n/,
    )
    expect(running.output.stdout).toMatch(/^first was cut short: it is being finished\n/)
    // While it runs nobody else may work with its journal.
    const other = await rushes(dir, 'recover', 'next/.takes', '--out', 'next')
    expect([other.exitCode, other.stdout]).toEqual([1, ''])
    expect(other.stderr).toMatch(
      /^rushes: JOURNAL_IN_USE: another process records .* into .*\n {2}Wait until it has ended/,
    )
    running.child.kill('SIGINT')
    expect(await running.ended).toBe(1)
    expect(probe(join(dir, 'next/first/anna.mp4')).codecs).toEqual(['aac', 'h264'])
  })
})

/** A take of another program, cut in the middle of a packet. */
async function cutTake(path: string): Promise<void> {
  await cp(fixture('solo'), path, { recursive: true })
  const session = JSON.parse(await readFile(join(path, 'session.json'), 'utf8')) as Record<string, unknown>
  const { durationMs: _, ...unfinished } = session
  await writeFile(join(path, 'session.json'), JSON.stringify({ ...unfinished, finished: false }))
  const video = await readFile(join(path, 'alice-video.rtpdump'))
  await writeFile(join(path, 'alice-video.rtpdump'), video.subarray(0, 400_001))
}

describe('rushes recover', () => {
  it('repairs takes of other programs for rushes render, and says what was lost', async () => {
    await cutTake(join(dir, 'journal/call'))
    const { exitCode, stdout, stderr } = await rushes(dir, 'recover', 'journal', '--out', 'unused')
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^call {2}repaired, ready for: rushes render journal\/call --out DIR\n {2}lost {2}alice-video: ends in the middle of a record, \d+ B not used\n$/,
    )
    expect(await readdir(dir)).not.toContain('unused')
    const render = await rushes(dir, 'render', 'journal/call', '--out', 'rendered', '--format', 'mp4')
    expect(render.exitCode, render.stderr).toBe(0)
  })

  it('interrupted leaves the journal as it is, and finishes it the next time', async () => {
    const take = join(dir, 'mine/call')
    await cutTake(take)
    const session = JSON.parse(await readFile(join(take, 'session.json'), 'utf8')) as Record<string, unknown>
    const recorder = { settings: { formats: ['mp4'] } }
    await writeFile(join(take, 'session.json'), JSON.stringify({ ...session, recordingId: 'call', recorder }))
    const args = ['recover', 'mine', '--out', 'finished', '--naming', '{participantId}']
    const { exitCode, stdout, stderr } = await rushesUntil(/Finishing call/, dir, args, ['SIGINT'])
    expect([exitCode, stdout]).toEqual([130, ''])
    expect(stderr).toMatch(
      /^Finishing call …\n\nStopping … .*\nrushes: interrupted; the journal has everything: recover again\n$/,
    )
    const again = await rushes(dir, ...args)
    expect([again.exitCode, again.stderr]).toEqual([0, 'Finishing call …\n'])
    expect(again.stdout).toMatch(
      /^call {2}.*\n {2}lost {2}alice-video: ends in the middle of a record, \d+ B not used\n/,
    )
    expect((await readdir(join(dir, 'finished'))).sort()).toEqual(['alice.mp4', 'call'])
    expect(await readdir(join(dir, 'mine'))).toEqual([])
  })

  it('exits with 1 for what cannot be finished, and says it each time', async () => {
    const take = join(dir, 'failing/empty')
    await cutTake(take)
    const session = JSON.parse(await readFile(join(take, 'session.json'), 'utf8')) as Record<string, unknown>
    const recorder = { settings: {} }
    await writeFile(
      join(take, 'session.json'),
      JSON.stringify({ ...session, recordingId: 'empty', recorder, participants: [], events: [] }),
    )
    await mkdir(join(dir, 'failing/broken'))
    await writeFile(join(dir, 'failing/broken/session.json'), 'no JSON')
    const first = await rushes(dir, 'recover', 'failing', '--out', 'failed')
    expect(first.exitCode).toBe(1)
    expect(first.stdout).toMatch(/^broken {2}cannot be read: .*\n {2}It stays as it is, in failing\/broken\n/)
    expect(first.stdout).toMatch(/empty {2}failed: no media came\n.*\n {2}Its take stays in failing\/empty\n$/)
    const second = await rushes(dir, 'recover', 'failing', '--out', 'failed')
    expect(second.exitCode).toBe(1)
    expect(second.stdout).toMatch(/empty {2}failed earlier: no media came\n {2}Its take is whole\. Try: rushes render /)
    // A torn last line of what was told is no reason to stop.
    await appendFile(join(take, 'lifecycle.ndjson'), '{"type":"REA')
    expect((await rushes(dir, 'recover', 'failing', '--out', 'failed')).exitCode).toBe(1)
  })

  it.each([
    [['recover', 'nowhere', '--out', 'x'], 3, /^rushes: INPUT_NOT_FOUND: there is no .*nowhere/],
    [
      ['recover', fixture('solo'), '--out', 'x'],
      2,
      /^rushes: USAGE: .* is a take: JOURNAL is the folder that holds takes/,
    ],
    [['recover', '.'], 2, /^rushes: USAGE: required option '-o, --out <place>' not specified/],
    [['recover', '.', '--out', 'x', '--naming', '{nonsense}'], 2, /BAD_CONFIGURATION: --naming: /],
  ] as const)('%j ends with %d and says why', async (args, exitCode, message) => {
    const outcome = await rushes(dir, ...args)
    expect(outcome.stderr).toMatch(message)
    expect([outcome.exitCode, outcome.stdout]).toEqual([exitCode, ''])
  })
})
