import type { ParticipantInspection, TakeInspection, TrackInspection } from './inspect-take.js'
import { formatDamage } from './take-damage-text.js'
import { printable } from './text/printable.js'
import { formatBytes, formatCount, formatNumber, formatOffset, formatRate, formatTime } from './text/quantities.js'
import { formatSizes, formatSizesAndGaps } from './text/stretches.js'
import { plainStyle, type Style } from './text/style.js'
import { type Column, formatTable } from './text/table.js'

/** A take for people. */
export function formatTakeInspection(take: TakeInspection, style: Style = plainStyle): string {
  const tracks = take.participants.flatMap((participant) => participant.tracks)
  const bytes = tracks.reduce((sum, track) => sum + (track.fileBytes ?? 0), 0)
  const title = printable(take.recordingId ?? take.name ?? take.path)
  const lines = [
    `${style.bold(title)}  ${formatTime(take.durationUs, 1)}  ${style.dim(`started ${printable(take.startedAt)}`)}`,
    `  ${formatCount(take.participants.length, 'participant')}, ${formatCount(tracks.length, 'track')}, ${formatBytes(bytes)}`,
  ]
  if (!take.finished) lines.push(`  ${style.yellow('unfinished')}: being recorded, or cut short by a crash`)
  lines.push('', formatTracks(take.participants, style).trimEnd())
  const network = formatNetwork(tracks, style)
  if (network !== '') lines.push('', 'Network', network.trimEnd())
  lines.push('', 'Clocks', formatClocks(tracks, style).trimEnd())
  const details = tracks.flatMap(({ id, sizes, gaps }) => formatSizesAndGaps(printable(id), sizes, gaps))
  if (details.length > 0) lines.push('', 'Sizes and gaps', ...details)
  if (take.events.length > 0) lines.push('', 'Events', ...formatEvents(take))
  if (take.damage.length > 0) {
    lines.push('', style.yellow('Damage'), ...take.damage.map((found) => `  ${formatDamage(found)}`))
  }
  return `${lines.join('\n')}\n`
}

const trackColumns: readonly Column[] = [
  { header: 'participant' },
  { header: 'track' },
  { header: 'codec' },
  { header: 'SSRC', align: 'right' },
  { header: 'from', align: 'right' },
  { header: 'to', align: 'right' },
  { header: 'units', align: 'right' },
  { header: 'keyframes', align: 'right' },
  { header: 'file', align: 'right' },
]

function formatTracks(participants: readonly ParticipantInspection[], style: Style): string {
  const rows = participants.flatMap((participant) => {
    const name = participant.name === undefined ? participant.id : `${participant.name} (${participant.id})`
    if (participant.tracks.length === 0) return [[printable(name), style.dim('no track')]]
    return participant.tracks.map((track, index) => [
      index === 0 ? printable(name) : '',
      printable(track.id),
      formatCodec(track),
      track.ssrc === undefined ? '' : String(track.ssrc),
      track.startUs === undefined ? '' : formatTime(track.startUs),
      track.endUs === undefined ? '' : formatTime(track.endUs),
      track.units === 0 ? style.yellow('none') : formatNumber(track.units),
      track.kind === 'video' ? formatNumber(track.keyframes) : '',
      track.fileBytes === undefined ? style.yellow('missing') : formatBytes(track.fileBytes),
    ])
  })
  return formatTable(trackColumns, rows, { style })
}

function formatCodec({ mimeType, clockRate, kind, sizes }: TrackInspection): string {
  const codec = printable(mimeType.split('/')[1] ?? mimeType)
  if (kind === 'audio') return `${codec} ${formatRate(clockRate)}`
  return `${codec} ${formatSizes(sizes)}`.trimEnd()
}

/** What the counters are called for people; those at zero everywhere are left out. */
const networkColumns: readonly (readonly [key: string, header: string])[] = [
  ['packets', 'packets'],
  ['lost', 'lost'],
  ['late', 'late'],
  ['reordered', 'reordered'],
  ['duplicates', 'duplicate'],
  ['paddingOnly', 'padding'],
  ['strays', 'stray'],
  ['foreignSsrc', 'other SSRC'],
  ['foreignPayloadType', 'other type'],
  ['malformed', 'malformed'],
  ['senderReports', 'reports'],
]

function formatNetwork(tracks: readonly TrackInspection[], style: Style): string {
  const counted = tracks.filter(({ stats }) => 'packets' in stats)
  if (counted.length === 0) return ''
  const columns: Column[] = [
    { header: 'track' },
    ...networkColumns.map(([, header]) => ({ header, align: 'right' }) as const),
  ]
  const rows = counted.map(({ id, stats }) => [
    printable(id),
    ...networkColumns.map(([key]) => {
      const count = sumOf(stats[key])
      // A column of zeros says nothing; packets and losses are always asked for.
      return count === 0 && key !== 'packets' && key !== 'lost' ? '' : formatNumber(count)
    }),
  ])
  return formatTable(columns, rows, { style })
}

/** A counter, or the sum of counters by cause. */
function sumOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, part: unknown) => sum + sumOf(part), 0)
}

const bases: Readonly<Record<TrackInspection['clocks'][number]['basis'], string>> = {
  'sender-reports': 'sender reports',
  'distrusted-sender-reports': 'arrival (reports are not believed)',
  arrival: 'arrival (no report)',
  'first-unit': 'first unit (no report, no arrival)',
}

const clockColumns: readonly Column[] = [
  { header: 'track' },
  { header: 'time by' },
  { header: 'reports', align: 'right' },
  { header: 'NTP offset', align: 'right' },
  { header: 'CNAME' },
]

function formatClocks(tracks: readonly TrackInspection[], style: Style): string {
  const rows = tracks.flatMap((track) =>
    track.clocks.map((clock, index) => [
      index === 0 ? printable(track.id) : style.dim(`restart ${index}`),
      clock.basis === 'sender-reports' ? bases[clock.basis] : style.yellow(bases[clock.basis]),
      formatNumber(clock.reports),
      clock.ntpOffsetUs === undefined ? '' : formatOffset(clock.ntpOffsetUs),
      printable(clock.cname ?? ''),
    ]),
  )
  return rows.length === 0 ? '  none' : formatTable(clockColumns, rows, { style })
}

/** A call of a day has thousands; --json has all. */
const MAX_EVENTS = 12

function formatEvents({ events }: TakeInspection): string[] {
  const lines = events.slice(0, MAX_EVENTS).map((event) => {
    const whom = [event.participant, event.track].filter((id) => id !== undefined).join(' ')
    return `  ${formatTime(event.atMs * 1000)}  ${printable(event.type)} ${printable(whom)}`.trimEnd()
  })
  if (events.length > MAX_EVENTS) lines.push(`  and ${events.length - MAX_EVENTS} more`)
  return lines
}
