/** One thing that a stream, a playlist or a file does and may not do. */
export interface Finding {
  /** Stable kebab-case id of the rule that is broken; the README lists them all. */
  readonly rule: string
  /** What was found and what the rule wants, with the numbers. */
  readonly message: string
  /** Index of the segment, from 0, where the input came in segments. */
  readonly segment?: number
  /** Offset in bytes: in the segment, or in the file. */
  readonly offset?: number
  /** Packet identifier of a transport stream. */
  readonly pid?: number
  /** Track of an MP4 file, from 1. */
  readonly trackId?: number
  /** The playlist or the segment, as the playlist names it. */
  readonly uri?: string
  /** Line of the playlist, from 1. */
  readonly line?: number
}

/** Where a finding is. */
export type FindingPlace = Omit<Finding, 'rule' | 'message'>

/** Takes what an oracle finds. */
export type Report<Rule extends string> = (rule: Rule, message: string, place?: FindingPlace) => void

/** A rule as the oracle's table says it. */
export interface RuleText {
  /** What must hold. */
  readonly rule: string
  /** Where that is said. */
  readonly source: string
}

/** The findings as lines for an assertion message: `rule at segment 0, offset 188, pid 0x100: message`. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(formatFinding).join('\n')
}

function formatFinding(finding: Finding): string {
  const place: string[] = []
  if (finding.uri !== undefined) place.push(finding.uri)
  if (finding.line !== undefined) place.push(`line ${finding.line}`)
  if (finding.segment !== undefined) place.push(`segment ${finding.segment}`)
  if (finding.trackId !== undefined) place.push(`track ${finding.trackId}`)
  if (finding.offset !== undefined) place.push(`offset ${finding.offset}`)
  if (finding.pid !== undefined) place.push(`pid 0x${finding.pid.toString(16)}`)
  return `${finding.rule}${place.length === 0 ? '' : ` at ${place.join(', ')}`}: ${finding.message}`
}

/**
 * Collects findings up to a bound: a stream that is wrong everywhere would otherwise fill the memory with one sentence
 * for each of its packets.
 */
export class FindingList<Rule extends string> {
  readonly #max: number
  readonly #findings: Finding[] = []
  #dropped = 0

  constructor(max = 1000) {
    this.#max = max
  }

  readonly report: Report<Rule> = (rule, message, place) => {
    if (this.#findings.length < this.#max) this.#findings.push({ rule, message, ...place })
    else this.#dropped++
  }

  /** All findings in the order of their place. */
  finish(): Finding[] {
    const sorted = this.#findings
      .map((finding, index) => ({ finding, index }))
      .sort(
        (a, b) =>
          (a.finding.segment ?? -1) - (b.finding.segment ?? -1) ||
          (a.finding.offset ?? -1) - (b.finding.offset ?? -1) ||
          a.index - b.index,
      )
      .map(({ finding }) => finding)
    if (this.#dropped > 0) {
      sorted.push({ rule: 'too-many-findings', message: `${this.#dropped} more findings are not listed` })
    }
    return sorted
  }
}
