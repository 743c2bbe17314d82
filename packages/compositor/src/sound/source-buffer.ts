/** Sound of one block: one plane per channel. */
export type SoundBlock = readonly Float32Array[]

/** How far ahead of the mix a source may write, in seconds: enough for tracks that come in turns, 4 MB a stereo source. */
const MAX_AHEAD_SECONDS = 10
/** Blocks of 20 ms. */
const CAPACITY = MAX_AHEAD_SECONDS * 50

/**
 * What one source has written and the mix has not yet reached: blocks of 20 ms on a grid that starts at position zero.
 * Silence takes no block, since most of a conference is silence.
 */
export class SourceBuffer {
  readonly #blockSamples: number
  readonly #ring: (SoundBlock | undefined)[] = new Array(CAPACITY).fill(undefined)
  /** Mixed blocks whose memory can be used again: few, since one is freed for each that is taken. */
  readonly #free: SoundBlock[] = []
  #channels: number | undefined
  /** The first block that has not been mixed. */
  #next: number
  /** After the last block that holds sound. */
  #end: number
  /** Samples per channel that came too late. */
  lateSamples = 0
  /** Samples per channel that were given up because others came too far ahead of the mix. */
  overflowSamples = 0

  /** @param next number of the first block that will be taken */
  constructor(blockSamples: number, next: number) {
    this.#blockSamples = blockSamples
    this.#next = next
    this.#end = next
  }

  /** Nothing is left. */
  get isEmpty(): boolean {
    return this.#end <= this.#next
  }

  /** Throws a RangeError where the number of channels changes. */
  write(planes: readonly Float32Array[], samples: number, position: number): void {
    this.#channels ??= planes.length
    if (planes.length !== this.#channels) throw new RangeError(`a source of ${this.#channels} channels has changed`)
    const size = this.#blockSamples
    const late = Math.min(samples, Math.max(0, this.#next * size - position))
    if (late > 0 && !isSilent(planes, 0, late)) this.lateSamples += late
    for (let offset = late; offset < samples; ) {
      const index = Math.floor((position + offset) / size)
      const start = position + offset - index * size
      const count = Math.min(samples - offset, size - start)
      this.#writeBlock(index, start, planes, offset, count)
      offset += count
    }
  }

  /** Takes the block of this number, which must be the next; `undefined` for silence. It holds until the next call. */
  take(index: number): SoundBlock | undefined {
    if (index < this.#next) return undefined
    const slot = index % CAPACITY
    const block = this.#ring[slot]
    this.#ring[slot] = undefined
    this.#next = index + 1
    if (block !== undefined && this.#free.length < 2) this.#free.push(block)
    return block
  }

  #writeBlock(index: number, start: number, planes: readonly Float32Array[], offset: number, count: number): void {
    // The slots of blocks too far ahead are those of others.
    const isWithin = index < this.#next + CAPACITY
    let block = isWithin ? this.#ring[index % CAPACITY] : undefined
    if (block === undefined) {
      if (isSilent(planes, offset, offset + count)) return
      if (!isWithin) this.#forceOut(index - CAPACITY + 1)
      block = this.#blank(planes.length)
      this.#ring[index % CAPACITY] = block
      this.#end = Math.max(this.#end, index + 1)
    }
    for (let channel = 0; channel < block.length; channel++) {
      block[channel]!.set(planes[channel]!.subarray(offset, offset + count), start)
    }
  }

  #forceOut(next: number): void {
    for (let index = this.#next; index < Math.min(next, this.#end); index++) {
      if (this.#ring[index % CAPACITY] === undefined) continue
      this.#ring[index % CAPACITY] = undefined
      this.overflowSamples += this.#blockSamples
    }
    this.#next = next
  }

  #blank(channels: number): SoundBlock {
    const block = this.#free.pop()
    if (block === undefined) return Array.from({ length: channels }, () => new Float32Array(this.#blockSamples))
    for (const plane of block) plane.fill(0)
    return block
  }
}

function isSilent(planes: readonly Float32Array[], from: number, to: number): boolean {
  for (const plane of planes) {
    for (let index = from; index < to; index++) if (plane[index] !== 0) return false
  }
  return true
}
