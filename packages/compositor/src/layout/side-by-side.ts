import { type Arrangement, assignShown, type Placed, placeAll, type Space } from './arrangement.js'
import { bestFit, cellCapacity } from './best-fit.js'
import type { SideBySideLayout } from './layout.js'
import { Places } from './places.js'
import type { View } from './view.js'

const USUAL_MOST = 2

/** A few beside each other: those who are named, each at a place of their own; else screens and who came first. */
export class SideBySide implements Arrangement {
  readonly #space: Space
  readonly #options: SideBySideLayout
  readonly #places = new Places()

  constructor(space: Space, options: SideBySideLayout) {
    this.#space = space
    this.#options = options
  }

  arrange(view: View): Placed[] {
    const { area, gap, maxTiles, upright } = this.#space
    const { participants, max = USUAL_MOST, direction = upright ? 'column' : 'row' } = this.#options
    const cells = { gap, aspect: 'fill', ...(direction === 'row' ? { maxRows: 1 } : { maxColumns: 1 }) } as const
    if (participants !== undefined) {
      const named = participants
        .slice(0, maxTiles)
        .map((id) => view.people.find(({ source }) => source.participantId === id))
      return placeAll(named, bestFit(area, named.length, cells))
    }
    const shown = assignShown(this.#places, [...view.people, ...view.screens], {
      capacity: Math.min(max, maxTiles, cellCapacity(area, cells)),
      reuse: 'shift',
      preference: (_, order) => order,
      wanted: ({ source }) => source.kind === 'screen' && source.hasPicture,
    })
    return placeAll(shown, bestFit(area, shown.length, cells))
  }
}
