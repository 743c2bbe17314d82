import { ConfigurationError } from '@rushes/media'
import type { AudioPlan, HlsPlan, OutputFormat, OutputKind, PartsPlan, StartHoldPlan } from '@rushes/render'
import type { LifecycleLimits } from './lifecycle.js'

/** What a recording is to become. Given to the recorder they are defaults, given to `start` they are that recording's. */
export interface RecordingSettings {
  /**
   * `individual`: one recording per participant, audio and video together. `composite`: everyone in one, by its own
   * settings. @defaultValue `['individual']`
   */
  readonly outputs?: readonly OutputKind[]
  /** @defaultValue `['hls', 'mp4']` */
  readonly formats?: readonly OutputFormat[]
  /** Only the sound, or only the pictures. @defaultValue both */
  readonly media?: 'both' | 'audio' | 'video'
  readonly audio?: AudioPlan
  readonly hls?: HlsPlan
  /** What to do after picture data was lost for good. @defaultValue 'freeze' */
  readonly afterLoss?: 'freeze' | 'continue'
  /** A new file every so many seconds or bytes. @defaultValue never */
  readonly parts?: PartsPlan
  /** How long the live outputs wait, at the start, for the senders' reports. @defaultValue 5 s, 16 MiB a participant */
  readonly startHold?: StartHoldPlan
  /** Whether outputs grow while it is recorded, or are made when it has stopped. @defaultValue true */
  readonly live?: boolean
  /** What a pause leaves: nothing, or the last picture with silence. @defaultValue 'hold' */
  readonly pause?: 'cut' | 'hold'
  /**
   * Whose tracks are recorded: everyone's, or those whom `recording.subscribe` named. @defaultValue 'auto'
   */
  readonly subscribe?: 'auto' | 'manual'
  readonly limits?: LifecycleLimits
  /**
   * What becomes of the journal when everything is in the store. @defaultValue 'delete', and 'keep' where a live
   * composite gave up quality, which the journal still has
   */
  readonly journal?: JournalRetention
}

/**
 * `delete`: it goes; `keep`: it stays, for other renders; `upload`: it goes to the store, under `<recordingId>/take/`,
 * and then from the disk. The journal of a recording that failed always stays.
 */
export type JournalRetention = 'delete' | 'keep' | 'upload'

/** The keys of settings, which is what is stored of them beside the journal. */
const KEYS = [
  'outputs',
  'formats',
  'media',
  'audio',
  'hls',
  'afterLoss',
  'parts',
  'startHold',
  'live',
  'pause',
  'subscribe',
  'limits',
  'journal',
] as const satisfies readonly (keyof RecordingSettings)[]

/** The settings of one recording: its own, and for the rest the recorder's. */
export function mergeSettings(defaults: RecordingSettings, own: RecordingSettings): RecordingSettings {
  const merged: Record<string, unknown> = {}
  for (const key of KEYS) {
    const value = own[key] ?? defaults[key]
    if (value !== undefined) merged[key] = value
  }
  if (defaults.limits !== undefined || own.limits !== undefined) {
    merged['limits'] = { ...defaults.limits, ...own.limits }
  }
  return merged
}

/** Throws `ConfigurationError` for what `resolvePlan` of render does not look at. `field` is what stands before a name. */
export function checkSettings(settings: RecordingSettings, field: string): void {
  oneOf(`${field}pause`, settings.pause, ['cut', 'hold'])
  oneOf(`${field}subscribe`, settings.subscribe, ['auto', 'manual'])
  oneOf(`${field}journal`, settings.journal, ['delete', 'keep', 'upload'])
  for (const [name, value] of Object.entries(settings.limits ?? {})) {
    if (!(typeof value === 'number' && value > 0)) {
      throw new ConfigurationError(`${field}limits.${name}`, 'must be a number above 0, Infinity for none', value)
    }
  }
}

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new ConfigurationError(field, `must be one of ${allowed.join(', ')}`, value)
  }
}
