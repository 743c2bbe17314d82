import { ConfigurationError } from '@rushes/media'
import { type NamingRule, namingRule } from '@rushes/naming-rules'
import type { RenderPlan } from '@rushes/render'
import type { CompositeArguments } from './composite-options.js'
import { parseNumber, parseTime, parseWord, parseWords } from './option-values.js'

/** The options that say what outputs are like, as they are typed; `render` and `record` have them in common. */
export interface OutputArguments extends CompositeArguments {
  readonly out: string
  readonly format?: string
  readonly audio?: string
  readonly sampleRate?: string
  readonly segment?: string
  readonly segments?: string
  readonly naming?: string
  readonly afterLoss?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

/** The options of `rushes render` as they are typed. */
export interface RenderArguments extends OutputArguments {
  readonly participant?: readonly string[]
  readonly from?: string
  readonly to?: string
}

/** The plan that the options ask for. @throws ConfigurationError that names the option. */
export function planOf(options: RenderArguments): RenderPlan {
  const fromUs = options.from === undefined ? undefined : parseTime('--from', options.from)
  const toUs = options.to === undefined ? undefined : parseTime('--to', options.to)
  if (fromUs !== undefined && toUs !== undefined && toUs <= fromUs) {
    throw new ConfigurationError('--to', `must lie after --from (${options.from})`, options.to)
  }
  return {
    ...(fromUs === undefined ? {} : { fromUs }),
    ...(toUs === undefined ? {} : { toUs }),
    ...given(options.participant, (participants) => ({ participants })),
    ...outputPlanOf(options),
    ...given(options.naming, (text) => ({ naming: namingOf(text) })),
  }
}

/** What outputs are to be like, without their names. @throws ConfigurationError that names the option. */
export function outputPlanOf(options: OutputArguments): OutputPlan {
  const audio = {
    ...given(options.audio, (text) => ({ codec: parseWord('--audio', text, ['aac', 'opus']) })),
    ...given(options.sampleRate, (text) => ({
      sampleRate:
        parseWord('--sample-rate', text, ['44100', '48000']) === '44100' ? (44_100 as const) : (48_000 as const),
    })),
  }
  const hls = {
    ...given(options.segment, (text) => ({ segmentDuration: parseNumber('--segment', text) })),
    ...given(options.segments, (text) => ({ segments: parseWord('--segments', text, ['ts', 'cmaf']) })),
  }
  return {
    ...given(options.format, (text) => ({ formats: parseWords('--format', text, ['hls', 'mp4']) })),
    ...(Object.keys(audio).length === 0 ? {} : { audio }),
    ...(Object.keys(hls).length === 0 ? {} : { hls }),
    ...given(options.afterLoss, (text) => ({
      afterLoss: parseWord('--after-loss', text, ['freeze', 'continue']),
    })),
  }
}

/** What `render` and a recording's settings have in common. */
type OutputPlan = Pick<RenderPlan, 'audio' | 'hls' | 'afterLoss'> & { readonly formats?: readonly ('hls' | 'mp4')[] }

/** The rule behind `--naming`: a preset or a template. */
export function namingOf(text: string): NamingRule {
  try {
    return namingRule(text)
  } catch (error) {
    throw error instanceof ConfigurationError ? new ConfigurationError('--naming', error.message) : error
  }
}

/** `read(value)`, or nothing to spread where the option was not given. */
export function given<Value, Result extends object>(
  value: Value | undefined,
  read: (value: Value) => Result,
): Result | Record<string, never> {
  return value === undefined ? {} : read(value)
}

/** Fields of the first output, which is what `--composite` gives. */
const optionOfComposite: Readonly<Record<string, string>> = { size: '--size', fps: '--fps', layout: '--layout' }

const optionOfField: Readonly<Record<string, string>> = {
  formats: '--format',
  participants: '--participant',
  'audio.codec': '--audio',
  'audio.sampleRate': '--sample-rate',
  'hls.segmentDuration': '--segment',
  'hls.segments': '--segments',
  'parts.seconds': '--parts',
  recordingId: '--recording',
  roomId: '--room',
  startedAt: '--started-at',
  naming: '--naming',
  afterLoss: '--after-loss',
}

/** An error of the plan under the name of the option that the user typed. */
export function inTermsOfOptions(error: unknown): unknown {
  if (!(error instanceof ConfigurationError)) return error
  const payloadType = /^payloadTypes\[(\d+)\]/.exec(error.field)?.[1]
  const composite = /^outputs\[0\]\.composite\.(\w+)/.exec(error.field)?.[1]
  const option =
    payloadType !== undefined
      ? `--codec ${payloadType}`
      : (optionOfField[error.field] ?? (composite === undefined ? undefined : optionOfComposite[composite]))
  if (option === undefined) return error
  const rule = error.message.slice(`${error.field}: `.length)
  return new ConfigurationError(option, rule)
}
