import { type CompositeSettings, type ResolvedComposite, resolveComposite } from '@rushes/compositor'
import { ConfigurationError } from '@rushes/media'
import { type NamingRule, template } from '@rushes/naming-rules'

/** What to make of a source. All of it has defaults: `{}` gives HLS and MP4 with AAC for everyone. */
export interface RenderPlan {
  /**
   * Which recordings. `individual`: one per participant, audio and video together. `composite`: everyone in one picture
   * and one sound; several need names. @defaultValue `['individual']`
   */
  readonly outputs?: readonly OutputKind[]
  /**
   * Which containers of each. Video goes in as it came where the container holds its codec, and is encoded as H264 where
   * it does not (VP8 in MP4; all but H264 in MPEG-TS). WebM holds VP8, VP9, AV1 and Opus; other tracks are left out of
   * it. @defaultValue `['hls', 'mp4']`
   */
  readonly formats?: readonly OutputFormat[]
  /** Whose. @defaultValue everyone's */
  readonly participants?: readonly string[]
  /** Only the sound, or only the pictures. @defaultValue both */
  readonly media?: 'both' | 'audio' | 'video'
  /** Begins a new file at the first keyframe after so much. @defaultValue never */
  readonly parts?: PartsPlan
  readonly audio?: AudioPlan
  readonly hls?: HlsPlan
  /** How long the beginning of a growing source waits for its senders' reports. @defaultValue 5 s, 16 MiB a participant */
  readonly startHold?: StartHoldPlan
  /** What to do after picture data was lost for good: hold the last good picture until the next keyframe, or go on decoding. @defaultValue 'freeze' */
  readonly afterLoss?: 'freeze' | 'continue'
  /** Recording time to begin at, microseconds. Copied video begins with the keyframe at or before it. @defaultValue the start */
  readonly fromUs?: number
  /** Recording time to end at, microseconds, exclusive. @defaultValue the end */
  readonly toUs?: number
  /** How outputs are named; different participants must get different names. @defaultValue `template('{recordingId}/{participantId}')` */
  readonly naming?: NamingRule
  /** @defaultValue the source's own, else its name */
  readonly recordingId?: string
  /** @defaultValue the source's own */
  readonly roomId?: string
}

/** One kind of recording, with its settings where it has any. */
export type OutputKind = 'individual' | 'composite' | { readonly composite: CompositeSettings }

/** A container, or HLS. */
export type OutputFormat = 'hls' | 'mp4' | 'webm'

/** When a recording is split. Parts have numbers, from 1; at least one of both. */
export interface PartsPlan {
  /** Length of a part in seconds, 1 or more. */
  readonly seconds?: number
  /** Bytes of a part's media, 65,536 or more. */
  readonly bytes?: number
}

/**
 * Of a growing source, the first media of each track waits for the sender reports that tell how sound and picture belong
 * together (of a browser's sound the first comes 2.5 s after the media), and goes on as soon as they are there.
 */
export interface StartHoldPlan {
  /** Seconds of arrival from the first media that waits, 0 to 60; 0 waits for nothing. @defaultValue 5 */
  readonly seconds?: number
  /** Bytes of media that may wait, for each participant, 65,536 or more. @defaultValue 16,777,216 */
  readonly bytes?: number
}

/** The sound of the outputs. */
export interface AudioPlan {
  /**
   * `aac` transcodes once per track; `opus` copies Opus into MP4 and CMAF. MPEG-TS has no Opus that players know, and
   * WebM no AAC: these have what they can. G.711 and G.722 become AAC either way. @defaultValue 'aac'
   */
  readonly codec?: 'aac' | 'opus'
  /** Of AAC, in Hz. @defaultValue 48,000 */
  readonly sampleRate?: 44_100 | 48_000
  /** Of AAC, in bit/s, 8,000 to 320,000. @defaultValue 64,000 a channel */
  readonly bitRate?: number
}

/** The shape of the HLS output. */
export interface HlsPlan {
  /**
   * MPEG-TS plays everywhere, with H264 and AAC; CMAF (fragmented MP4) also holds H265, VP9, AV1 and Opus as they came.
   * @defaultValue 'ts'
   */
  readonly segments?: 'ts' | 'cmaf'
  /** Aim for the length of a segment, in seconds; segments end at keyframes. @defaultValue 6 */
  readonly segmentDuration?: number
  /** EXT-X-TARGETDURATION of an `event` or `live` playlist, in whole seconds; `vod` computes it. @defaultValue twice the aim, rounded up */
  readonly targetDuration?: number
  /** @defaultValue 'vod' for a finished source, 'event' for a growing one */
  readonly playlistType?: 'vod' | 'event' | 'live'
  /** Beside an `event` playlist, whose type may never change, a VOD playlist `vod.m3u8` at the end. @defaultValue false */
  readonly vodPlaylist?: boolean
}

/** A plan with everything decided. */
export interface ResolvedPlan {
  readonly individual: boolean
  readonly composites: readonly ResolvedComposite[]
  readonly formats: ReadonlySet<OutputFormat>
  readonly segments: 'ts' | 'cmaf'
  readonly participants: ReadonlySet<string> | undefined
  readonly audioCodec: 'aac' | 'opus'
  readonly sampleRate: 44_100 | 48_000
  readonly bitRate: number | undefined
  readonly segmentDuration: number
  readonly targetDuration: number | undefined
  readonly playlistType: 'vod' | 'event' | 'live'
  readonly vodPlaylist: boolean
  readonly kinds: ReadonlySet<'audio' | 'video'>
  readonly parts: { readonly lengthUs: number; readonly bytes: number } | undefined
  readonly startHold: { readonly us: number; readonly bytes: number }
  readonly afterLoss: 'freeze' | 'continue'
  readonly fromUs: number | undefined
  readonly toUs: number | undefined
  readonly naming: NamingRule
}

/**
 * Checks a plan before there is a source: of a growing one when `growing`.
 * @throws ConfigurationError naming the field
 */
export function checkPlan(plan: RenderPlan, { growing }: { readonly growing: boolean }): void {
  const { naming, participants, individual } = resolvePlan(plan, !growing)
  if (growing && individual && participants?.size !== 1 && !naming.elements.includes('participantId')) {
    throw new ConfigurationError('naming', 'must contain {participantId}, as there may be more than one participant')
  }
}

/** Checks a plan and fills in its defaults. Throws a {@link ConfigurationError} that names the field. */
export function resolvePlan(plan: RenderPlan, sourceIsFinished: boolean): ResolvedPlan {
  const formats = plan.formats ?? ['hls', 'mp4']
  oneOf('formats', formats, ['hls', 'mp4', 'webm'])
  if (formats.length === 0) throw new ConfigurationError('formats', 'needs at least one of hls, mp4, webm')
  const segments = plan.hls?.segments ?? 'ts'
  oneOf('hls.segments', [segments], ['ts', 'cmaf'])
  const outputs = resolveOutputs(plan.outputs ?? ['individual'])
  if (outputs.composites.length > 0 && formats.every((format) => format === 'webm')) {
    throw new ConfigurationError('formats', 'needs hls or mp4 for a composite, whose H264 and AAC WebM cannot hold')
  }
  const media = plan.media ?? 'both'
  oneOf('media', [media], ['both', 'audio', 'video'])
  const audioCodec = plan.audio?.codec ?? 'aac'
  oneOf('audio.codec', [audioCodec], ['aac', 'opus'])
  const sampleRate = plan.audio?.sampleRate ?? 48_000
  oneOf('audio.sampleRate', [sampleRate], [44_100, 48_000])
  const bitRate = plan.audio?.bitRate
  if (bitRate !== undefined && !(Number.isInteger(bitRate) && bitRate >= 8000 && bitRate <= 320_000)) {
    throw new ConfigurationError('audio.bitRate', 'must be an integer from 8,000 to 320,000 bit/s', bitRate)
  }
  const segmentDuration = plan.hls?.segmentDuration ?? 6
  if (!(segmentDuration >= 0.5 && segmentDuration <= 60)) {
    throw new ConfigurationError('hls.segmentDuration', 'must lie between 0.5 and 60 seconds', segmentDuration)
  }
  const { targetDuration } = plan.hls ?? {}
  if (targetDuration !== undefined && !(Number.isInteger(targetDuration) && targetDuration >= segmentDuration)) {
    throw new ConfigurationError(
      'hls.targetDuration',
      'must be whole seconds and no less than hls.segmentDuration',
      targetDuration,
    )
  }
  const playlistType = plan.hls?.playlistType ?? (sourceIsFinished ? 'vod' : 'event')
  oneOf('hls.playlistType', [playlistType], ['vod', 'event', 'live'])
  if (targetDuration !== undefined && playlistType === 'vod') {
    throw new ConfigurationError('hls.targetDuration', 'is computed for a vod playlist: leave it out', targetDuration)
  }
  oneOf('afterLoss', [plan.afterLoss ?? 'freeze'], ['freeze', 'continue'])
  const { fromUs, toUs } = plan
  for (const [field, value] of [
    ['fromUs', fromUs],
    ['toUs', toUs],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new ConfigurationError(field, 'must be whole microseconds, 0 or more', value)
    }
  }
  if (fromUs !== undefined && toUs !== undefined && toUs <= fromUs) {
    throw new ConfigurationError('toUs', `must lie after fromUs (${fromUs})`, toUs)
  }
  if (plan.participants?.length === 0)
    throw new ConfigurationError('participants', 'must name somebody, or be left out')
  const naming = plan.naming ?? template('{recordingId}/{participantId}')
  if (
    naming.elements.includes('endedAt') &&
    formats.includes('hls') &&
    !(sourceIsFinished && plan.parts === undefined)
  ) {
    const rule = 'must not use the end: HLS that grows, or is made in parts, has its name from the beginning'
    throw new ConfigurationError('naming', rule)
  }
  return {
    ...outputs,
    formats: new Set(formats),
    segments,
    participants: plan.participants === undefined ? undefined : new Set(plan.participants),
    audioCodec,
    sampleRate,
    bitRate,
    segmentDuration,
    targetDuration,
    playlistType,
    vodPlaylist: plan.hls?.vodPlaylist === true,
    kinds: new Set(media === 'both' ? ['audio', 'video'] : [media]),
    parts: resolveParts(plan.parts),
    startHold: resolveStartHold(plan.startHold ?? {}),
    afterLoss: plan.afterLoss ?? 'freeze',
    fromUs,
    toUs,
    naming,
  }
}

function resolveOutputs(outputs: readonly OutputKind[]): Pick<ResolvedPlan, 'individual' | 'composites'> {
  if (outputs.length === 0) throw new ConfigurationError('outputs', 'needs at least one of individual, composite')
  const composites: ResolvedComposite[] = []
  for (const [index, output] of outputs.entries()) {
    if (output === 'individual') continue
    if (output !== 'composite' && (typeof output !== 'object' || output?.composite === undefined)) {
      throw new ConfigurationError(
        `outputs[${index}]`,
        'must be individual, composite or { composite: settings }',
        output,
      )
    }
    const composite = resolveComposite(output === 'composite' ? {} : output.composite, `outputs[${index}].composite`)
    if (composites.some(({ name }) => name === composite.name)) {
      const rule = 'must differ from that of the other composites: they would write over each other'
      throw new ConfigurationError(`outputs[${index}].composite.name`, rule, composite.name)
    }
    composites.push(composite)
  }
  return { individual: outputs.includes('individual'), composites }
}

function resolveParts(parts: PartsPlan | undefined): ResolvedPlan['parts'] {
  if (parts === undefined) return undefined
  const { seconds, bytes } = parts
  if (seconds === undefined && bytes === undefined) {
    throw new ConfigurationError('parts', 'needs seconds or bytes')
  }
  if (seconds !== undefined && !(seconds >= 1 && Number.isFinite(seconds))) {
    throw new ConfigurationError('parts.seconds', 'must be 1 or more', seconds)
  }
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 65_536)) {
    throw new ConfigurationError('parts.bytes', 'must be an integer of 65,536 or more', bytes)
  }
  return { lengthUs: (seconds ?? Number.POSITIVE_INFINITY) * 1_000_000, bytes: bytes ?? Number.POSITIVE_INFINITY }
}

function resolveStartHold({ seconds = 5, bytes = 16_777_216 }: StartHoldPlan): ResolvedPlan['startHold'] {
  if (!(seconds >= 0 && seconds <= 60)) {
    throw new ConfigurationError('startHold.seconds', 'must lie between 0 and 60', seconds)
  }
  if (!(Number.isSafeInteger(bytes) && bytes >= 65_536)) {
    throw new ConfigurationError('startHold.bytes', 'must be an integer of 65,536 or more', bytes)
  }
  return { us: seconds * 1_000_000, bytes }
}

function oneOf<T>(field: string, values: readonly T[], allowed: readonly T[]): void {
  for (const value of values) {
    if (!allowed.includes(value)) throw new ConfigurationError(field, `must be one of ${allowed.join(', ')}`, value)
  }
}
