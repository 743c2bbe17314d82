/** Boundaries of the rendition that leads, on their way to one that follows. */

/** Where a segment of the leading rendition begins. */
export interface Boundary {
  /** Microseconds of recording time. */
  readonly startUs: number
  /** EXT-X-DISCONTINUITY stands before it. */
  readonly discontinuity: boolean
}

/**
 * Boundaries that the following rendition has not reached yet: while it sends none or a few, as it is interleaved with
 * the leading one. Where it is silent for long they are joined, so that nothing grows.
 */
export class BoundaryQueue {
  #boundaries: Boundary[] = []

  push(boundary: Boundary): void {
    this.#boundaries.push(boundary)
    // Only the first tells whether to cut, and any of them whether after a discontinuity.
    if (this.#boundaries.length > 2) {
      const [first, second, third] = this.#boundaries as [Boundary, Boundary, Boundary]
      this.#boundaries = [{ ...first, discontinuity: first.discontinuity || second.discontinuity }, third]
    }
  }

  /** The boundaries at or before `us` as one, which is taken out; `undefined` where there is none. */
  takeUntil(us: number): Boundary | undefined {
    let taken: Boundary | undefined
    while (this.#boundaries[0] !== undefined && this.#boundaries[0].startUs <= us) {
      const next = this.#boundaries.shift() as Boundary
      taken = { startUs: next.startUs, discontinuity: next.discontinuity || taken?.discontinuity === true }
    }
    return taken
  }
}
