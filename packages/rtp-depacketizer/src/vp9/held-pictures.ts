/** P_DIFF has 7 bits: no picture is predicted from one further back. */
const WINDOW = 128

/**
 * Which spatial layers of which pictures have been emitted, by picture id, as far back as P_DIFF reaches (RFC 9628
 * §4.2): in flexible mode that tells exactly what can be decoded.
 */
export class HeldPictures {
  /** Extended picture ids, so that a turn of the counter is not taken for the one before. */
  readonly #ids: number[] = new Array<number>(WINDOW).fill(-1)
  readonly #layers = new Uint8Array(WINDOW)
  #last = -1
  #bits = 0

  clear(): void {
    this.#ids.fill(-1)
    this.#last = -1
  }

  /** Extends the id of the next picture. `gap` packets, and so at most as many pictures, went missing before it. */
  extend(pictureId: number, bits: number, gap: number): number {
    const values = 2 ** bits
    if (this.#last < 0 || bits !== this.#bits || gap >= values - 1) {
      this.clear()
      this.#bits = bits
      this.#last = pictureId + values
    } else this.#last += (pictureId - (this.#last % values) + values) % values
    return this.#last
  }

  /** The layers of `mask` of a picture have been emitted. */
  hold(extendedId: number, mask: number): void {
    this.#ids[extendedId % WINDOW] = extendedId
    this.#layers[extendedId % WINDOW] = mask
  }

  holds(extendedId: number, spatialId: number): boolean {
    return (
      this.#ids[extendedId % WINDOW] === extendedId && ((this.#layers[extendedId % WINDOW]! >>> spatialId) & 1) === 1
    )
  }
}
