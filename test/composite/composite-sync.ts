import { flashTimes } from '@rushes/testkit/card'
import { offsetsUs } from '../conformance/participant-reference.js'
import type { CompositePicture } from './read-composite.js'

/** The first picture of a flash in a participant's tile. */
export interface CompositeFlash {
  readonly index: number
  readonly atUs: number
  /** How long the box had been white when it was drawn. */
  readonly sinceFlashUs: number
}

/** The first picture of each flash of a participant. */
export function compositeFlashes(pictures: readonly CompositePicture[], id: string): CompositeFlash[] {
  const readings = pictures.flatMap(({ atUs, index, tiles }) =>
    tiles
      .filter(
        ({ tile, counter, cutOff }) =>
          tile.participantId === id && !tile.placeholder && (counter !== undefined || cutOff),
      )
      .map((reading) => ({ ...reading, atUs, index })),
  )
  // Without its counter a flash is taken for complete.
  return flashTimes(readings.map((reading) => ({ ...reading, counter: reading.counter ?? 0 })))
}

/** Beep less flash of each second, the composite's less the take's, in milliseconds and in order. */
export function syncDifferences(
  sent: { readonly flashStartsUs: readonly number[]; readonly beepsUs: readonly number[] },
  flashes: readonly CompositeFlash[],
  beepsUs: readonly number[],
): number[] {
  const got = offsetsUs(
    flashes.map(({ atUs, sinceFlashUs }) => atUs - sinceFlashUs),
    beepsUs,
  )
  const differences: number[] = []
  for (const [at, offset] of offsetsUs(sent.flashStartsUs, sent.beepsUs)) {
    for (const [gotAt, gotOffset] of got) {
      if (Math.abs(gotAt - at) < 500_000) differences.push((gotOffset - offset) / 1000)
    }
  }
  return differences
}
