import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImportSummary } from '../src/import-report.js'
import { fixture, rushes } from './run.js'

const capture = (name: string): string => fileURLToPath(new URL(`../../take/test/captures/${name}`, import.meta.url))

let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-import-'))
})

afterAll(() => rm(dir, { recursive: true, force: true }))

async function importJson(out: string, ...args: string[]): Promise<ImportSummary> {
  const { exitCode, stdout, stderr } = await rushes(dir, 'import', ...args, '--out', out, '--json')
  expect([exitCode, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as ImportSummary
}

describe('rushes import', () => {
  it('shows the streams of a capture, and makes a take that renders', async () => {
    const { exitCode, stdout, stderr } = await rushes(dir, 'import', capture('ethernet.pcapng'), '--out', 'call')
    expect([exitCode, stderr]).toEqual([0, ''])
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(rows[0]).toEqual(['participant', 'track', 'codec', 'from', 'length', 'packets', 'lost', 'RTCP', 'stream'])
    const codecs = rows.slice(1, 4).map((row) => row[2])
    expect(new Set(codecs)).toEqual(new Set(['H264 (guessed)', 'PCMU', 'opus (guessed)']))
    expect(stdout).toMatch(/✓ 3 tracks, 0:02\.\d; rushes render call --out DIR\n$/)
    const render = await rushes(dir, 'render', 'call', '--out', 'rendered', '--format', 'mp4')
    expect(render.exitCode, render.stderr).toBe(0)
  })

  it('takes codecs and participants, and writes JSON', async () => {
    const codecs = ['--codec', '96=video/H264', '-c', '111=audio/opus/48000']
    const found = await importJson('named', capture('ethernet.pcap'), ...codecs, '-p', '::1=carol', '-p', 'dave')
    expect(
      new Set(found.streams.map(({ participantId, mimeType, guessed }) => `${participantId} ${mimeType} ${guessed}`)),
    ).toEqual(new Set(['carol audio/PCMU false', 'dave audio/opus false', 'dave video/H264 false']))
    for (const { rtpPackets, lost, startUs = 0, endUs = 0 } of found.streams) {
      expect(rtpPackets).toBeGreaterThan(50)
      expect(lost).toBe(0)
      expect(endUs - startUs).toBeGreaterThan(2_000_000)
    }
  })

  it('makes one take of Janus recordings', async () => {
    const files = [capture('room-alice-audio.mjr'), capture('room-alice-video.mjr')]
    const found = await importJson('janus', ...files, '--recording', 'r1', '--room', 'room')
    expect(new Set(found.streams.map(({ participantId, mimeType }) => `${participantId} ${mimeType}`))).toEqual(
      new Set(['room-alice audio/opus', 'room-alice video/H264']),
    )
    const take = await rushes(dir, 'inspect', 'janus', '--json')
    expect(JSON.parse(take.stdout)).toMatchObject({ recordingId: 'r1', roomId: 'room', finished: true })
  })

  it.each([
    [['import', '--out', 'x'], 2, /^rushes: USAGE: missing required argument 'capture'/],
    [['import', 'none.pcap', '--out', 'x'], 3, /^rushes: TAKE_READ_FAILED: .*none\.pcap/],
    [['import', join(fixture('solo'), 'session.json'), '--out', 'x'], 3, /^rushes: TAKE_BAD_CAPTURE: /],
    [['import', capture('raw-ip.pcap'), '--out', 'x', '-c', 'H264'], 2, /--codec: must be PAYLOADTYPE=MIME\[\/RATE\]/],
    [
      ['import', capture('raw-ip.pcap'), '--out', 'x', '-c', '96=video/xyz'],
      2,
      /--codec 96: must be a codec that Rushes/,
    ],
    [['import', capture('raw-ip.pcap'), '--out', 'x', '-c', '200=video/H264'], 2, /--codec: the payload type must be/],
    [['import', capture('raw-ip.pcap'), '--out', 'x', '-p', 'a', '-p', 'b'], 2, /--participant: a is everyone already/],
    [['import', capture('raw-ip.pcap'), '--out', 'x', '--started-at', 'noon'], 2, /--started-at: must be an ISO 8601/],
    [
      ['import', capture('raw-ip.pcap'), '--out', 'call'],
      1,
      /^rushes: TAKE_EXISTS: .*\n {2}A take is never written over/,
    ],
  ] as const)('%j ends with %d and says why', async (args, exitCode, message) => {
    const outcome = await rushes(dir, ...args)
    expect(outcome.stderr).toMatch(message)
    expect([outcome.exitCode, outcome.stdout]).toEqual([exitCode, ''])
    expect(await readdir(dir)).not.toContain('x')
  })
})
