import type { TimedItem } from '@rushes/media'
import { ticksToUs, usToTicks } from '@rushes/media'
import { sampleWith } from './sample-with.js'

/**
 * Pauses that are cut out: outputs go on as if the time had not been. What was on its way when the pause began is left
 * out with it.
 */
export class TimeCuts {
  readonly #cuts: { startUs: number; endUs: number }[] = []
  readonly #lastDts = new Map<string, number>()

  begin(atUs: number): void {
    if (this.#cuts.at(-1)?.endUs !== Number.POSITIVE_INFINITY) {
      this.#cuts.push({ startUs: atUs, endUs: Number.POSITIVE_INFINITY })
    }
  }

  end(atUs: number): void {
    const open = this.#cuts.at(-1)
    if (open !== undefined && open.endUs === Number.POSITIVE_INFINITY) open.endUs = Math.max(open.startUs, atUs)
  }

  get any(): boolean {
    return this.#cuts.length > 0
  }

  /** Output time of a recording time; within a cut that of its start. */
  outputUs(us: number): number {
    let removed = 0
    for (const { startUs, endUs } of this.#cuts) {
      if (us <= startUs) break
      removed += Math.min(us, endUs) - startUs
    }
    return us - removed
  }

  /** The item at its output time; `undefined` when it lies in a cut. */
  apply(item: TimedItem, clockRate: number): TimedItem | undefined {
    if (this.#cuts.length === 0 || item.type === 'track-end') return item
    const us = ticksToUs(item.type === 'sample' ? item.pts : item.dts, clockRate)
    let removed = 0
    for (const { startUs, endUs } of this.#cuts) {
      if (us < startUs) break
      if (us < endUs) return undefined
      removed += endUs - startUs
    }
    if (removed === 0) return this.#rising(item, item.dts)
    const shift = usToTicks(removed, clockRate)
    if (item.type === 'watermark') return { ...item, dts: item.dts - shift }
    // Its decoding time may lie before the end of the cut, and would run into the pictures before.
    const pts = item.pts - shift
    const last = this.#lastDts.get(item.trackId) ?? Number.NEGATIVE_INFINITY
    const dts = Math.min(pts, Math.max(item.dts - shift, last + 1))
    return this.#rising(sampleWith(item, { pts, dts }), dts)
  }

  #rising(item: TimedItem, dts: number): TimedItem {
    if (item.type === 'sample') this.#lastDts.set(item.trackId, dts)
    return item
  }
}
