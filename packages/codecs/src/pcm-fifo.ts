/** Planar sound in, blocks of one size out; what is over waits. Its size is fixed by its owner. */
export class PcmFifo {
  readonly planes: readonly Float32Array[]
  #length = 0

  constructor(channels: number, capacity: number) {
    this.planes = Array.from({ length: channels }, () => new Float32Array(capacity))
  }

  /** Samples that wait, per channel. */
  get length(): number {
    return this.#length
  }

  /** Samples that still fit. */
  get space(): number {
    return this.planes[0]!.length - this.#length
  }

  /** Appends `count` samples from `offset` of each plane; there must be space. */
  write(planes: readonly Float32Array[], offset: number, count: number): void {
    for (let channel = 0; channel < this.planes.length; channel++) {
      this.planes[channel]!.set(planes[channel]!.subarray(offset, offset + count), this.#length)
    }
    this.#length += count
  }

  /** Appends `count` zeros; there must be space. */
  writeSilence(count: number): void {
    for (const plane of this.planes) plane.fill(0, this.#length, this.#length + count)
    this.#length += count
  }

  /** Forgets the first `count` samples. */
  drop(count: number): void {
    for (const plane of this.planes) plane.copyWithin(0, count, this.#length)
    this.#length -= count
  }
}
