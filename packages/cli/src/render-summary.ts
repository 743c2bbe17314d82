import type { Manifest, ManifestOutput, Repair } from '@rushes/render'
import { printable } from './text/printable.js'
import { formatBytes, formatCount, formatNumber, formatOffset, formatRate, formatTime } from './text/quantities.js'
import { plainStyle, type Style } from './text/style.js'
import { type Column, formatTable } from './text/table.js'

/** What a render or a recording has made, and how. */
export interface RenderSummary {
  readonly manifest: Manifest
  readonly manifestPath: string
  /** Absent where the work took as long as the recording. */
  readonly elapsedMs?: number
  /** So much was there from an earlier try. @defaultValue 0 */
  readonly keptUs?: number
  /** How a key is shown: as a path that the user can open. */
  readonly pathOf: (key: string) => string
}

const columns: readonly Column[] = [
  { header: 'participant' },
  { header: 'format' },
  { header: 'starts', align: 'right' },
  { header: 'length', align: 'right' },
  { header: 'size', align: 'right' },
  { header: 'picture' },
  { header: 'sound' },
  { header: 'file' },
]

/** What has come out, for people. */
export function formatRenderSummary(summary: RenderSummary, style: Style = plainStyle): string {
  const { manifest, manifestPath, elapsedMs, keptUs = 0, pathOf } = summary
  const title = `${style.bold(printable(manifest.recordingId))}  ${formatTime(manifest.durationUs, 1)}  ${style.dim(`started ${manifest.startedAt}`)}`
  const rows = manifest.outputs.map((output) => [
    printable(
      output.participantId === undefined ? (output.name ?? 'everyone') : nameOf(manifest, output.participantId),
    ),
    output.container === 'hls' ? 'HLS' : 'MP4',
    formatTime(output.startUs),
    formatTime(output.durationUs),
    formatBytes(output.bytes),
    output.video === undefined ? '' : `${output.video.codec} ${output.video.width}x${output.video.height}`,
    output.audio === undefined ? '' : formatAudio(output.audio),
    printable(pathOf(output.key)),
  ])
  const bytes = manifest.outputs.reduce((sum, output) => sum + output.bytes, 0)
  const took =
    elapsedMs === undefined ? '' : ` in ${formatSeconds(elapsedMs)} (${formatSpeed(manifest, keptUs, elapsedMs)})`
  const notes = [
    ...formatRepairs(manifest),
    ...manifest.warnings.map(({ code, message }) => `${style.yellow('warning')}  ${code}: ${printable(message)}`),
  ]
  return [
    `${title}\n\n`,
    formatTable(columns, rows, { style }),
    notes.length === 0 ? '' : `\n${notes.map((note) => `  ${note}\n`).join('')}`,
    `\n${style.green('✓')} ${formatCount(rows.length, 'output')}, ${formatBytes(bytes)}${took}; ${style.dim(`manifest ${printable(manifestPath)}`)}\n`,
  ].join('')
}

/** `AAC 48 kHz mono`. */
function formatAudio({ codec, sampleRate, channels }: NonNullable<ManifestOutput['audio']>): string {
  const name = codec.startsWith('mp4a.40') ? 'AAC' : codec === 'opus' ? 'Opus' : codec
  const layout = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`
  return `${name} ${formatRate(sampleRate)} ${layout}`
}

const actions: Readonly<Record<Repair['action'], string>> = {
  'held-picture': 'picture held',
  continued: 'decoded on from damage',
  recovered: 'recovered from the packet after it',
  concealed: 'concealed by the sound around it',
  silence: 'filled with silence',
  gap: 'left as a gap',
}

/** One line per participant, track and kind of repair: single ones are in the manifest. */
function formatRepairs(manifest: Manifest): string[] {
  const sums = new Map<string, { repair: Repair; count: number; us: number; packets: number }>()
  for (const repair of manifest.repairs) {
    const key = JSON.stringify([repair.participantId, repair.trackId, repair.action])
    const sum = sums.get(key) ?? { repair, count: 0, us: 0, packets: 0 }
    sum.count++
    sum.us += repair.endUs - repair.startUs
    sum.packets += repair.packets ?? 0
    sums.set(key, sum)
  }
  return [...sums.values()].map(({ repair, count, us, packets }) => {
    const lost = packets === 0 ? '' : `, ${formatCount(packets, 'packet')} lost`
    return `repaired ${printable(repair.trackId)}: ${actions[repair.action]} ${formatNumber(count)}x, ${formatOffset(us).slice(1)} in all${lost}`
  })
}

function nameOf(manifest: Manifest, participantId: string): string {
  const name = manifest.participants.find((participant) => participant.id === participantId)?.name
  return name === undefined || name === participantId ? participantId : `${name} (${participantId})`
}

function formatSpeed({ durationUs }: Manifest, keptUs: number, elapsedMs: number): string {
  const speed = Math.max(0, durationUs - keptUs) / 1000 / Math.max(1, elapsedMs)
  return `${speed.toFixed(speed < 10 ? 1 : 0)}x real time`
}

function formatSeconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatTime(ms * 1000, 0)
}
