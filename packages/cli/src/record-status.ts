import type { RecordingStats } from '@rushes/recorder'
import { columnsOf, type TextOutput } from './terminal.js'
import { formatCount, formatNumber, formatTime } from './text/quantities.js'

/** `1.2 Mbit/s`. */
export function formatBitRate(bitsPerSecond: number): string {
  if (bitsPerSecond < 999_500) return `${Math.round(bitsPerSecond / 1000)} kbit/s`
  return `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`
}

/** `Recording 0:12.0  2 participants, 4 tracks  1.2 Mbit/s  lost 3 (0.1 %)`. `recordedUs` since the first media. */
export function formatStatus(stats: RecordingStats, recordedUs: number): string {
  if (stats.state === 'waiting') return 'Waiting for media'
  let bitRate = 0
  let lost = 0
  let packets = 0
  for (const track of stats.tracks) {
    bitRate += track.bitRate
    lost += track.health?.lost ?? 0
    packets += track.health?.packets ?? 0
  }
  const share = lost === 0 ? '' : ` (${((100 * lost) / (lost + packets)).toFixed(1)} %)`
  const refused = stats.refused === 0 ? '' : `  not journalled ${formatNumber(stats.refused)}`
  const head = stats.state === 'interrupted' ? 'Nothing comes ' : 'Recording '
  const who = `${formatCount(stats.participants, 'participant')}, ${formatCount(stats.tracks.length, 'track')}`
  return `${head}${formatTime(recordedUs, 0)}  ${who}  ${formatBitRate(bitRate)}  lost ${formatNumber(lost)}${share}${refused}`
}

/** One line at the bottom of a terminal, rewritten in place; nothing elsewhere. */
export class RecordStatus {
  readonly #output: TextOutput
  #isDrawn = false

  constructor(output: TextOutput) {
    this.#output = output
  }

  update(text: string): void {
    if (this.#output.isTTY !== true) return
    this.#isDrawn = true
    this.#output.write(`\r\u001b[K${text.slice(0, columnsOf(this.#output, 80) - 1)}`)
  }

  /** Takes the line away, so that something else can stand there. */
  clear(): void {
    if (this.#isDrawn) this.#output.write('\r\u001b[K')
    this.#isDrawn = false
  }
}
