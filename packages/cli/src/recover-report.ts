import type { RecoveredRecording } from '@rushes/recorder'
import type { FoundTake } from './journal-repair.js'
import { formatRenderSummary } from './render-summary.js'
import { formatDamage } from './take-damage-text.js'
import { printable } from './text/printable.js'
import { plainStyle, type Style } from './text/style.js'

/** A take of which no recorder makes outputs now. `path` is where it lies. */
export function formatFound({ id, state, lost, message }: FoundTake, path: string, style: Style = plainStyle): string {
  const title = style.bold(printable(id))
  const where = printable(path)
  switch (state) {
    case 'repaired':
      return `${title}  repaired, ready for: rushes render ${where} --out DIR\n${formatLost(lost)}`
    case 'recording':
      return `${title}  is being recorded by another program: left alone\n`
    case 'failed':
      return `${title}  ${style.red('failed')} earlier: ${printable(message ?? '')}\n  Its take is whole. Try: rushes render ${where} --out DIR\n`
    default:
      return `${title}  ${style.red('cannot be read')}: ${printable(message ?? '')}\n  It stays as it is, in ${where}\n`
  }
}

/** What became of a recording that a crash cut short. */
export function formatRecovered(
  take: FoundTake,
  result: RecoveredRecording | undefined,
  { shown, pathOf, style }: { shown: (path: string) => string; pathOf: (key: string) => string; style: Style },
): string {
  const { manifest, error } = result ?? {}
  if (manifest !== undefined) {
    const manifestPath = pathOf(`${manifest.recordingId}/manifest.json`)
    const [title = '', ...rest] = formatRenderSummary({ manifest, manifestPath, pathOf }, style).split('\n')
    return [title, ...formatLost(take.lost).trimEnd().split('\n'), ...rest].join('\n')
  }
  const message = error instanceof Error ? error.message : 'it was left alone'
  const failed = `${style.bold(printable(take.id))}  ${style.red('failed')}: ${printable(message)}\n`
  return `${failed}${formatLost(take.lost)}  Its take stays in ${printable(shown(take.dir))}\n`
}

function formatLost(lost: FoundTake['lost']): string {
  if (lost.length === 0) return '  nothing that had reached the disk was lost\n'
  return lost.map((damage) => `  lost  ${formatDamage(damage)}\n`).join('')
}
