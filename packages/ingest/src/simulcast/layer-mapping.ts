/** Pictures that may be moved: half a second, the most by which a switch steps back, of 60 pictures a second. */
const MAX_MOVED = 32

/**
 * How packets of one layer continue the output: sequence numbers and timestamps by fixed distances, but no picture is
 * earlier than the one that was put out before it. Layers show the same picture at the same time, and the keyframe to
 * which one switches is often of a picture that the other layer has already given.
 */
export class LayerMapping {
  /** The layer's first extended sequence number in the output; what is before it stays out. */
  readonly firstExtended: number
  /** The last one, once another layer has taken over. */
  lastExtended: number = Number.POSITIVE_INFINITY
  readonly #sequenceOffset: number
  readonly timestampOffset: number
  /** Pictures put later than they are, by their timestamp. */
  readonly #moved = new Map<number, number>()
  #newest = Number.NEGATIVE_INFINITY

  constructor(firstExtended: number, sequenceOffset: number, timestampOffset: number) {
    this.firstExtended = firstExtended
    this.#sequenceOffset = sequenceOffset
    this.timestampOffset = timestampOffset
  }

  /** Whether a packet is of this layer's part of the output. */
  covers(extended: number): boolean {
    return extended >= this.firstExtended && extended <= this.lastExtended
  }

  /** Extended, in the output. */
  sequenceNumber(extended: number): number {
    return extended + this.#sequenceOffset
  }

  /** Extended, in the output; `floor` is the latest put out before, `step` the least distance to it. */
  timestamp(rtpTimestamp: number, floor: number, step: number): number {
    const moved = this.#moved.get(rtpTimestamp)
    if (moved !== undefined) return moved
    const exact = rtpTimestamp + this.timestampOffset
    if (rtpTimestamp <= this.#newest) return exact
    this.#newest = rtpTimestamp
    if (exact > floor) {
      // From here on the distances hold; a few late packets may still ask for those that were moved.
      return exact
    }
    this.#moved.set(rtpTimestamp, floor + step)
    if (this.#moved.size > MAX_MOVED)
      for (const oldest of this.#moved.keys()) {
        this.#moved.delete(oldest)
        break
      }
    return floor + step
  }
}
