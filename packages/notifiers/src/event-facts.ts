import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonValue, RecordingEvent } from '@rushes/media'

/** An output of a recording, as LINK and READY events tell of it. */
export interface EventOutput {
  readonly participantId?: string
  readonly container?: string
  readonly key?: string
  /** Where it stands: a URL, or an absolute path. */
  readonly location?: string
  /** Where people can open it. */
  readonly url?: string
  /** It does not grow any more. */
  readonly final: boolean
}

/**
 * The outputs in `data.outputs`, or the single one that a LINK has in `data` itself. Those of a READY event are final,
 * unless they say otherwise.
 */
export function outputsOf(event: RecordingEvent): readonly EventOutput[] {
  const finalByDefault = event.type === 'READY'
  const list = event.data['outputs']
  if (Array.isArray(list)) return list.map((output: unknown) => outputOf(output, finalByDefault))
  const single = outputOf(event.data, finalByDefault)
  return single.location === undefined && single.url === undefined ? [] : [single]
}

/** The path of an output that stands on a disk of this machine. */
export function localPathOf({ location }: EventOutput): string | undefined {
  if (location === undefined) return undefined
  if (isAbsolute(location)) return location
  if (!location.startsWith('file:')) return undefined
  try {
    return fileURLToPath(location)
  } catch {
    // A file URL of another machine, or with an encoded slash.
    return undefined
  }
}

/** How long the recording is, in microseconds, where the event tells. */
export function durationUsOf({ data, recordingTimeUs }: RecordingEvent): number | undefined {
  const { durationUs } = data
  return typeof durationUs === 'number' ? durationUs : recordingTimeUs
}

function outputOf(value: unknown, finalByDefault: boolean): EventOutput {
  const given: Readonly<Record<string, JsonValue | undefined>> = isRecord(value) ? value : {}
  const text = <K extends string>(key: K): { readonly [P in K]?: string } => {
    const found = given[key]
    return typeof found === 'string' ? ({ [key]: found } as { [P in K]: string }) : {}
  }
  const { final } = given
  return {
    ...text('participantId'),
    ...text('container'),
    ...text('key'),
    ...text('location'),
    ...text('url'),
    final: typeof final === 'boolean' ? final : finalByDefault,
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, JsonValue | undefined>> {
  return typeof value === 'object' && value !== null
}
