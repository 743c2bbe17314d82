import type { ImportedInput, ImportedTrack, ImportReport } from '@rushes/take'
import type { TakeInspection, TrackInspection } from './inspect-take.js'
import { printable } from './text/printable.js'
import { formatCount, formatNumber, formatTime } from './text/quantities.js'
import { plainStyle, type Style } from './text/style.js'
import { type Column, formatTable } from './text/table.js'

/** One stream that became a track, with what its packets say. Times are microseconds of recording time. */
export interface ImportedStream extends ImportedTrack {
  readonly startUs?: number
  readonly endUs?: number
  /** Packets that are not in the capture although their numbers are. */
  readonly lost: number
}

/** What `rushes import --json` writes. */
export interface ImportSummary extends Pick<ImportReport, 'dir' | 'inputs' | 'skipped' | 'refused'> {
  readonly startedAt: string
  readonly durationUs: number
  readonly streams: readonly ImportedStream[]
}

/** Puts what was imported and what is in the take together. */
export function summaryOf(report: ImportReport, take: TakeInspection): ImportSummary {
  const { dir, inputs, skipped, refused } = report
  const inspected = new Map<string, TrackInspection>()
  for (const { tracks } of take.participants) for (const track of tracks) inspected.set(track.id, track)
  const streams = report.tracks.map((track) => {
    const { startUs, endUs, stats } = inspected.get(track.trackId) ?? {}
    const lost = typeof stats?.['lost'] === 'number' ? stats['lost'] : 0
    return {
      ...track,
      ...(startUs === undefined ? {} : { startUs }),
      ...(endUs === undefined ? {} : { endUs }),
      lost,
    }
  })
  return { dir, startedAt: take.startedAt, durationUs: take.durationUs, streams, inputs, skipped, refused }
}

const columns: readonly Column[] = [
  { header: 'participant' },
  { header: 'track' },
  { header: 'codec' },
  { header: 'from', align: 'right' },
  { header: 'length', align: 'right' },
  { header: 'packets', align: 'right' },
  { header: 'lost', align: 'right' },
  { header: 'RTCP', align: 'right' },
  { header: 'stream' },
]

/** The end of `rushes import` for people. `path` is where the take is. */
export function formatImport(summary: ImportSummary, path: string, style: Style = plainStyle): string {
  const rows = summary.streams.map((stream) => [
    printable(stream.participantId),
    printable(stream.trackId),
    `${printable(stream.mimeType.split('/')[1] ?? stream.mimeType)}${stream.guessed ? style.yellow(' (guessed)') : ''}`,
    stream.startUs === undefined ? '' : formatTime(stream.startUs),
    stream.startUs === undefined || stream.endUs === undefined ? '' : formatTime(stream.endUs - stream.startUs),
    formatNumber(stream.rtpPackets),
    formatLoss(stream),
    formatNumber(stream.rtcpPackets),
    printable(stream.origin),
  ])
  const notes = [...summary.skipped.map(formatSkipped), ...summary.inputs.flatMap(formatInput)]
  for (const { trackId, cause, count } of summary.refused) {
    notes.push(`refused ${printable(trackId ?? 'events')}: ${formatNumber(count)}, ${cause}`)
  }
  return [
    formatTable(columns, rows, { style }),
    notes.length === 0 ? '' : `\n${notes.map((note) => `  ${style.yellow('left out')}  ${note}\n`).join('')}`,
    `\n${style.green('✓')} ${formatCount(rows.length, 'track')}, ${formatTime(summary.durationUs, 1)}; ${style.dim(`rushes render ${printable(path)} --out DIR`)}\n`,
  ].join('')
}

function formatLoss({ lost, rtpPackets }: ImportedStream): string {
  if (lost === 0) return '0'
  return `${formatNumber(lost)} (${((100 * lost) / (lost + rtpPackets)).toFixed(1)} %)`
}

const skipReasons: Readonly<Record<ImportReport['skipped'][number]['cause'], string>> = {
  'unknown-codec': 'its codec is not known: say it with --codec',
  encrypted: 'it is encrypted',
  'data-channel': 'it is a data channel',
}

function formatSkipped({ origin, payloadType, packets, cause }: ImportReport['skipped'][number]): string {
  const type = payloadType === undefined ? '' : `, payload type ${payloadType}`
  return `${printable(origin)}${type}, ${formatCount(packets, 'packet')}: ${skipReasons[cause]}`
}

/** Only what is damaged: other traffic in a capture is no news. */
function formatInput({ name, cutCause, cutBytes }: ImportedInput): string[] {
  if (cutCause === undefined) return []
  return [`${printable(name)}: the last ${formatCount(cutBytes, 'byte')}, ${cutReasons[cutCause]}`]
}

const cutReasons: Readonly<Record<NonNullable<ImportedInput['cutCause']>, string>> = {
  'bad-header': 'its header cannot be one',
  torn: 'it ends in the middle of a packet',
  'bad-record': 'what stands there cannot be a packet',
}
