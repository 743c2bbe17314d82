/** What tells the place of a picture among others: absent fields are -1. */
export interface PicturePlace {
  readonly pictureId: number
  readonly pictureIdBits: number
  readonly tl0PicIdx: number
  readonly temporalId: number
}

/** Temporal layers are 0 to 7 (VP9; VP8 has 4). */
const LAYERS = 8
const TL0_PIC_IDX_VALUES = 256

/**
 * Which temporal layers are intact: all pictures that one of the layer may be predicted from are there. Picture ids
 * tell whether a loss took pictures, TL0PICIDX whether these were of the base layer, from which all others are
 * predicted (RFC 7741 §4.2, RFC 9628 §4.2).
 */
export class TemporalLayers {
  readonly #intact: boolean[] = new Array<boolean>(LAYERS).fill(false)
  #pictureId = -1
  #pictureIdBits = 0
  #tl0PicIdx = -1

  reset(): void {
    this.#intact.fill(false)
    this.#pictureId = -1
    this.#tl0PicIdx = -1
  }

  /**
   * A picture follows, `gap` packets having gone missing since the one before, some of either of them perhaps. Returns
   * how many pictures went with them: `undefined` where that cannot be known.
   */
  advance(place: PicturePlace, gap: number): number | undefined {
    const unseen = gap === 0 ? 0 : this.#unseen(place, gap)
    if (unseen !== 0) this.spoil(this.#lostBaseLayer(place, gap) ? 0 : 1)
    if (place.pictureId >= 0) {
      this.#pictureId = place.pictureId
      this.#pictureIdBits = place.pictureIdBits
    }
    this.#tl0PicIdx = place.tl0PicIdx
    return unseen
  }

  /** Nothing before matters: a keyframe. */
  restore(): void {
    this.#intact.fill(true)
  }

  /** Pictures of layers from `temporalId` on are missing something from here on. */
  spoil(temporalId: number): void {
    for (let layer = Math.max(0, temporalId); layer < LAYERS; layer++) this.#intact[layer] = false
  }

  /** Later pictures of layers from `from` to `to` need nothing that came before this one and is not in lower layers. */
  mend(from: number, to: number = LAYERS - 1): void {
    for (let layer = from; layer <= to; layer++) this.#intact[layer] = true
  }

  /** Whether all of the layers up to `temporalId` are intact. */
  isIntact(temporalId: number): boolean {
    for (let layer = Math.max(0, temporalId); layer >= 0; layer--) if (!this.#intact[layer]) return false
    return true
  }

  #unseen(place: PicturePlace, gap: number): number | undefined {
    const values = 2 ** place.pictureIdBits
    // As many packets as there are ids could hide a whole turn.
    if (this.#pictureId < 0 || place.pictureIdBits !== this.#pictureIdBits || gap >= values - 1) return undefined
    const step = (place.pictureId - this.#pictureId + values) % values
    // No more pictures than packets can be missing: a larger step is not one of this counter.
    return step >= 1 && step - 1 <= gap ? step - 1 : undefined
  }

  #lostBaseLayer({ tl0PicIdx, temporalId }: PicturePlace, gap: number): boolean {
    if (tl0PicIdx < 0 || this.#tl0PicIdx < 0 || temporalId < 0 || gap >= TL0_PIC_IDX_VALUES - 1) return true
    const step = (tl0PicIdx - this.#tl0PicIdx + TL0_PIC_IDX_VALUES) % TL0_PIC_IDX_VALUES
    return step !== (temporalId === 0 ? 1 : 0)
  }
}
