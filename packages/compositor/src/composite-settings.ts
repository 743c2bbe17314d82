import type { H264Preset } from '@rushes/codecs'
import { ConfigurationError } from '@rushes/media'
import type { CanvasSize } from './layout/canvas-length.js'
import type { Layout } from './layout/layout.js'
import { parseLayout } from './layout/parse-layout.js'
import type { Fit } from './layout/tile.js'
import { checkOverlays, type FontSettings, type Overlay, type PlaceholderSettings } from './picture/painter-settings.js'
import {
  type PosterSettings,
  type ResolvedPoster,
  type ResolvedThumbnails,
  resolvePoster,
  resolveThumbnails,
  type ThumbnailSettings,
} from './stills/still-settings.js'

/** A composite recording: everyone in one picture and one sound. All of it has defaults; JSON values only. */
export interface CompositeSettings {
  /** The name of a layout with its defaults, or a layout. @defaultValue 'grid' */
  readonly layout?: string | Layout
  /**
   * Changes of the layout, in order of time. Without them those count that were made while it was recorded; `[]` is one
   * layout from the beginning to the end.
   */
  readonly changes?: readonly CompositeLayoutChange[]
  /** `1280x720`, or the same as numbers: even, 64 to 4096. @defaultValue '1280x720' */
  readonly size?: string | CanvasSize
  /** Pictures a second, an integer from 1 to 60. @defaultValue 30 */
  readonly fps?: number
  /** Tells several composites of one recording apart; stands in their names where the participant's would. */
  readonly name?: string
  /** Milliseconds in which tiles move to where another layout has them, 0 to 2000. @defaultValue 300 */
  readonly transitionMs?: number
  /** How long the last picture of a camera that stalls is shown, in seconds, 0.1 to 60. @defaultValue 1.5 */
  readonly holdSeconds?: number
  readonly video?: CompositeVideo
  readonly audio?: CompositeAudio
  /** Drawn over everything, in this order. @defaultValue none */
  readonly overlays?: readonly Overlay[]
  /** An image behind all tiles. @defaultValue the layout's colour */
  readonly background?: BackgroundImage
  /** Which fonts write names. @defaultValue those of the machine */
  readonly fonts?: FontSettings
  /** What stands for a camera that is off. @defaultValue initials */
  readonly placeholder?: PlaceholderSettings
  /** Live: how far behind the call the picture is made, in seconds, 0.5 to 30: what retransmissions have time for. @defaultValue 2 */
  readonly lagSeconds?: number
  /** One picture of it as JPEG, `poster.jpg`. @defaultValue false */
  readonly poster?: boolean | PosterSettings
  /** Small pictures of it on sheets, `thumbnails-1.jpg` and so on, with `thumbnails.vtt` for players. @defaultValue false */
  readonly thumbnails?: boolean | ThumbnailSettings
}

/** Another layout from some time on. */
export interface CompositeLayoutChange {
  /** Microseconds of recording time. */
  readonly atUs: number
  readonly layout: string | Layout
  /** 0 to 2000. @defaultValue that of the settings */
  readonly transitionMs?: number
}

/** An image that fills the canvas. */
export interface BackgroundImage {
  /** Path of the file. */
  readonly image: string
  /** @defaultValue 'cover' */
  readonly fit?: Fit
}

/** How the picture is encoded. */
export interface CompositeVideo {
  /** Speed of x264 against quality. @defaultValue 'veryfast' */
  readonly preset?: H264Preset
  /** Constant rate factor, 0 (best) to 51; not together with `bitRate`. @defaultValue 23 */
  readonly crf?: number
  /** Bits per second, 10,000 to 100,000,000. */
  readonly bitRate?: number
  /** @defaultValue 'high' */
  readonly profile?: 'baseline' | 'main' | 'high'
  /**
   * The same picture in smaller sizes beside it, 1 to 4, for viewers with less bandwidth: HLS has all of them, files have
   * only the picture itself. @defaultValue none
   */
  readonly renditions?: readonly CompositeRendition[]
}

/** The picture once more, smaller. */
export interface CompositeRendition {
  /** As of the canvas, smaller, and of its shape. */
  readonly size: string | CanvasSize
  /** As of the picture itself. @defaultValue that of the picture, or 23 where it has a bit rate */
  readonly crf?: number
  /** As of the picture itself. */
  readonly bitRate?: number
}

/** How the sound is mixed. */
export interface CompositeAudio {
  /** @defaultValue 2 */
  readonly channels?: 1 | 2
  /** Bits per second, 8,000 to 320,000. @defaultValue 64,000 a channel */
  readonly bitRate?: number
  /** Brings quiet and loud speakers nearer to each other. @defaultValue false */
  readonly levelling?: boolean
  /** Decibels for participants by id, -60 to 24. */
  readonly gains?: Readonly<Record<string, number>>
  /** Participants who are not to be heard. */
  readonly muted?: readonly string[]
  /** Participants who alone are to be heard. */
  readonly solo?: readonly string[]
}

/** How one size of the picture is encoded, with everything decided. */
export interface ResolvedEncoding {
  readonly size: CanvasSize
  readonly preset: H264Preset
  /** Undefined where there is a bit rate. */
  readonly crf: number | undefined
  readonly bitRate: number | undefined
  readonly profile: 'baseline' | 'main' | 'high'
}

/** Settings with everything decided. */
export interface ResolvedComposite {
  readonly layout: Layout
  readonly changes: readonly (CompositeLayoutChange & { readonly layout: Layout })[] | undefined
  readonly canvas: CanvasSize
  readonly fps: number
  readonly name: string | undefined
  readonly transitionMs: number
  readonly holdUs: number
  readonly video: Omit<ResolvedEncoding, 'size'> & {
    /** The largest first. */
    readonly renditions: readonly ResolvedEncoding[]
  }
  readonly audio: {
    readonly channels: 1 | 2
    readonly bitRate: number
    readonly levelling: boolean
    readonly gains: Readonly<Record<string, number>>
    readonly muted: readonly string[]
    readonly solo: readonly string[]
  }
  readonly overlays: readonly Overlay[]
  readonly background: BackgroundImage | undefined
  readonly fonts: FontSettings | undefined
  readonly placeholder: PlaceholderSettings
  readonly lagUs: number
  readonly poster: ResolvedPoster | undefined
  readonly thumbnails: ResolvedThumbnails | undefined
}

const DEFAULT_CRF = 23
/** Sides are even: 854x480 is 16:9, but for a pixel. */
const MAX_STRETCH = 0.03

const PRESETS: readonly string[] = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium']

/**
 * Checks settings and fills in their defaults. `field` stands before the names in errors.
 * @throws ConfigurationError naming the field; CompositorError `LAYOUT_INVALID`
 */
export function resolveComposite(settings: CompositeSettings, field: string): ResolvedComposite {
  const { video = {}, audio = {}, name, layout = 'grid', overlays = [], placeholder = {} } = settings
  const number = (key: string, value: number | undefined, range: readonly [number, number], whole = false): void => {
    if (value === undefined || (value >= range[0] && value <= range[1] && (!whole || Number.isInteger(value)))) return
    const kind = whole ? 'an integer' : 'a number'
    throw new ConfigurationError(`${field}.${key}`, `must be ${kind} from ${range[0]} to ${range[1]}`, value)
  }
  const oneOf = (key: string, value: unknown, allowed: readonly unknown[]): void => {
    if (value !== undefined && !allowed.includes(value)) {
      throw new ConfigurationError(`${field}.${key}`, `must be one of ${allowed.join(', ')}`, value)
    }
  }
  if (name !== undefined && !/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(name)) {
    const rule = 'must be 1 to 64 letters, digits, spaces, dots, underscores and hyphens, the first a letter or digit'
    throw new ConfigurationError(`${field}.name`, rule, name)
  }
  number('fps', settings.fps, [1, 60], true)
  number('transitionMs', settings.transitionMs, [0, 2000])
  number('holdSeconds', settings.holdSeconds, [0.1, 60])
  number('lagSeconds', settings.lagSeconds, [0.5, 30])
  oneOf('video.preset', video.preset, PRESETS)
  oneOf('video.profile', video.profile, ['baseline', 'main', 'high'])
  const rate = (key: string, { crf, bitRate }: Pick<CompositeVideo, 'crf' | 'bitRate'>): void => {
    number(`${key}.crf`, crf, [0, 51])
    number(`${key}.bitRate`, bitRate, [10_000, 100_000_000], true)
    if (crf !== undefined && bitRate !== undefined) {
      throw new ConfigurationError(`${field}.${key}.crf`, 'cannot be given together with bitRate', crf)
    }
  }
  rate('video', video)
  const { renditions = [] } = video
  if (video.renditions !== undefined && !(renditions.length >= 1 && renditions.length <= 4)) {
    throw new ConfigurationError(`${field}.video.renditions`, 'must be 1 to 4, or be left out', renditions.length)
  }
  for (const [index, rendition] of renditions.entries()) {
    if (typeof rendition !== 'object' || rendition === null) {
      throw new ConfigurationError(`${field}.video.renditions[${index}]`, 'must be an object with a size', rendition)
    }
    rate(`video.renditions[${index}]`, rendition)
  }
  oneOf('audio.channels', audio.channels, [1, 2])
  number('audio.bitRate', audio.bitRate, [8000, 320_000], true)
  oneOf('audio.levelling', audio.levelling, [true, false])
  for (const [id, gain] of Object.entries(audio.gains ?? {})) number(`audio.gains.${id}`, gain, [-60, 24])
  checkOverlays(overlays, `${field}.overlays`)
  if (settings.background !== undefined && typeof settings.background?.image !== 'string') {
    throw new ConfigurationError(`${field}.background.image`, 'must be the path of an image', settings.background)
  }
  oneOf('background.fit', settings.background?.fit, ['contain', 'cover', 'stretch'])
  if (settings.fonts?.files !== undefined && !Array.isArray(settings.fonts.files)) {
    throw new ConfigurationError(`${field}.fonts.files`, 'must be a list of paths', settings.fonts.files)
  }
  const changes = settings.changes?.map((change, index) => {
    number(`changes[${index}].atUs`, change.atUs, [0, Number.MAX_SAFE_INTEGER], true)
    number(`changes[${index}].transitionMs`, change.transitionMs, [0, 2000])
    return { ...change, layout: parseLayout(change.layout) }
  })
  const { channels = 2 } = audio
  const canvas = canvasOf(settings.size ?? '1280x720', `${field}.size`)
  const encoding = {
    preset: video.preset ?? 'veryfast',
    crf: video.bitRate === undefined ? (video.crf ?? DEFAULT_CRF) : undefined,
    bitRate: video.bitRate,
    profile: video.profile ?? 'high',
  } as const
  return {
    layout: parseLayout(layout),
    changes,
    canvas,
    fps: settings.fps ?? 30,
    name,
    transitionMs: settings.transitionMs ?? 300,
    holdUs: Math.round((settings.holdSeconds ?? 1.5) * 1_000_000),
    video: {
      ...encoding,
      renditions: renditions
        .map(({ size, crf, bitRate }, index) => ({
          ...encoding,
          size: renditionSize(size, canvas, `${field}.video.renditions[${index}].size`),
          crf: bitRate === undefined ? (crf ?? encoding.crf ?? DEFAULT_CRF) : undefined,
          bitRate,
        }))
        .sort((a, b) => b.size.width - a.size.width),
    },
    audio: {
      channels,
      bitRate: audio.bitRate ?? 64_000 * channels,
      levelling: audio.levelling ?? false,
      gains: audio.gains ?? {},
      muted: audio.muted ?? [],
      solo: audio.solo ?? [],
    },
    overlays,
    background: settings.background,
    fonts: settings.fonts,
    placeholder,
    lagUs: Math.round((settings.lagSeconds ?? 2) * 1_000_000),
    poster: resolvePoster(settings.poster, canvas, `${field}.poster`),
    thumbnails: resolveThumbnails(settings.thumbnails, canvas, `${field}.thumbnails`),
  }
}

/** @throws ConfigurationError where it is no smaller form of the canvas */
function renditionSize(size: string | CanvasSize, canvas: CanvasSize, field: string): CanvasSize {
  const own = canvasOf(size, field)
  if (!(own.width < canvas.width && own.height < canvas.height)) {
    throw new ConfigurationError(field, `must be smaller than ${canvas.width}x${canvas.height}`, size)
  }
  const shape = (own.width / own.height) * (canvas.height / canvas.width)
  if (Math.abs(shape - 1) > MAX_STRETCH) {
    throw new ConfigurationError(field, `must have the shape of ${canvas.width}x${canvas.height}`, size)
  }
  return own
}

function canvasOf(size: string | CanvasSize, field: string): CanvasSize {
  const match = typeof size === 'string' ? /^(\d{2,4})x(\d{2,4})$/.exec(size) : undefined
  const { width, height } =
    typeof size === 'object' && size !== null ? size : { width: Number(match?.[1]), height: Number(match?.[2]) }
  for (const side of [width, height]) {
    if (!(Number.isInteger(side) && side % 2 === 0 && side >= 64 && side <= 4096)) {
      throw new ConfigurationError(field, 'must be two even numbers from 64 to 4096, like 1280x720', size)
    }
  }
  return { width, height }
}
