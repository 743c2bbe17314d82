/** The samples of a track, as columns: 33 bytes each, an hour of pictures 4 MB. */
export class SampleList {
  offsets: Float64Array
  sizes: Uint32Array
  dts: Float64Array
  durations: Float64Array
  /** Presentation less decoding time. */
  compositionOffsets: Int32Array
  sync: Uint8Array
  length = 0

  constructor(capacity = 1024) {
    this.offsets = new Float64Array(capacity)
    this.sizes = new Uint32Array(capacity)
    this.dts = new Float64Array(capacity)
    this.durations = new Float64Array(capacity)
    this.compositionOffsets = new Int32Array(capacity)
    this.sync = new Uint8Array(capacity)
  }

  add(sample: {
    offset: number
    size: number
    dts: number
    duration: number
    compositionOffset: number
    sync: boolean
  }): void {
    if (this.length === this.sizes.length) this.#grow()
    const index = this.length++
    this.offsets[index] = sample.offset
    this.sizes[index] = sample.size
    this.dts[index] = sample.dts
    this.durations[index] = sample.duration
    this.compositionOffsets[index] = sample.compositionOffset
    this.sync[index] = sample.sync ? 1 : 0
  }

  pts(index: number): number {
    return (this.dts[index] as number) + (this.compositionOffsets[index] as number)
  }

  /** Where the sample after the last would start. */
  get endDts(): number {
    const last = this.length - 1
    return last < 0 ? 0 : (this.dts[last] as number) + (this.durations[last] as number)
  }

  #grow(): void {
    const capacity = this.sizes.length * 2
    const longer = <Column extends Float64Array | Uint32Array | Int32Array | Uint8Array>(
      to: Column,
      from: Column,
    ): Column => {
      to.set(from)
      return to
    }
    this.offsets = longer(new Float64Array(capacity), this.offsets)
    this.sizes = longer(new Uint32Array(capacity), this.sizes)
    this.dts = longer(new Float64Array(capacity), this.dts)
    this.durations = longer(new Float64Array(capacity), this.durations)
    this.compositionOffsets = longer(new Int32Array(capacity), this.compositionOffsets)
    this.sync = longer(new Uint8Array(capacity), this.sync)
  }
}
