import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ResolvedComposite } from '@rushes/compositor'
import type { Session } from '@rushes/take'
import type { ResolvedPlan } from './plan.js'

/** Of what a composite keeps. Raised where pictures, sound or files would not fit what an earlier version has kept. */
const FORMAT_VERSION = 1

/** Settings that name a file, or files. */
const PATH_FIELDS: ReadonlySet<string> = new Set(['image', 'images', 'files'])

/** What a composite is made of. */
export interface FingerprintFacts {
  readonly recordingId: string
  /** Wall-clock time of recording time zero, microseconds since 1970. */
  readonly startedAtUs: number
  readonly plan: ResolvedPlan
  readonly settings: ResolvedComposite
}

/**
 * Tells composites apart that would not look or sound the same. A recording's live composite and the one that is made of
 * its take have the same: nothing goes in that is known only at the end. Files that the settings name count by what is in
 * them.
 */
export async function compositeFingerprint(facts: FingerprintFacts): Promise<string> {
  const { recordingId, startedAtUs, plan, settings } = facts
  const { lagUs: _lag, name: _name, ...look } = settings
  const { kinds, fromUs, toUs, participants, sampleRate, segmentDuration, afterLoss } = plan
  const hash = createHash('sha256')
  hash.update(
    JSON.stringify({
      version: FORMAT_VERSION,
      recordingId,
      startedAtUs,
      look,
      kinds: [...kinds].sort(),
      participants: participants === undefined ? undefined : [...participants].sort(),
      ...{ fromUs, toUs, sampleRate, segmentDuration, afterLoss },
    }),
  )
  for (const path of pathsIn(look)) {
    // One that cannot be read is told by whoever needs it.
    const bytes = await readFile(path).catch(() => new Uint8Array())
    hash.update(createHash('sha256').update(bytes).digest())
  }
  return hash.digest('hex')
}

/** Of a finished source: it may have been changed since, and somebody may have been erased from it. */
export function sessionFingerprint({ participants, events, durationMs }: Session): string {
  return createHash('sha256').update(JSON.stringify({ participants, events, durationMs })).digest('hex')
}

/** In the order of the settings. */
function pathsIn(value: unknown, isPath = false): string[] {
  if (typeof value === 'string') return isPath ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, own]) => pathsIn(own, isPath || PATH_FIELDS.has(name)))
}
