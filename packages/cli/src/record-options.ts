import { join, resolve } from 'node:path'
import { ConfigurationError } from '@rushes/media'
import type { RecordingSettings } from '@rushes/recorder'
import { isStoreUrl } from './destination.js'
import { parseNumber, parseTime } from './option-values.js'
import type { SourceArgument } from './record-sources.js'
import { given, type OutputArguments, outputPlanOf } from './render-options.js'
import type { WebhookArguments } from './webhook-option.js'

/** The options of `rushes record` as they are typed. */
export interface RecordArguments extends OutputArguments, WebhookArguments {
  readonly sources: readonly SourceArgument[]
  readonly bind?: string
  readonly whip?: string
  readonly whipTokenEnv?: string
  readonly journal?: string
  readonly room?: string
  readonly recording?: string
  readonly parts?: string
  readonly duration?: string
  readonly idle?: string
  readonly keepJournal?: boolean
}

/** A timer cannot be set further ahead. */
const MAX_TIMER_MS = 2 ** 31 - 1
const NO_MEDIA_MS = 300_000

/** The settings that the options ask for. @throws ConfigurationError that names the option. */
export function settingsOf(options: RecordArguments): RecordingSettings {
  return {
    ...outputPlanOf(options),
    ...given(options.parts, (text) => ({ parts: { seconds: parseNumber('--parts', text) } })),
    ...(options.keepJournal === true ? { journal: 'keep' as const } : {}),
    limits: {
      ...given(options.idle, idleLimits),
      // --duration counts from the first media, the recorder's own limit from the start.
      ...given(options.duration, () => ({ maxDurationMs: Number.POSITIVE_INFINITY })),
    },
  }
}

/** Milliseconds from the first media to the end, where `--duration` says so. */
export function durationMsOf({ duration }: RecordArguments): number | undefined {
  if (duration === undefined) return undefined
  const ms = parseTime('--duration', duration) / 1000
  if (ms <= 0) throw new ConfigurationError('--duration', 'must be more than 0', duration)
  if (ms > MAX_TIMER_MS) throw new ConfigurationError('--duration', 'must be less than 24 days', duration)
  return ms
}

/**
 * Where the journal is: beside the outputs, where nobody says otherwise.
 * @throws ConfigurationError where the outputs go to a store, beside which there is nothing
 */
export function journalOf(options: Pick<RecordArguments, 'journal' | 'out'>, cwd: string): string {
  if (options.journal === undefined && isStoreUrl(options.out)) {
    throw new ConfigurationError('--journal', 'is needed where --out is a URL: a folder on a local disk')
  }
  return options.journal === undefined ? join(resolve(cwd, options.out), '.takes') : resolve(cwd, options.journal)
}

function idleLimits(text: string): NonNullable<RecordingSettings['limits']> {
  const never = Number.POSITIVE_INFINITY
  if (text.trim() === 'never') return { idleMs: never, noMediaMs: never, silenceMs: never }
  const idleMs = parseNumber('--idle', text) * 1000
  if (idleMs <= 0) throw new ConfigurationError('--idle', "must be more than 0 seconds, or 'never'", text)
  // Whoever waits long for somebody to come back waits as long for the first.
  return { idleMs, noMediaMs: Math.max(NO_MEDIA_MS, idleMs) }
}
