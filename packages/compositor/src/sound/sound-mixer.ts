import type { PositionedPcmSink } from '@rushes/codecs'
import { ConfigurationError } from '@rushes/media'
import { levelOfPower } from './decibels.js'
import { Leveller, type Levelling } from './leveller.js'
import { Limiter } from './limiter.js'
import { type MixControl, MixControls } from './mix-controls.js'
import { checkSoundMixerOptions, type LevelListener, type SoundMixerOptions } from './sound-mixer-options.js'
import { type SoundBlock, SourceBuffer } from './source-buffer.js'

/** Blocks of the mix are 20 ms long and lie on a grid that starts at position zero. */
const BLOCKS_PER_SECOND = 50
const BLOCK_US = 1_000_000 / BLOCKS_PER_SECOND
/** A change of gain takes 10 ms: no click, and no syllable is lost. */
const RAMPS_PER_SECOND = 100

/** Counters since the start. Samples are per channel. */
export interface SoundMixerStats {
  /** Samples that came for a time that had been mixed. */
  readonly lateSamples: number
  /** Samples that were given up because their source went on more than 10 s ahead of the mix. */
  readonly overflowSamples: number
  /** Samples that the limiter made quieter, and by how much at most. */
  readonly limitedSamples: number
  readonly maxReductionDb: number
}

interface Participant {
  readonly id: string
  sources: number
  readonly leveller: Leveller | undefined
  /** Mean square of the block. */
  power: number
}

interface Source {
  readonly id: string
  readonly participant: Participant
  readonly buffer: SourceBuffer
  removed: boolean
  block: SoundBlock | undefined
}

/**
 * Many sounds in, each at its own place, one sound out: sample-accurate, and the same to the bit in whatever order and
 * pieces they are written. What nobody writes is silence. Memory is at most 10 s of what every source has written, and
 * silence takes none. Participants are remembered, with what was set for them, for as long as the mixer lives.
 */
export class SoundMixer {
  readonly #channels: number
  readonly #blockSamples: number
  readonly #levelling: Levelling | undefined
  readonly #onLevel: LevelListener | undefined
  readonly #limiter: Limiter
  readonly #controls: MixControls
  readonly #participants = new Map<string, Participant>()
  /** In the order of participants' ids. */
  #present: readonly Participant[] = []
  /** In the order of their ids, so that sums are the same whoever came first. */
  readonly #sources: Source[] = []
  readonly #writable = new Map<string, Source>()
  readonly #mix: readonly Float32Array[]
  /** The block that is mixed next. */
  #next: number
  /** Where the sample that is given out next lies, and where the sound ends. */
  #position: number
  #end = Number.POSITIVE_INFINITY
  /** Of sources that are gone, and of what was written to none. */
  #lateSamples = 0
  #overflowSamples = 0

  constructor(options: SoundMixerOptions = {}) {
    checkSoundMixerOptions(options)
    const { sampleRate = 48_000, channels = 2, ceilingDb = -1, levelling = false, onLevel, position = 0 } = options
    this.#channels = channels
    this.#blockSamples = sampleRate / BLOCKS_PER_SECOND
    this.#levelling = levelling === false ? undefined : levelling === true ? {} : levelling
    this.#onLevel = onLevel
    this.#limiter = new Limiter(sampleRate, channels, this.#blockSamples, ceilingDb)
    this.#controls = new MixControls(sampleRate / RAMPS_PER_SECOND, this.#blockSamples)
    this.#mix = Array.from({ length: channels }, () => new Float32Array(this.#blockSamples))
    this.#next = Math.floor(position / this.#blockSamples)
    this.#position = position
  }

  get stats(): SoundMixerStats {
    let lateSamples = this.#lateSamples
    let overflowSamples = this.#overflowSamples
    for (const { buffer } of this.#sources) {
      lateSamples += buffer.lateSamples
      overflowSamples += buffer.overflowSamples
    }
    const { limitedSamples, minGain } = this.#limiter
    return {
      lateSamples,
      overflowSamples,
      limitedSamples,
      maxReductionDb: minGain === 1 ? 0 : -20 * Math.log10(minGain),
    }
  }

  /** Position up to which all has been mixed: what is written before it comes too late. */
  get mixedTo(): number {
    return this.#next * this.#blockSamples
  }

  /** @throws ConfigurationError where the id is taken */
  addSource(id: string, participantId: string): void {
    if (this.#writable.has(id)) throw new ConfigurationError('id', 'must not be that of another source', id)
    let participant = this.#participants.get(participantId)
    if (participant === undefined) {
      const leveller = this.#levelling === undefined ? undefined : new Leveller(this.#levelling)
      participant = { id: participantId, sources: 0, leveller, power: 0 }
      this.#participants.set(participantId, participant)
    }
    participant.sources++
    const buffer = new SourceBuffer(this.#blockSamples, this.#next)
    const source: Source = { id, participant, buffer, removed: false, block: undefined }
    this.#writable.set(id, source)
    let index = this.#sources.length
    while (index > 0 && this.#sources[index - 1]!.id > id) index--
    this.#sources.splice(index, 0, source)
    this.#findPresent()
  }

  /** Nothing more will be written to it; what has been is still mixed. */
  removeSource(id: string): void {
    const source = this.#writable.get(id)
    if (source === undefined) return
    source.removed = true
    this.#writable.delete(id)
    this.#forgetEmpty()
  }

  /**
   * Writes one or two planes (nominally -1 to 1, always as many for one source) from `position` on. A single one goes to
   * both channels. The planes are read before it returns.
   */
  write(id: string, planes: readonly Float32Array[], samples: number, position: number): void {
    const source = this.#writable.get(id)
    if (source === undefined) this.#lateSamples += samples
    else source.buffer.write(planes, samples, position)
  }

  /** `db`: -Infinity to 24. From `position` on, or from what is mixed next. */
  setGain(participantId: string, db: number, position: number = this.mixedTo): void {
    if (!(db <= 24)) throw new ConfigurationError('db', 'must be at most 24', db)
    this.#set(participantId, { type: 'gain', db }, position)
  }

  setMuted(participantId: string, muted: boolean, position: number = this.mixedTo): void {
    this.#set(participantId, { type: 'muted', on: muted }, position)
  }

  /** While there is anybody solo, all others are silent. */
  setSolo(participantId: string, solo: boolean, position: number = this.mixedTo): void {
    this.#set(participantId, { type: 'solo', on: solo }, position)
  }

  /** Mixes all whole blocks of 20 ms before `position`. What is given out ends 5 ms earlier. */
  mixTo(position: number, sink: PositionedPcmSink): void {
    while (this.mixedTo + this.#blockSamples <= position) this.#mixBlock(sink)
  }

  /** Mixes what is left, so that the sound ends at `position`. */
  flush(position: number, sink: PositionedPcmSink): void {
    this.#end = position
    while (this.#position < position) this.#mixBlock(sink)
  }

  #set(participantId: string, control: MixControl, position: number): void {
    this.#controls.set(participantId, control, Math.max(this.mixedTo, Math.round(position)))
  }

  #mixBlock(sink: PositionedPcmSink): void {
    const start = this.mixedTo
    this.#controls.begin(start)
    const isHeard = this.#takeBlocks()
    if (this.#onLevel !== undefined) {
      // A block is 20 ms whatever the rate.
      const atUs = this.#next * BLOCK_US
      for (const { id, power } of this.#present) this.#onLevel(id, atUs, levelOfPower(power))
    }
    const isSound = isHeard && this.#sum()
    this.#next++
    const out = this.#limiter.process(isSound ? this.#mix : undefined)
    this.#give(out, start - this.#limiter.delay, sink)
    if (isHeard) this.#forgetEmpty()
  }

  /** Takes every source's block and measures it; false where there is no sound at all. */
  #takeBlocks(): boolean {
    let isHeard = false
    for (const participant of this.#present) participant.power = 0
    for (const source of this.#sources) {
      source.block = source.buffer.take(this.#next)
      if (source.block === undefined) continue
      isHeard = true
      if (this.#onLevel !== undefined || this.#levelling !== undefined) {
        source.participant.power += meanSquare(source.block)
      }
    }
    if (this.#levelling !== undefined) for (const { leveller, power } of this.#present) leveller?.next(power)
    return isHeard
  }

  /** Adds up what is to be heard; false where that is nothing. */
  #sum(): boolean {
    let isSound = false
    for (const { block, participant } of this.#sources) {
      if (block === undefined) continue
      const gain = this.#controls.gainOf(participant.id)
      if (gain === 0) continue
      if (!isSound) for (const plane of this.#mix) plane.fill(0)
      isSound = true
      const { from, to } = participant.leveller ?? UNCHANGED
      for (let channel = 0; channel < this.#channels; channel++) {
        const plane = this.#mix[channel]!
        if (this.#channels === 1 && block.length === 2) {
          addPlane(plane, block[0]!, gain, from / 2, to / 2)
          addPlane(plane, block[1]!, gain, from / 2, to / 2)
        } else addPlane(plane, block[Math.min(channel, block.length - 1)]!, gain, from, to)
      }
    }
    return isSound
  }

  #give(planes: readonly Float32Array[], start: number, sink: PositionedPcmSink): void {
    const from = Math.max(start, this.#position)
    const to = Math.min(start + this.#blockSamples, this.#end)
    if (to <= from) return
    this.#position = to
    const skip = from - start
    sink(skip === 0 ? planes : planes.map((plane) => plane.subarray(skip)), to - from, from)
  }

  #forgetEmpty(): void {
    let kept = 0
    for (const source of this.#sources) {
      if (!source.removed || !source.buffer.isEmpty) {
        this.#sources[kept++] = source
        continue
      }
      source.participant.sources--
      this.#lateSamples += source.buffer.lateSamples
      this.#overflowSamples += source.buffer.overflowSamples
    }
    if (kept === this.#sources.length) return
    this.#sources.length = kept
    this.#findPresent()
  }

  #findPresent(): void {
    this.#present = [...this.#participants.values()]
      .filter(({ sources }) => sources > 0)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

const UNCHANGED = { from: 1, to: 1 } as const

/** Mean square over all channels. */
function meanSquare(block: SoundBlock): number {
  let sum = 0
  let count = 0
  for (const plane of block) {
    count += plane.length
    for (let index = 0; index < plane.length; index++) sum += plane[index]! * plane[index]!
  }
  return sum / count
}

/** Adds a plane with the gain of the controls, and a second one that moves from `from` to `to` over the block. */
function addPlane(sum: Float32Array, plane: Float32Array, gain: number | Float64Array, from: number, to: number): void {
  const length = sum.length
  if (typeof gain === 'number' && from === to) {
    const factor = gain * from
    if (factor === 1) for (let index = 0; index < length; index++) sum[index]! += plane[index]!
    else for (let index = 0; index < length; index++) sum[index]! += plane[index]! * factor
    return
  }
  const step = (to - from) / length
  for (let index = 0; index < length; index++) {
    const factor = typeof gain === 'number' ? gain : gain[index]!
    sum[index]! += plane[index]! * factor * (from + step * (index + 1))
  }
}
