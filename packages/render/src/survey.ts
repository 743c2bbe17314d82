import type { SourceItem, Track } from '@rushes/media'
import { ticksToUs } from '@rushes/media'
import { type ClockState, createDepacketizer, SourceClocks } from '@rushes/rtp-depacketizer'
import { startedAtUs, type TakeItemsOptions, type TakeSource } from '@rushes/take'

/** What one track of a finished source holds. */
export interface TrackSurvey {
  readonly track: Track
  readonly participantId: string
  /** Access units or audio frames that can be written. */
  readonly units: number
  readonly keyframes: number
  /** Recording time of the first and of the end of the last, microseconds; undefined without any. */
  readonly startUs: number | undefined
  readonly endUs: number | undefined
  /** Pictures a second in the fastest stretch of some seconds, video only. */
  readonly frameRate: number | undefined
  /** Sizes in order of appearance, video only. */
  readonly sizes: readonly { readonly atUs: number; readonly width: number; readonly height: number }[]
  /** Stretches of more than half a second without a unit. */
  readonly gaps: readonly { readonly startUs: number; readonly endUs: number }[]
  /** The depacketizer's own counters. */
  readonly stats: object
}

/** What a first look over a finished source tells: every clock, and what there is to render. */
export interface Survey {
  /** By participant, each with the clocks of his or her own machine. Settled: they know every sender report. */
  readonly clocks: ReadonlyMap<string, SourceClocks>
  readonly tracks: readonly TrackSurvey[]
  readonly clockStates: readonly ClockState[]
}

/** A stretch longer than this without a unit counts as a gap. */
const GAP_SECONDS = 0.5
/** Gaps and sizes listed of one track; a track that has more is broken in other ways. */
const MAX_LISTED = 1000
/** Steps between pictures that a frame rate is made of: a minute or two, and of these the fastest five seconds or so. */
const MAX_STEPS = 4000
const STEPS_IN_STRETCH = 150

interface Seen {
  readonly track: Track
  readonly participantId: string
  units: number
  keyframes: number
  /** The first steps between pictures, in ticks. */
  readonly steps: number[]
  readonly epochs: { epoch: number; first: number; last: number; lastDuration: number }[]
  readonly sizes: { epoch: number; rtp: number; width: number; height: number }[]
  readonly gaps: { epoch: number; from: number; to: number }[]
}

/**
 * Reads a finished source once, keeping only counts and clocks. Memory does not grow with its length but for the sender
 * reports (bounded) and the lists named above.
 */
export async function survey(
  source: TakeSource,
  options: { readonly afterLoss: 'freeze' | 'continue' } & Pick<TakeItemsOptions, 'participants' | 'signal'>,
): Promise<Survey> {
  const clocks = new Map<string, SourceClocks>()
  const seen = new Map<string, Seen>()
  const stages = new Map<string, ReturnType<typeof createDepacketizer>>()
  const { afterLoss, ...reading } = options
  for await (const batch of source.items(reading)) {
    for (const item of batch) {
      if (item.type === 'track') {
        const { track, participantId } = item
        if (!clocks.has(participantId)) {
          clocks.set(participantId, new SourceClocks({ startedAtUs: startedAtUs(source.session) }))
        }
        seen.set(track.id, { track, participantId, units: 0, keyframes: 0, steps: [], epochs: [], sizes: [], gaps: [] })
        stages.set(track.id, createDepacketizer(track, { afterLoss }))
      } else if (item.type === 'packet') {
        stages.get(item.trackId)?.push(item, observe)
      }
    }
  }
  for (const stage of stages.values()) stage.flush(observe)
  for (const own of clocks.values()) own.settle()
  return {
    clocks,
    clockStates: [...clocks.values()].flatMap((own) => own.states()),
    tracks: [...seen.values()].map((track) =>
      summarise(track, clocks.get(track.participantId) as SourceClocks, stages.get(track.track.id)?.stats ?? {}),
    ),
  }

  function observe(unit: SourceItem): void {
    if (unit.type === 'track-end') return
    const track = seen.get(unit.trackId)
    if (track === undefined) return
    clocks.get(track.participantId)?.observe(unit)
    if (unit.type === 'sender-report') return
    track.units++
    if (unit.type === 'access-unit' && unit.keyframe) track.keyframes++
    const duration = unit.type === 'audio-frame' ? unit.duration : 0
    const current = track.epochs.at(-1)
    if (current === undefined || current.epoch !== unit.epoch) {
      track.epochs.push({
        epoch: unit.epoch,
        first: unit.rtpTimestamp,
        last: unit.rtpTimestamp,
        lastDuration: duration,
      })
    } else {
      const end = current.last + current.lastDuration
      if (unit.rtpTimestamp - end > GAP_SECONDS * unit.clockRate && track.gaps.length < MAX_LISTED) {
        track.gaps.push({ epoch: unit.epoch, from: end, to: unit.rtpTimestamp })
      }
      if (unit.type === 'access-unit' && unit.rtpTimestamp > current.last && track.steps.length < MAX_STEPS) {
        track.steps.push(unit.rtpTimestamp - current.last)
      }
      if (unit.rtpTimestamp >= current.last) {
        // A picture has no length of its own: that of the step before it, a hole aside.
        current.lastDuration =
          unit.type === 'access-unit' ? Math.min(unit.rtpTimestamp - current.last, unit.clockRate / 10) : duration
        current.last = unit.rtpTimestamp
      }
    }
    const { configuration } = unit
    if (configuration?.kind === 'video' && track.sizes.length < MAX_LISTED) {
      const { width, height } = configuration
      track.sizes.push({ epoch: unit.epoch, rtp: unit.rtpTimestamp, width, height })
    }
  }
}

function summarise(seen: Seen, clocks: SourceClocks, stats: object): TrackSurvey {
  const { track } = seen
  const at = (epoch: number, rtp: number): number =>
    ticksToUs(Math.round(clocks.toTicks(track.id, epoch, track.clockRate, rtp)), track.clockRate)
  const first = seen.epochs[0]
  const last = seen.epochs.at(-1)
  return {
    track,
    participantId: seen.participantId,
    units: seen.units,
    keyframes: seen.keyframes,
    startUs: first === undefined ? undefined : at(first.epoch, first.first),
    endUs: last === undefined ? undefined : at(last.epoch, last.last + last.lastDuration),
    frameRate: frameRateOf(seen.steps, track.clockRate),
    sizes: seen.sizes.map(({ epoch, rtp, width, height }) => ({ atUs: at(epoch, rtp), width, height })),
    gaps: seen.gaps.map(({ epoch, from, to }) => ({ startUs: at(epoch, from), endUs: at(epoch, to) })),
    stats,
  }
}

/** Of the fastest stretch of some seconds: cameras slow down in the dark, and screens are slow (RFC 8216 §4.3.4.2 asks for the maximum). */
function frameRateOf(steps: readonly number[], clockRate: number): number | undefined {
  if (steps.length === 0) return undefined
  const window = Math.min(steps.length, STEPS_IN_STRETCH)
  let sum = 0
  let least = Number.POSITIVE_INFINITY
  for (const [index, step] of steps.entries()) {
    sum += step - (index >= window ? (steps[index - window] as number) : 0)
    if (index >= window - 1) least = Math.min(least, sum)
  }
  return Math.round(((clockRate * window) / least) * 1000) / 1000
}
