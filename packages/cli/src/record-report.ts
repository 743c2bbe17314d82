import type { RecordingEvent } from '@rushes/media'
import type { RecordingSignal, RecoveredRecording } from '@rushes/recorder'
import type { Listening } from './record-inputs.js'
import { formatStatus, RecordStatus } from './record-status.js'
import { styleOf, type Terminal } from './terminal.js'
import { printable } from './text/printable.js'
import { formatTime } from './text/quantities.js'
import type { Style } from './text/style.js'

/** What `record` says while it works: lines for people, or JSON lines for programs. */
export class RecordReport {
  readonly #terminal: Terminal
  readonly #isJson: boolean
  readonly #style: Style
  readonly #status: RecordStatus
  readonly #pathOf: (key: string) => string
  #firstMediaUs: number | undefined
  #isStopped = false

  constructor(terminal: Terminal, options: { readonly json: boolean; readonly pathOf: (key: string) => string }) {
    this.#terminal = terminal
    this.#isJson = options.json
    this.#style = styleOf(terminal)
    this.#status = new RecordStatus(terminal.stderr)
    this.#pathOf = options.pathOf
  }

  /** The sources are open: from now on nothing that is sent is missed. */
  listening(listening: readonly Listening[], recordingId: string, journal: string): void {
    if (this.#isJson) {
      this.#json({ type: 'listening', recordingId, journal, listening })
      return
    }
    this.#line(`${this.#style.bold(recordingId)}  ${this.#style.dim(`journal ${printable(journal)}`)}`)
    for (const one of listening) this.#line(`  ${formatListening(one)}`)
    this.#line('Ready: waiting for media. Ctrl-C stops and finishes.')
  }

  signal(signal: RecordingSignal): void {
    if (this.#isJson) this.#json(signal)
    else if (signal.type === 'stats') this.#status.update(formatStatus(signal.stats, this.#recordedUs()))
    else if (signal.type !== 'keyframeNeeded') this.#event(signal)
  }

  /** Something that is in danger outside of the recording. */
  warning(text: string): void {
    if (this.#isJson) this.#json({ type: 'inputWarning', message: text })
    else this.#line(`  ${this.#style.yellow('warning')}  ${printable(text)}`)
  }

  /** What an earlier process left in the journal is being finished, or is finished. */
  found(recordingIds: readonly string[]): void {
    for (const recordingId of recordingIds) {
      if (this.#isJson) this.#json({ type: 'unfinished', recordingId })
      else this.#line(`${printable(recordingId)} was cut short: it is being finished`)
    }
  }

  recovered({ recordingId, outcome, manifest, error }: RecoveredRecording): void {
    const message = error instanceof Error ? error.message : undefined
    if (this.#isJson) {
      this.#json({ type: 'recovered', recordingId, outcome, manifest, message })
    } else if (outcome === 'ready') {
      const keys = manifest?.outputs.map(({ key }) => printable(this.#pathOf(key))) ?? []
      this.#line(`${printable(recordingId)}, which was cut short, is finished: ${keys.join(', ')}`)
    } else {
      this.#line(`${printable(recordingId)}, which was cut short, could not be finished: ${printable(message ?? '')}`)
    }
  }

  /** Nothing more is said in place. */
  close(): void {
    this.#status.clear()
  }

  #event(event: RecordingEvent): void {
    if (event.type === 'RECORDING') this.#firstMediaUs = this.#terminal.nowMs() * 1000
    if (event.type === 'STOP') this.#isStopped = true
    // What grows no more stands in the summary.
    if (event.type === 'LINK' && this.#isStopped) return
    const text = formatEvent(event, this.#pathOf, this.#style)
    if (text === undefined) return
    const at = event.recordingTimeUs === undefined ? '' : `${formatTime(event.recordingTimeUs, 1)}  `
    this.#line(`${this.#style.dim(at)}${text}`)
  }

  #recordedUs(): number {
    return this.#firstMediaUs === undefined ? 0 : this.#terminal.nowMs() * 1000 - this.#firstMediaUs
  }

  #line(text: string): void {
    this.#status.clear()
    this.#terminal.stdout.write(`${text}\n`)
  }

  #json(value: unknown): void {
    this.#terminal.stdout.write(`${JSON.stringify(value)}\n`)
  }
}

function formatListening(one: Listening): string {
  if (one.source === 'whip') return `WHIP ${one.url}`
  const { participantId, kind, address, port, rtcpPort } = one
  const host = address.includes(':') ? `[${address}]` : address
  const rtcp = rtcpPort === port ? ' with RTCP' : `, RTCP port ${rtcpPort}`
  return `${printable(participantId)}  ${kind}  RTP ${host}:${port}${rtcp}`
}

const stopReasons: Readonly<Record<string, string>> = {
  requested: 'as asked',
  idle: 'nobody was there any more',
  'no-media': 'no media came',
  silence: 'nothing came any more',
  'max-duration': 'it is as long as it may be',
  'max-bytes': 'it is as large as it may be',
  shutdown: 'rushes ends',
}

/** An event in words, or nothing where another one says it. */
export function formatEvent(
  { type, data }: Pick<RecordingEvent, 'type' | 'data'>,
  pathOf: (key: string) => string,
  style: Style,
): string | undefined {
  const raw = (key: string): string => {
    const value = data[key]
    return typeof value === 'string' ? value : ''
  }
  const text = (key: string): string => printable(raw(key))
  switch (type) {
    case 'RECORDING':
      return 'recording'
    case 'PARTICIPANT_JOINED':
      return `${text('participantId')} is here`
    case 'PARTICIPANT_LEFT':
      return `${text('participantId')} has left`
    case 'TRACK_ADDED':
      return `${text('trackId')} begins: ${text('codec')}`
    case 'TRACK_REMOVED':
      return `${text('trackId')} has ended`
    case 'WARNING':
      return `${style.yellow('warning')}  ${text('code')}: ${text('message')}`
    case 'LINK':
      // Those that are final stand in the summary.
      if (data['final'] !== false) return undefined
      return `${text('participantId') || 'everyone'} can be played while it grows: ${printable(pathOf(raw('key')))}`
    case 'STOP':
      return `stopped: ${stopReasons[raw('reason')] ?? text('reason')}. Finishing …`
    case 'ERROR':
      // What ends the recording is the command's own error.
      return data['fatal'] === true ? undefined : `${style.red('error')}  ${text('code')}: ${text('message')}`
    default:
      return undefined
  }
}
