/** Silence where an Opus track sends nothing, for players that cannot play on across a hole in one track. */

import {
  type AudioConfiguration,
  ConfigurationError,
  type Emit,
  type EncodedSample,
  type Stage,
  type TimedItem,
  type Track,
  ticksToUs,
  timescaleOf,
  usToTicks,
} from '@rushes/media'

/** Counters of an {@link OpusGapFiller}. */
export interface OpusGapFillerStats {
  /** Packets of silence emitted. */
  readonly filled: number
  /** Packets dropped because silence stands in their place already: they came late. */
  readonly late: number
}

/** 20 ms of digital silence, mono: CELT, fullband (RFC 6716 §3.1). It decodes in stereo streams as well. */
const SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe)
const FRAME_US = 20_000
/** A longer hole stays one: nobody listens to it, and a clock that jumps must not keep the process busy. */
const LONGEST_HOLE_US = 600_000_000

interface Lane {
  readonly track: Track
  readonly timescale: number
  readonly frameTicks: number
  /** Where the next packet is due, ticks. */
  next: number | undefined
  /** Where the silence written last ends, ticks. */
  filledUntil: number
  /** Channels that have been announced; 0 before. */
  channels: number
}

/**
 * Takes interleaved items and gives them on, with packets of silence where an Opus track has none: from the first sample
 * of any track on, through mutes and DTX, and after its end, as long as time goes on. Sound then runs through, so that a
 * player with one buffer for all tracks never waits for it. Packets themselves stay as they are. Other codecs and other
 * items pass through. Holds nothing: silence comes out when it is certain, so up to 20 ms behind the other tracks.
 */
export class OpusGapFiller implements Stage<TimedItem, TimedItem> {
  readonly #timescales = new Map<string, number>()
  #isBegun = false
  readonly #lanes = new Map<string, Lane>()
  #stats = { filled: 0, late: 0 }

  constructor(tracks: readonly Track[]) {
    for (const track of tracks) this.addTrack(track)
  }

  /** Adds a track that starts late: its silence starts with the next item. Throws `ConfigurationError`. */
  addTrack(track: Track): void {
    if (this.#timescales.has(track.id)) throw new ConfigurationError('track.id', 'must be unique', track.id)
    const timescale = timescaleOf(track)
    this.#timescales.set(track.id, timescale)
    if (track.codec !== 'opus') return
    const frameTicks = usToTicks(FRAME_US, timescale)
    this.#lanes.set(track.id, {
      track,
      timescale,
      frameTicks,
      next: undefined,
      filledUntil: Number.NEGATIVE_INFINITY,
      channels: 0,
    })
  }

  get stats(): OpusGapFillerStats {
    return { ...this.#stats }
  }

  push(item: TimedItem, emit: Emit<TimedItem>): void {
    const timescale = this.#timescales.get(item.trackId)
    if (item.type === 'track-end' || timescale === undefined) {
      emit(item)
      return
    }
    this.#isBegun ||= item.type === 'sample'
    if (this.#isBegun) this.#fillUntil(ticksToUs(item.dts, timescale), emit)
    const lane = this.#lanes.get(item.trackId)
    if (item.type === 'sample' && lane !== undefined) this.#onPacket(lane, item, emit)
    else emit(item)
  }

  flush(): void {}

  #onPacket(lane: Lane, sample: EncodedSample, emit: Emit<TimedItem>): void {
    if (sample.dts < lane.filledUntil) {
      this.#stats.late++
      return
    }
    lane.next = sample.dts + (sample.duration ?? lane.frameTicks)
    const { configuration } = sample
    if (configuration?.kind !== 'audio') {
      emit(sample)
      return
    }
    // Every Opus decoder takes every Opus packet: only more channels than were announced are worth a new configuration.
    if (configuration.channels > lane.channels) {
      lane.channels = configuration.channels
      emit(sample)
      return
    }
    const { configuration: _, ...known } = sample
    emit(known)
  }

  /** Nothing before `us` follows on any track: what has not come by then is silence. Earliest first. */
  #fillUntil(us: number, emit: Emit<TimedItem>): void {
    for (const lane of this.#lanes.values()) {
      lane.next ??= usToTicks(us, lane.timescale)
      if (us - ticksToUs(lane.next, lane.timescale) > LONGEST_HOLE_US) lane.next = usToTicks(us, lane.timescale)
    }
    for (let lane = this.#mostBehind(us); lane !== undefined; lane = this.#mostBehind(us)) this.#emitSilence(lane, emit)
  }

  #mostBehind(us: number): Lane | undefined {
    let found: Lane | undefined
    let foundUs = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) {
      const nextUs = ticksToUs(lane.next ?? 0, lane.timescale)
      if (nextUs + FRAME_US > us || nextUs >= foundUs) continue
      found = lane
      foundUs = nextUs
    }
    return found
  }

  #emitSilence(lane: Lane, emit: Emit<TimedItem>): void {
    const { track, frameTicks } = lane
    const dts = lane.next ?? 0
    lane.next = dts + frameTicks
    lane.filledUntil = lane.next
    this.#stats.filled++
    const isFirst = lane.channels === 0
    if (isFirst) lane.channels = (track.kind === 'audio' ? track.channels : undefined) ?? 2
    emit({
      type: 'sample',
      trackId: track.id,
      data: SILENCE.slice(),
      pts: dts,
      dts,
      duration: frameTicks,
      keyframe: true,
      ...(isFirst ? { configuration: opusConfiguration(lane.channels) } : {}),
    })
  }
}

function opusConfiguration(channels: number): AudioConfiguration {
  return { kind: 'audio', codec: 'opus', codecString: 'opus', sampleRate: 48_000, channels }
}
