import { columnsOf, type TextOutput } from './terminal.js'
import { formatTime } from './text/quantities.js'

/** Where a render stands. */
export interface ProgressState {
  /** Microseconds of recording time. */
  readonly recordedUs: number
  /** Absent while the end is not known. */
  readonly totalUs?: number
  /** So much of it was there already. @defaultValue 0 */
  readonly keptUs?: number
  /** Since the start of the work on the rest. */
  readonly elapsedMs: number
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const
const NARROWEST_BAR = 10
const WIDEST_BAR = 40

/** Before that nobody can say how long it will take. */
const LEAST_TO_TELL_MS = 2000

/** `Rendering ██████▌░░░░  54 %  0:10.8 / 0:20.0  3.5x real time, 0:03 left`, at most `columns` wide. */
export function formatProgressBar(state: ProgressState, columns: number): string {
  const speed = state.elapsedMs < 200 ? '' : `  ${formatSpeed(state)}`
  if (state.totalUs === undefined) return `Rendering  ${formatTime(state.recordedUs, 1)}${speed}`.slice(0, columns)
  const share = shareOf(state, state.totalUs)
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`
  const tail = `  ${percent}  ${formatTime(state.recordedUs, 1)} / ${formatTime(state.totalUs, 1)}${speed}${formatLeft(state, state.totalUs)}`
  const room = Math.min(WIDEST_BAR, columns - 'Rendering '.length - tail.length - 1)
  if (room < NARROWEST_BAR) return `Rendering${tail}`.slice(0, columns)
  const filled = Math.floor(share * room * 8)
  const bar = '█'.repeat(filled >> 3) + (eighths[filled & 7] ?? '')
  return `Rendering ${bar.padEnd(room, '░')}${tail}`
}

function shareOf({ recordedUs }: ProgressState, totalUs: number): number {
  // The last packets come a little after the end of the meeting: 100 % is said only when it is done.
  return totalUs <= 0 ? 1 : Math.min(1, Math.max(0, recordedUs / totalUs))
}

function formatSpeed({ recordedUs, keptUs = 0, elapsedMs }: ProgressState): string {
  const factor = (recordedUs - keptUs) / 1000 / Math.max(1, elapsedMs)
  return `${factor >= 10 ? factor.toFixed(0) : factor.toFixed(1)}x real time`
}

/** At the speed so far. */
function formatLeft({ recordedUs, keptUs = 0, elapsedMs }: ProgressState, totalUs: number): string {
  const madeUs = recordedUs - keptUs
  if (elapsedMs < LEAST_TO_TELL_MS || madeUs <= 0) return ''
  return `, ${formatTime((Math.max(0, totalUs - recordedUs) / madeUs) * elapsedMs * 1000, 0)} left`
}

/** A terminal's bar is redrawn at most this often, in milliseconds. */
const REDRAW_MS = 80
/** Plain lines come at every such share of the whole, or of a minute where that is not known. */
const PLAIN_STEP = 0.1
const PLAIN_STEP_US = 60_000_000

/** Shows progress: one line that is redrawn on a terminal, some plain lines elsewhere. */
export class RenderProgress {
  readonly #output: TextOutput
  readonly #nowMs: () => number
  #startedMs: number
  #keptUs = 0
  #drawnMs = Number.NEGATIVE_INFINITY
  #isDrawn = false
  #nextStep = PLAIN_STEP
  #nextUs = PLAIN_STEP_US

  constructor(output: TextOutput, nowMs: () => number) {
    this.#output = output
    this.#nowMs = nowMs
    this.#startedMs = nowMs()
  }

  /** What an earlier try has made is there: it is told, and no speed is made of it. */
  goOn(keptUs: number, totalUs?: number): void {
    this.#keptUs = Math.max(this.#keptUs, keptUs)
    this.clear()
    const of = totalUs === undefined ? '' : ` of ${formatTime(totalUs, 0)}`
    this.#output.write(`An earlier try was interrupted: goes on at ${formatTime(keptUs, 0)}${of}\n`)
  }

  update(recordedUs: number, totalUs?: number): void {
    const nowMs = this.#nowMs()
    if (recordedUs <= this.#keptUs) this.#startedMs = nowMs
    const elapsedMs = nowMs - this.#startedMs
    const state = { recordedUs, keptUs: this.#keptUs, elapsedMs, ...(totalUs === undefined ? {} : { totalUs }) }
    if (this.#output.isTTY !== true) {
      this.#updatePlain(state)
    } else if (nowMs - this.#drawnMs >= REDRAW_MS) {
      this.#drawnMs = nowMs
      this.#isDrawn = true
      this.#output.write(`\r\u001b[K${formatProgressBar(state, columnsOf(this.#output, 80))}`)
    }
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#isDrawn) this.#output.write('\r\u001b[K')
    this.#isDrawn = false
  }

  #updatePlain(state: ProgressState): void {
    if (state.totalUs === undefined) {
      if (state.recordedUs < this.#nextUs) return
      this.#nextUs = state.recordedUs - (state.recordedUs % PLAIN_STEP_US) + PLAIN_STEP_US
      this.#output.write(`Rendering: ${formatTime(state.recordedUs, 1)}\n`)
      return
    }
    const share = shareOf(state, state.totalUs)
    // Floating point must not make 30 % a step of its own twice.
    const step = Math.floor(share / PLAIN_STEP + 1e-9)
    if (step * PLAIN_STEP < this.#nextStep - 1e-9) return
    this.#nextStep = (step + 1) * PLAIN_STEP
    const position = `${formatTime(state.recordedUs, 1)} of ${formatTime(state.totalUs, 1)}`
    this.#output.write(`Rendering: ${step * 10} % (${position}${formatLeft(state, state.totalUs)})\n`)
  }
}
