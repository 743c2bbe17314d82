import { type Profiler, Session } from 'node:inspector'

type Range = readonly [start: number, end: number]

/** Code of the packages and not of the fuzzer or of Node. */
const MEASURED = '/packages/'

/**
 * Which code runs, by V8's block coverage. Each look tells of what ran since the last one, so that news of a batch can
 * be traced to the input that brought it.
 */
export class CoverageMeter {
  readonly #session = new Session()
  /** By function, what never ran so far. */
  readonly #uncovered = new Map<string, readonly Range[]>()
  #coveredBytes = 0
  #wasNews = false

  constructor() {
    this.#session.connect()
    this.#post('Profiler.enable')
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Bytes of source that have run. */
  get coveredBytes(): number {
    return this.#coveredBytes
  }

  /** The last look at coverage showed code that had never run. */
  get wasNews(): boolean {
    return this.#wasNews
  }

  /** Whether code ran since the last look that never ran before. It stays to be found. */
  peek(): boolean {
    for (const [key, ranges] of this.#functions()) if (newBytes(this.#uncovered.get(key), ranges) > 0) return true
    return false
  }

  /** Adds what ran since the last look. Returns the bytes covered now. */
  take(): number {
    this.#wasNews = false
    for (const [key, ranges] of this.#functions()) {
      const known = this.#uncovered.get(key)
      const added = newBytes(known, ranges)
      if (added === 0) continue
      this.#wasNews = true
      this.#coveredBytes += added
      const unreached = unreachedIn(ranges)
      this.#uncovered.set(key, known === undefined ? unreached : intersect(known, unreached))
    }
    return this.#coveredBytes
  }

  close(): void {
    this.#post('Profiler.stopPreciseCoverage')
    this.#post('Profiler.disable')
    this.#session.disconnect()
  }

  *#functions(): Generator<readonly [string, readonly Profiler.CoverageRange[]]> {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType
    for (const { scriptId, url, functions } of result) {
      if (!url.includes(MEASURED)) continue
      for (const { ranges } of functions) {
        const whole = ranges[0]
        if (whole === undefined || whole.count === 0) continue
        yield [`${scriptId} ${whole.startOffset} ${whole.endOffset}`, ranges]
      }
    }
  }

  #post(method: string, parameters?: object): unknown {
    let answer: unknown
    // The session of one's own thread answers at once.
    this.#session.post(method, parameters, (error: Error | null, result?: object) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
}

function newBytes(known: readonly Range[] | undefined, ranges: readonly Profiler.CoverageRange[]): number {
  const unreached = unreachedIn(ranges)
  const whole = ranges[0]!
  if (known === undefined) return whole.endOffset - whole.startOffset - lengthOf(unreached)
  return known.length === 0 ? 0 : lengthOf(known) - lengthOf(intersect(known, unreached))
}

/** Ranges nest, an inner one goes before those around it: what has a count of zero and nothing counted within. */
function unreachedIn(ranges: readonly Profiler.CoverageRange[]): Range[] {
  const unreached: Range[] = []
  for (const { startOffset, endOffset, count } of ranges) {
    if (count === 0) unreached.push([startOffset, endOffset])
  }
  return unreached.sort(([one], [other]) => one - other)
}

function intersect(one: readonly Range[], other: readonly Range[]): Range[] {
  const shared: Range[] = []
  for (const [start, end] of one) {
    for (const [otherStart, otherEnd] of other) {
      const [from, to] = [Math.max(start, otherStart), Math.min(end, otherEnd)]
      if (from < to) shared.push([from, to])
    }
  }
  return shared
}

function lengthOf(ranges: readonly Range[]): number {
  let length = 0
  for (const [start, end] of ranges) length += end - start
  return length
}
