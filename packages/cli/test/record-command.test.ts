import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyWebhook } from '@rushes/notifiers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Running, startRushes } from './built-command.js'
import { rushes, rushesUntil } from './run.js'
import { decode, hasTools, pause, probe, sendWithFfmpeg, sendWithGstreamer, stopSenders } from './senders.js'

let dir: string
const started: Running[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rushes-record-'))
})

afterEach(() => {
  stopSenders()
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
})

afterAll(() => rm(dir, { recursive: true, force: true }))

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const running = startRushes(dir, args, env)
  started.push(running)
  return running
}

/** Everything that must hold of the outputs of one participant with a test picture and a tone. */
function expectWhole(out: string, name: string, atLeastS: number): void {
  for (const path of [join(dir, out, `${name}.mp4`), join(dir, out, name, 'media.m3u8')]) {
    const { codecs, durationS } = probe(path)
    expect([path, codecs]).toEqual([path, ['aac', 'h264']])
    expect(durationS, path).toBeGreaterThan(atLeastS)
    expect(decode(path)).toBe('')
  }
}

describe.skipIf(!hasTools && !process.env['CI'])('rushes record', () => {
  it('records what ffmpeg sends, until Ctrl-C, and plays while it grows', async () => {
    await sendWithFfmpeg(join(dir, 'anna.sdp'))
    const running = start(['record', '--out', 'f', '--sdp', 'anna.sdp', '--recording', 'one', '--segment', '1'])
    await running.says('stdout', /^Ready: /m)
    expect(running.output.stdout).toMatch(
      / {2}anna {2}video {2}RTP 127\.0\.0\.1:\d+, RTCP port \d+\n {2}anna {2}audio /,
    )
    await running.says('stdout', /anna can be played while it grows: f\/one\/anna\/index\.m3u8\n/)
    const growing = await readFile(join(dir, 'f/one/anna/media.m3u8'), 'utf8')
    expect(growing).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
    expect(growing).not.toContain('#EXT-X-ENDLIST')
    await pause(3000)
    running.child.kill('SIGINT')
    expect(await running.ended, running.output.stderr).toBe(0)
    expect(running.output.stderr).toBe('\nStopping … (Ctrl-C again to stop at once)\n')
    expect(running.output.stdout).toMatch(/stopped: as asked\. Finishing …/)
    expect(running.output.stdout).toMatch(/✓ 2 outputs, [\d.]+ .B; manifest f\/one\/manifest\.json\n$/)
    expectWhole('f', 'one/anna', 3)
    // The journal has done its duty.
    expect((await readdir(join(dir, 'f'))).sort()).toEqual(['one'])
  })

  it('records what GStreamer sends to --udp ports, for --duration, as JSON lines, and tells a webhook', async () => {
    const told: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        const event = verifyWebhook({ body, headers: request.headers, secret: 'open sesame' })
        told.push(event.type)
        response.end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const webhook = ['--webhook', url, '--webhook-private', '--webhook-secret-env', 'HOOK_SECRET']
    const streams = ['--udp', 'video/h264:0:96', '--udp', 'audio/opus:0:111', '--participant', 'bob']
    const shape = [
      '--recording',
      'two',
      '--naming',
      '{participantId}',
      '--keep-journal',
      '--journal',
      'takes',
      '--json',
    ]
    const running = start(['record', '--out', 'g', '--duration', '4', ...streams, ...shape, ...webhook], {
      HOOK_SECRET: 'open sesame',
    })
    await running.says('stdout', /"type":"listening".*\n/)
    const listening = JSON.parse(running.output.stdout.split('\n')[0] ?? '') as {
      recordingId: string
      listening: { participantId: string; kind: 'audio' | 'video'; port: number; rtcpPort: number }[]
    }
    expect(listening.recordingId).toBe('two')
    const ports = Object.fromEntries(listening.listening.map(({ kind, port }) => [kind, port]))
    sendWithGstreamer({ video: ports['video'] ?? 0, audio: ports['audio'] ?? 0 })
    expect(await running.ended, running.output.stderr).toBe(0)
    expect(running.output.stderr).toBe('')
    server.close()
    const lines = running.output.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string })
    const types = lines.map(({ type }) => type).filter((type) => /^[A-Z_]+$/.test(type))
    expect(['START', ...types]).toEqual(told)
    expect(types.slice(0, 3)).toEqual(['PARTICIPANT_JOINED', 'TRACK_ADDED', 'RECORDING'])
    expect(types.at(-1)).toBe('READY')
    expect(lines.find(({ type }) => type === 'STOP')).toMatchObject({ data: { reason: 'max-duration' } })
    expect(running.output.stdout).not.toContain('open sesame')
    expectWhole('g', 'bob', 2.5)
    // The take that was kept renders again.
    const again = await rushes(dir, 'render', 'takes/two', '--out', 'again', '--format', 'mp4')
    expect(again.exitCode, again.stderr).toBe(0)
    expect(probe(join(dir, 'again/two/bob.mp4')).codecs).toEqual(['aac', 'h264'])
  })

  it('stops by itself when the sender has gone', async () => {
    await sendWithFfmpeg(join(dir, 'carl.sdp'))
    const running = start(['record', '--out', 'idle', '--sdp', 'carl.sdp', '--recording', 'three', '--idle', '0.5'])
    await running.says('stdout', /carl can be played/)
    stopSenders('SIGTERM')
    expect(await running.ended, running.output.stderr).toBe(0)
    expect(running.output.stdout).toMatch(/carl has left\n.*stopped: nobody was there any more/)
    expectWhole('idle', 'three/carl', 2)
  })
})

describe('rushes record, to which nothing comes', () => {
  it('fails, says what to look at, and leaves nothing', async () => {
    const running = start(['record', '--out', 'nothing', '--udp', 'video/vp8:0'])
    await running.says('stdout', /^Ready: /m)
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(1)
    expect(running.output.stderr).toMatch(/\nrushes: RECORDING_NO_MEDIA: no media came\n {2}Does the sender send to/)
    expect(await readdir(dir)).not.toContain('nothing')
  })

  it('a second signal leaves at once and says what finishes the recording', async () => {
    const args = ['record', '--out', 'twice', '--udp', 'video/vp8:0', '--naming', '{participantId}']
    const { exits, stderr } = await rushesUntil(/^Ready: /m, dir, args, ['SIGINT', 'SIGTERM'])
    expect(exits).toEqual([143])
    expect(stderr).toContain(
      'rushes: left at once; what was recorded is in the journal. This finishes it:\n' +
        "  rushes recover twice/.takes --out twice --naming '{participantId}'\n",
    )
  })
})

describe('rushes record, refused', () => {
  const stream = 'video/h264:0'

  it.each([
    [['record'], 2, /^rushes: USAGE: required option '-o, --out <place>' not specified/],
    [['record', '--out', 'x'], 2, /BAD_CONFIGURATION: --sdp: give at least one source: --sdp, --udp or --whip/],
    [['record', '--out', 'x', '--sdp', 'none.sdp'], 3, /^rushes: INPUT_NOT_FOUND: there is no .*none\.sdp/],
    [['record', '--out', 'x', '--sdp', 'bad.sdp'], 2, /BAD_CONFIGURATION: --sdp bad\.sdp: /],
    [['record', '--out', 'x', '--udp', 'h264:5004'], 2, /--udp: must be KIND\/CODEC:PORT\[:PAYLOADTYPE\]/],
    [['record', '--out', 'x', '--udp', stream, '--bind', 'home'], 2, /--bind: must be an IP address, got "home"/],
    [['record', '--out', 'x', '--udp', stream, '--parts', '0.5'], 2, /--parts: must be 1 or more/],
    [['record', '--out', 'x', '--udp', stream, '--segments', 'ogg'], 2, /--segments: must be one of ts, cmaf/],
    [['record', '--out', 'x', '--udp', stream, '--idle', '0'], 2, /--idle: must be more than 0 seconds, or 'never'/],
    [['record', '--out', 'x', '--udp', stream, '--duration', '0'], 2, /--duration: must be more than 0/],
    [['record', '--out', 'x', '--udp', stream, '--naming', 'same'], 2, /--naming: must contain \{participantId\}/],
    [['record', '--out', 'x', '--udp', stream, '--recording', '../x'], 2, /--recording: must be letters/],
    [['record', '--out', 'x', '--whip', 'web'], 2, /--whip: must be a port/],
    [['record', '--out', 'x', '--udp', stream, '--whip-token-env', 'T'], 2, /--whip: must be given as well/],
    [['record', '--out', 'x', '--udp', stream, '--webhook-secret-env', 'T'], 2, /--webhook: must be given as well/],
    [
      ['record', '--out', 'x', '--udp', stream, '--webhook', 'https://example.org'],
      2,
      /--webhook-secret-env: must name the environment variable/,
    ],
    [
      ['record', '--out', 'x', '--udp', stream, '--webhook', 'https://example.org', '--webhook-secret-env', 'UNSET'],
      2,
      /--webhook-secret-env: names an environment variable that is not set, got "UNSET"/,
    ],
    [
      ['record', '--out', 'x', '--udp', stream, '--webhook', 'http://127.0.0.1', '--webhook-secret-env', 'SET'],
      2,
      /--webhook: must be a public address, unless --webhook-private is given/,
    ],
    [['record', '--out', 'bad.sdp', '--udp', stream], 1, /^rushes: OUT_NOT_WRITABLE: /],
  ] as const)('%j ends with %d and says why', async (args, exitCode, message) => {
    await writeFile(join(dir, 'bad.sdp'), 'v=0\r\n')
    const before = await readdir(dir)
    const outcome = await rushes(dir, ...args)
    expect(outcome.stderr).toMatch(message)
    expect(outcome.exitCode).toBe(exitCode)
    expect(outcome.stdout).toBe('')
    expect(await readdir(dir)).toEqual(before)
  })

  it('a port that is taken is told before anything is begun', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const option = `audio/pcmu:${socket.address().port}`
    const { exitCode, stdout, stderr } = await rushes(dir, 'record', '--out', 'taken', '--udp', option)
    socket.close()
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`BAD_CONFIGURATION: --udp ${option}: cannot listen on 127.0.0.1 port`)
    expect(await readdir(dir)).not.toContain('taken')
  })
})
