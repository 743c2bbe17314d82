import { formatFindings } from '@rushes/testkit'
import type { MediaInspection, PlaylistInspection, StreamInspection } from './media-inspection.js'
import { printable } from './text/printable.js'
import { formatBytes, formatCount, formatNumber, formatOffset, formatRate, formatTime } from './text/quantities.js'
import { formatSizes, formatSizesAndGaps } from './text/stretches.js'
import { plainStyle, type Style } from './text/style.js'
import { type Column, formatTable } from './text/table.js'

const kinds: Readonly<Record<MediaInspection['kind'], string>> = {
  hls: 'HLS',
  'transport-stream': 'MPEG-TS',
  mp4: 'MP4',
}

/** A playlist or media file for people. `path` is how it is called. */
export function formatMediaInspection(media: MediaInspection, path: string, style: Style = plainStyle): string {
  const lines = [
    `${style.bold(printable(path))}  ${kinds[media.kind]}  ${formatTime(media.durationUs)}  ${formatBytes(media.bytes)}`,
  ]
  if (media.playlist !== undefined) lines.push(`  ${formatPlaylist(media.playlist)}`)
  if (media.audioOffsetUs !== undefined) {
    lines.push(`  sound starts ${formatOffset(media.audioOffsetUs)} against the picture`)
  }
  if (media.streams.length > 0) lines.push('', formatStreams(media.streams, style).trimEnd())
  const details = media.streams.flatMap(({ id, sizes = [], gaps }) => formatSizesAndGaps(printable(id), sizes, gaps))
  if (details.length > 0) lines.push('', 'Sizes and gaps', ...details)
  const { findings } = media
  if (findings.length === 0) {
    lines.push('', `${style.green('✓')} no rule broken`)
  } else {
    const shown = formatFindings(findings.slice(0, MAX_FINDINGS)).split('\n')
    lines.push('', `${style.red('✗')} ${formatCount(findings.length, 'finding')}`)
    lines.push(...shown.map((line) => `  ${printable(line)}`))
    if (findings.length > MAX_FINDINGS) lines.push(`  and ${findings.length - MAX_FINDINGS} more: --json has all`)
  }
  return `${lines.join('\n')}\n`
}

const MAX_FINDINGS = 40

function formatPlaylist(playlist: PlaylistInspection): string {
  const parts = [
    formatCount(playlist.segments, 'segment'),
    `longest ${playlist.longestSegmentS.toFixed(3)} s of ${playlist.targetDurationS} s`,
    ...(playlist.discontinuities === 0
      ? []
      : [formatCount(playlist.discontinuities, 'discontinuity', 'discontinuities')]),
    ...(playlist.type === undefined ? [] : [playlist.type]),
    playlist.ended ? 'ended' : 'still growing',
    ...(playlist.startsAt === undefined ? [] : [`starts ${printable(playlist.startsAt)}`]),
  ]
  return parts.join(', ')
}

const columns: readonly Column[] = [
  { header: 'stream' },
  { header: 'codec' },
  { header: 'format' },
  { header: 'from', align: 'right' },
  { header: 'to', align: 'right' },
  { header: 'units', align: 'right' },
  { header: 'keyframes', align: 'right' },
  { header: 'size', align: 'right' },
  { header: 'bit rate', align: 'right' },
]

function formatStreams(streams: readonly StreamInspection[], style: Style): string {
  const rows = streams.map((stream) => [
    printable(stream.id),
    stream.codec ?? stream.kind,
    formatKind(stream),
    stream.startUs === undefined ? '' : formatTime(stream.startUs),
    stream.endUs === undefined ? '' : formatTime(stream.endUs),
    stream.units === 0 ? style.yellow('none') : formatNumber(stream.units),
    stream.keyframes === undefined ? '' : formatNumber(stream.keyframes),
    formatBytes(stream.bytes),
    formatBitRate(stream),
  ])
  return formatTable(columns, rows, { style })
}

function formatKind({ sizes, sampleRate, channels }: StreamInspection): string {
  if (sampleRate !== undefined) {
    return `${formatRate(sampleRate)} ${channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`}`
  }
  return formatSizes(sizes ?? [])
}

function formatBitRate({ bytes, startUs, endUs }: StreamInspection): string {
  if (startUs === undefined || endUs === undefined || endUs <= startUs) return ''
  return `${formatNumber(Math.round((bytes * 8000) / (endUs - startUs)))} kbit/s`
}
