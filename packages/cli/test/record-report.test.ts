import type { RecordingStats } from '@rushes/recorder'
import { describe, expect, it } from 'vitest'
import { formatEvent, RecordReport } from '../src/record-report.js'
import { formatBitRate, formatStatus } from '../src/record-status.js'
import { plainStyle } from '../src/text/style.js'

const stats: RecordingStats = {
  state: 'recording',
  participants: 2,
  tracks: [
    {
      trackId: 'a',
      participantId: 'ann',
      packets: 990,
      bytes: 1,
      bitRate: 1_200_000,
      skipped: 0,
      health: { participantId: 'ann', trackId: 'a', packets: 990, bytes: 1, lost: 10, late: 0, duplicates: 0 },
    },
    { trackId: 'b', participantId: 'bob', packets: 1, bytes: 1, bitRate: 34_000, skipped: 0 },
  ],
  packets: 991,
  bytes: 2,
  bufferedBytes: 0,
  refused: 0,
  liveRefused: 0,
  eventsDropped: 0,
}

describe('the status line', () => {
  it('says how it is going', () => {
    expect(formatStatus(stats, 61_000_000)).toBe(
      'Recording 1:01  2 participants, 2 tracks  1.2 Mbit/s  lost 10 (1.0 %)',
    )
    expect(formatStatus({ ...stats, state: 'waiting' }, 0)).toBe('Waiting for media')
    expect(formatStatus({ ...stats, state: 'interrupted', tracks: [], refused: 1234 }, 0)).toBe(
      'Nothing comes 0:00  2 participants, 0 tracks  0 kbit/s  lost 0  not journalled 1,234',
    )
  })

  it.each([
    [0, '0 kbit/s'],
    [999_499, '999 kbit/s'],
    [999_500, '1.0 Mbit/s'],
  ])('%d bit/s are %s', (rate, text) => {
    expect(formatBitRate(rate)).toBe(text)
  })
})

describe('an event in words', () => {
  it.each([
    [{ type: 'RECORDING', data: {} }, 'recording'],
    [{ type: 'PARTICIPANT_JOINED', data: { participantId: 'ann\u001b' } }, 'ann\ufffd is here'],
    [{ type: 'STOP', data: { reason: 'idle' } }, 'stopped: nobody was there any more. Finishing …'],
    [{ type: 'STOP', data: { reason: 'new' } }, 'stopped: new. Finishing …'],
    [{ type: 'WARNING', data: { code: 'NO_MEDIA', message: 'none' } }, 'warning  NO_MEDIA: none'],
    [
      { type: 'LINK', data: { kind: 'composite', key: 'a/composite', final: false } },
      'everyone can be played while it grows: /out/a/composite',
    ],
    [
      { type: 'LINK', data: { participantId: 'ann', key: 'a/b', final: false } },
      'ann can be played while it grows: /out/a/b',
    ],
    [{ type: 'LINK', data: { participantId: 'ann', key: 'a/b', final: true } }, undefined],
    [{ type: 'ERROR', data: { code: 'X', message: 'y', fatal: true } }, undefined],
    [{ type: 'ERROR', data: { code: 'X', message: 'y', fatal: false } }, 'error  X: y'],
    [{ type: 'READY', data: {} }, undefined],
  ] as const)('%j', (event, text) => {
    expect(formatEvent(event, (key) => `/out/${key}`, plainStyle)).toBe(text)
  })
})

describe('what record says', () => {
  const written = (isTTY: boolean, json: boolean) => {
    const lines: string[] = []
    const output = { write: (text: string) => lines.push(text), isTTY, columns: 60 }
    const terminal = { stdout: output, stderr: output, env: { TERM: 'dumb' }, cwd: '/', nowMs: () => 0 }
    return { lines, report: new RecordReport(terminal, { json, pathOf: (key) => key }) }
  }
  const signal = { type: 'stats', recordingId: 'r', stats } as const

  it('keeps its status at the bottom of a terminal', () => {
    const { lines, report } = written(true, false)
    report.signal(signal)
    report.warning('careful')
    report.signal(signal)
    report.close()
    const status = '\r\u001b[KRecording 0:00  2 participants, 2 tracks  1.2 Mbit/s  lost 10'
    expect(lines).toEqual([
      status.slice(0, 63),
      '\r\u001b[K',
      '  warning  careful\n',
      status.slice(0, 63),
      '\r\u001b[K',
    ])
  })

  it('has no status where nobody looks', () => {
    const { lines, report } = written(false, false)
    report.signal(signal)
    report.close()
    expect(lines).toEqual([])
  })

  it('writes JSON lines and nothing else', () => {
    const { lines, report } = written(true, true)
    report.found(['old'])
    report.listening([{ source: 'whip', url: 'http://127.0.0.1:8080/whip' }], 'r', 'takes/r')
    report.signal(signal)
    report.warning('careful')
    report.recovered({ recordingId: 'old', dir: 'd', outcome: 'failed', error: new Error('why') })
    report.close()
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      'unfinished',
      'listening',
      'stats',
      'inputWarning',
      'recovered',
    ])
  })

  it('says where to send to', () => {
    const { lines, report } = written(false, false)
    const stream = { source: 'udp', participantId: 'ann', kind: 'video', address: '::1', port: 5004 } as const
    report.listening(
      [
        { ...stream, rtcpPort: 5005 },
        { ...stream, rtcpPort: 5004 },
        { source: 'whip', url: 'http://x/whip' },
      ],
      'r',
      'takes/r',
    )
    expect(lines.join('')).toBe(
      'r  journal takes/r\n' +
        '  ann  video  RTP [::1]:5004, RTCP port 5005\n' +
        '  ann  video  RTP [::1]:5004 with RTCP\n' +
        '  WHIP http://x/whip\n' +
        'Ready: waiting for media. Ctrl-C stops and finishes.\n',
    )
  })
})
