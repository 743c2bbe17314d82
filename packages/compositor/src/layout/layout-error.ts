import { CompositorError } from '../errors.js'

/** Something in a layout that is not as it must be. */
export interface LayoutProblem {
  /** Where in the JSON: `regions[2].width`; empty for the whole. */
  readonly path: string
  /** What must be, what is, and what is allowed. */
  readonly reason: string
}

/** Enough to repair a file by; the rest is counted. */
const MOST_LISTED = 20

/** `LAYOUT_INVALID`: a layout is none. The message lists the problems, the most useful one first. */
export class LayoutError extends CompositorError {
  /** At least one. */
  readonly problems: readonly LayoutProblem[]
  /** Of the first problem. */
  readonly path: string
  constructor(problems: readonly LayoutProblem[]) {
    const lines = problems
      .slice(0, MOST_LISTED)
      .map(({ path, reason }) => `${path === '' ? 'layout' : path}: ${reason}`)
    if (problems.length > MOST_LISTED) lines.push(`and ${problems.length - MOST_LISTED} more`)
    super('LAYOUT_INVALID', lines.join('\n'))
    this.problems = problems
    this.path = problems[0]?.path ?? ''
  }
}
