import type { TimedItem } from '@rushes/media'
import { SourceClocks, Timeline } from '@rushes/rtp-depacketizer'
import { type CallOptions, type SimulatedItem, STARTED_AT_US, simulateCall } from './call-simulator.js'

/** One figure of a call, in milliseconds: over each second its worst, and of these the median, the 99th percentile, the worst. */
export interface Spread {
  readonly medianMs: number
  readonly p99Ms: number
  readonly worstMs: number
  /** The second of the worst. */
  readonly worstAt: number
}

/** What a call came to. */
export interface DriftFigures {
  /** Sound against picture of each participant. */
  readonly sync: Spread
  /** The sound of each participant against that of the first. */
  readonly across: Spread
  /** Samples whose decoding time did not rise. */
  readonly backwards: number
  /** Forward jumps that the timeline counted. */
  readonly steps: number
  /** Times that had to be moved because they ran backwards. */
  readonly clamped: number
  /** Samples marked as not continuing the one before. */
  readonly discontinuities: number
  readonly items: number
  readonly seconds: number
  readonly usPerItem: number
  /**
   * Heap in use after a collection, in MiB, after a tenth of the call and at its end: clocks, timelines and the figures
   * themselves. Only where the collector may be called.
   */
  readonly heapMiB?: readonly [number, number]
}

/** When a mode is judged: seconds of true time from which each participant's figures count, and stretches that do not. */
export interface Judged {
  readonly from: number
  readonly except?: readonly (readonly [from: number, to: number])[]
}

interface ParticipantState {
  readonly clocks: SourceClocks
  timeline: Timeline
  readonly errorUs: Record<'audio' | 'video', number>
  readonly seenUs: Record<'audio' | 'video', number>
}

/** How a call is measured. */
export interface MeasureOptions {
  /** What the recorder takes for the wall-clock time of its start. @defaultValue that of the simulation */
  readonly startedAtUs?: number
  /** Where the items come from. @defaultValue straight from the simulator, without a depacketizer between */
  readonly itemsOf?: (call: CallOptions) => Iterable<SimulatedItem>
}

/** A call through {@link Timeline}: `offline` in two passes, all clocks known before the first sample; `live` in one. */
export function measureDrift(
  call: CallOptions,
  mode: 'offline' | 'live',
  judged: Judged,
  { startedAtUs = STARTED_AT_US, itemsOf = simulateCall }: MeasureOptions = {},
): DriftFigures {
  const started = performance.now()
  const participants = call.participants.map((): ParticipantState => {
    const clocks = new SourceClocks({ startedAtUs, keep: mode === 'live' ? 'recent' : 'all' })
    return {
      clocks,
      timeline: new Timeline({ startedAtUs, clocks }),
      errorUs: { audio: 0, video: 0 },
      seenUs: { audio: -1e12, video: -1e12 },
    }
  })
  if (mode === 'offline') {
    for (const { participant, item } of itemsOf(call))
      (participants[participant] as ParticipantState).clocks.observe(item)
    for (const { clocks } of participants) clocks.settle()
  }
  const sync = new Seconds(call.seconds, judged)
  const across = new Seconds(call.seconds, judged)
  const lastDts = new Map<string, number>()
  let current: SimulatedItem
  let nextLookUs = call.seconds * 1e5
  let earlyMiB: number | undefined
  let backwards = 0
  let discontinuities = 0
  let items = 0
  const look = (out: TimedItem): void => {
    if (out.type !== 'sample') return
    const kind = current.item.type === 'audio-frame' ? 'audio' : 'video'
    const state = participants[current.participant] as ParticipantState
    const { clockRate } = current.item
    if (out.dts <= (lastDts.get(out.trackId) ?? Number.NEGATIVE_INFINITY)) backwards++
    lastDts.set(out.trackId, out.dts)
    if (out.discontinuity === true) discontinuities++
    const trueUs = current.trueUs as number
    state.errorUs[kind] = (out.pts * 1e6) / clockRate - trueUs
    state.seenUs[kind] = trueUs
    const other = kind === 'audio' ? 'video' : 'audio'
    if (trueUs - state.seenUs[other] < 1e6) sync.add(trueUs, state.errorUs.audio - state.errorUs.video)
    const first = participants[0] as ParticipantState
    if (state !== first && kind === 'audio' && Math.abs(trueUs - first.seenUs.audio) < 1e6) {
      across.add(trueUs, state.errorUs.audio - first.errorUs.audio)
    }
  }
  for (const simulated of itemsOf(call)) {
    current = simulated
    items++
    ;(participants[simulated.participant] as ParticipantState).timeline.push(simulated.item, look)
    if (simulated.deliveredUs >= nextLookUs) {
      nextLookUs = Number.POSITIVE_INFINITY
      earlyMiB = heapMiB()
    }
  }
  const endMiB = heapMiB()
  const seconds = (performance.now() - started) / 1000
  return {
    sync: sync.spread(),
    across: across.spread(),
    backwards,
    steps: participants.reduce((sum, { timeline }) => sum + timeline.stats.steps, 0),
    clamped: participants.reduce((sum, { timeline }) => sum + timeline.stats.clamped, 0),
    discontinuities,
    items,
    seconds: Math.round(seconds * 10) / 10,
    usPerItem: Math.round((seconds * 1e7) / items) / 10,
    ...(earlyMiB === undefined || endMiB === undefined ? undefined : { heapMiB: [earlyMiB, endMiB] as const }),
  }
}

function heapMiB(): number | undefined {
  if (globalThis.gc === undefined) return undefined
  globalThis.gc()
  return Math.round((process.memoryUsage().heapUsed / 2 ** 20) * 10) / 10
}

/** The worst of each second. */
class Seconds {
  readonly #worst: Float64Array
  readonly #judged: Judged

  constructor(seconds: number, judged: Judged) {
    this.#worst = new Float64Array(seconds + 10).fill(-1)
    this.#judged = judged
  }

  add(atUs: number, errorUs: number): void {
    const second = Math.floor(atUs / 1e6)
    if (second < this.#judged.from || this.#judged.except?.some(([from, to]) => second >= from && second < to)) return
    const error = Math.abs(errorUs)
    if (error > (this.#worst[second] as number)) this.#worst[second] = error
  }

  spread(): Spread {
    const values = Float64Array.from(this.#worst.filter((value) => value >= 0)).sort()
    const at = (share: number): number =>
      ms(values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0)
    const worst = values.at(-1) ?? 0
    return { medianMs: at(0.5), p99Ms: at(0.99), worstMs: ms(worst), worstAt: this.#worst.indexOf(worst) }
  }
}

function ms(us: number): number {
  return Math.round(us / 10) / 100
}
