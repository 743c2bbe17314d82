import type { Beep, CardFrame } from '@rushes/testkit/card'

/** A picture of an output, and how long after its time at the sender it is shown; up to a constant, that of the clocks. */
export interface PictureDelay {
  readonly ptsMs: number
  readonly delayMs: number
}

/** When a sender had which picture, and when it had beeps, on a clock of its own. */
export interface SenderTimes {
  readonly pictures: Iterable<readonly [counter: number, atMs: number]>
  readonly beepsMs: readonly number[]
}

/** Pictures within this of a beep are what it is held against. */
const AROUND_MS = 500
/** A beep of the sender is looked for within this of where the pictures say that it should sound. */
const PAIRING_MS = 400

/**
 * For each beep of an output: how much later than the pictures around it it sounds than it did at the sender, in
 * milliseconds, or NaN where it cannot be said. All pictures count, not the flash alone: that may be one that got lost.
 */
export function soundDelaysMs(beeps: readonly Beep[], cards: readonly CardFrame[], sender: SenderTimes): number[] {
  const pictures = pictureDelays(cards, sender.pictures)
  return beeps.map(({ atUs }) => {
    const atMs = atUs / 1000
    const around = pictures.filter(({ ptsMs }) => Math.abs(ptsMs - atMs) < AROUND_MS).map(({ delayMs }) => delayMs)
    const pictureMs = around.sort((a, b) => a - b)[around.length >> 1] ?? Number.NaN
    const delays = sender.beepsMs.map((beepMs) => atMs - beepMs - pictureMs)
    const nearest = delays.reduce((best, delay) => (Math.abs(delay) < Math.abs(best) ? delay : best), PAIRING_MS)
    return Math.abs(nearest) < PAIRING_MS ? nearest : Number.NaN
  })
}

function pictureDelays(
  cards: readonly CardFrame[],
  pictures: Iterable<readonly [counter: number, atMs: number]>,
): PictureDelay[] {
  const times = new Map([...pictures].map(([counter, atMs]) => [counter & 0xffff, atMs]))
  return cards.flatMap(({ counter, ptsUs }) => {
    const atMs = counter === undefined ? undefined : times.get(counter)
    return atMs === undefined ? [] : [{ ptsMs: ptsUs / 1000, delayMs: ptsUs / 1000 - atMs }]
  })
}
