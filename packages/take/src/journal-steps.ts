import { ConfigurationError } from '@rushes/media'

/**
 * What can be given up when space for the journal runs out:
 * - `refuse-recordings`: `admit` says no; what records goes on.
 * - `delete-takes`: kept takes whose outputs are done are deleted, the oldest first.
 * - `stop-video`: video is no longer journalled; sound and events are.
 * - `stop-media`: only events are journalled.
 */
export type JournalStep = 'refuse-recordings' | 'delete-takes' | 'stop-video' | 'stop-media'

/** One step, and when it is taken. */
export interface JournalStepRule {
  readonly step: JournalStep
  /** Taken while less than this is left, in bytes; undone once a quarter more is left. */
  readonly belowBytes: number
}

const GIBIBYTE = 1024 * 1024 * 1024
const known: ReadonlySet<string> = new Set<JournalStep>([
  'refuse-recordings',
  'delete-takes',
  'stop-video',
  'stop-media',
])

/**
 * The steps in the order in which they are taken. New recordings are refused and done ones deleted below 1 GiB (about
 * ten minutes of ten participants) or a quarter of the budget, video stops at a quarter of that, sound at a sixteenth.
 */
export function defaultSteps(maxBytes: number | undefined): readonly JournalStepRule[] {
  const headroomBytes = Math.min(GIBIBYTE, Math.floor((maxBytes ?? Number.POSITIVE_INFINITY) / 4))
  return [
    { step: 'refuse-recordings', belowBytes: headroomBytes },
    { step: 'delete-takes', belowBytes: headroomBytes },
    { step: 'stop-video', belowBytes: Math.floor(headroomBytes / 4) },
    { step: 'stop-media', belowBytes: Math.floor(headroomBytes / 16) },
  ]
}

/** @throws ConfigurationError naming the step that is wrong */
export function validateSteps(steps: readonly JournalStepRule[]): readonly JournalStepRule[] {
  const seen = new Set<string>()
  let lastBytes = Number.POSITIVE_INFINITY
  for (const [index, { step, belowBytes }] of steps.entries()) {
    if (!known.has(step))
      throw new ConfigurationError(`steps[${index}].step`, `must be one of ${[...known].join(', ')}`, step)
    if (seen.has(step)) throw new ConfigurationError(`steps[${index}].step`, 'must not come twice', step)
    seen.add(step)
    if (!(belowBytes >= 0 && belowBytes <= lastBytes)) {
      const rule = 'must be at least 0 and not greater than that of the step before'
      throw new ConfigurationError(`steps[${index}].belowBytes`, rule, belowBytes)
    }
    lastBytes = belowBytes
  }
  return steps
}

/** Which steps are taken when `leftBytes` are left, given those that were: without flapping at the border. */
export function stepsTaken(
  rules: readonly JournalStepRule[],
  before: ReadonlySet<JournalStep>,
  leftBytes: number,
): ReadonlySet<JournalStep> {
  const taken = new Set<JournalStep>()
  for (const { step, belowBytes } of rules) {
    if (leftBytes < (before.has(step) ? reliefBytes(belowBytes) : belowBytes)) taken.add(step)
  }
  return taken
}

/** A step is undone when so much is left. */
export function reliefBytes(belowBytes: number): number {
  return belowBytes * 1.25
}
