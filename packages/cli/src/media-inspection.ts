import type { Finding } from '@rushes/testkit'

/** What a playlist or a media file holds, as `rushes inspect --json` writes it. Times are microseconds of its own clock. */
export interface MediaInspection {
  readonly kind: 'hls' | 'transport-stream' | 'mp4'
  readonly path: string
  /** Of the file, or of all segments. */
  readonly bytes: number
  /** From the first presentation to the end of the last. */
  readonly durationUs: number
  /** Start of sound less start of pictures; absent where one is missing. */
  readonly audioOffsetUs?: number
  readonly streams: readonly StreamInspection[]
  readonly playlist?: PlaylistInspection
  /** Rules of the standards that are broken. */
  readonly findings: readonly Finding[]
}

/** One elementary stream, or one track. */
export interface StreamInspection {
  /** `pid 0x100`, `track 1`. */
  readonly id: string
  readonly kind: 'video' | 'audio' | 'other'
  /** RFC 6381, where it is known. */
  readonly codec?: string
  /** Access units or audio frames. */
  readonly units: number
  readonly keyframes?: number
  readonly bytes: number
  readonly startUs?: number
  readonly endUs?: number
  /** Of pictures, in order of appearance. */
  readonly sizes?: readonly { readonly atUs: number; readonly width: number; readonly height: number }[]
  readonly sampleRate?: number
  readonly channels?: number
  /** Stretches of more than half a second without a picture, or of more than two frames without sound. */
  readonly gaps: readonly { readonly startUs: number; readonly endUs: number }[]
}

/** What a media playlist says of itself. */
export interface PlaylistInspection {
  readonly segments: number
  readonly targetDurationS: number
  readonly longestSegmentS: number
  readonly discontinuities: number
  readonly type?: string
  /** EXT-X-PROGRAM-DATE-TIME of the first segment. */
  readonly startsAt?: string
  /** No segment will be added. */
  readonly ended: boolean
}

/** A unit of a stream as all containers have it. Times in microseconds. */
export interface TimedUnit {
  readonly ptsUs: number
  readonly bytes: number
  readonly durationUs?: number
  readonly keyframe?: boolean
  readonly width?: number
  readonly height?: number
}

const PICTURE_GAP_US = 500_000
/** Gaps and sizes listed of one stream. */
const MAX_LISTED = 1000

/** Facts of a stream from its units in decoding order. */
export function describeUnits(
  units: readonly TimedUnit[],
  kind: 'video' | 'audio',
): Pick<StreamInspection, 'units' | 'keyframes' | 'bytes' | 'startUs' | 'endUs' | 'sizes' | 'gaps'> {
  const timed = units.filter(({ ptsUs }) => Number.isFinite(ptsUs)).sort((a, b) => a.ptsUs - b.ptsUs)
  const gaps: { startUs: number; endUs: number }[] = []
  let endUs = timed[0]?.ptsUs ?? 0
  let step = 0
  for (const [index, unit] of timed.entries()) {
    const tolerance = kind === 'video' ? PICTURE_GAP_US : 2 * (unit.durationUs ?? step)
    if (index > 0 && unit.ptsUs - endUs > tolerance && gaps.length < MAX_LISTED) {
      gaps.push({ startUs: Math.round(endUs), endUs: Math.round(unit.ptsUs) })
    } else if (index > 0) step = unit.ptsUs - (timed[index - 1]?.ptsUs ?? unit.ptsUs)
    endUs = unit.ptsUs + (unit.durationUs ?? Math.min(step, 100_000))
  }
  const first = timed[0]
  return {
    units: units.length,
    bytes: units.reduce((sum, unit) => sum + unit.bytes, 0),
    ...(kind === 'video' ? { keyframes: units.filter(({ keyframe }) => keyframe === true).length } : {}),
    ...(first === undefined ? {} : { startUs: Math.round(first.ptsUs), endUs: Math.round(endUs) }),
    ...(kind === 'video' ? { sizes: sizesOf(timed) } : {}),
    gaps,
  }
}

function sizesOf(units: readonly TimedUnit[]): NonNullable<StreamInspection['sizes']> {
  const sizes: { atUs: number; width: number; height: number }[] = []
  for (const { ptsUs, width, height } of units) {
    if (width === undefined || height === undefined || sizes.length === MAX_LISTED) continue
    const last = sizes.at(-1)
    if (last?.width !== width || last.height !== height) sizes.push({ atUs: Math.round(ptsUs), width, height })
  }
  return sizes
}

/** Length and sync of all streams together. */
export function describeSync(
  streams: readonly StreamInspection[],
): Pick<MediaInspection, 'durationUs' | 'audioOffsetUs'> {
  const starts = streams.flatMap(({ startUs }) => startUs ?? [])
  const ends = streams.flatMap(({ endUs }) => endUs ?? [])
  const startOf = (kind: StreamInspection['kind']): number | undefined =>
    streams.find((stream) => stream.kind === kind && stream.startUs !== undefined)?.startUs
  const video = startOf('video')
  const audio = startOf('audio')
  return {
    durationUs: starts.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts),
    ...(video === undefined || audio === undefined ? {} : { audioOffsetUs: audio - video }),
  }
}
