import {
  type Arrangement,
  assignShown,
  type Placed,
  placeAll,
  resolveAspect,
  type Space,
  USUAL_ASPECT,
} from './arrangement.js'
import { bestFit, cellCapacity } from './best-fit.js'
import type { TileAspect } from './layout.js'
import { Places } from './places.js'
import type { View } from './view.js'

/**
 * Everybody alike, people in the order of joining and screens behind them. When there are too many, screens and the
 * active speaker are shown, and else who came first.
 */
export class Grid implements Arrangement {
  readonly #space: Space
  readonly #aspect: TileAspect
  readonly #places = new Places()

  constructor(space: Space, aspect: TileAspect = USUAL_ASPECT) {
    this.#space = space
    this.#aspect = aspect
  }

  arrange(view: View): Placed[] {
    const { area, gap, maxTiles } = this.#space
    const shown = assignShown(this.#places, [...view.people, ...view.screens], {
      capacity: Math.min(maxTiles, cellCapacity(area, { gap, aspect: 'fill' })),
      reuse: 'shift',
      preference: (_, order) => order,
      wanted: ({ source }) =>
        (source.kind === 'screen' && source.hasPicture) || source.participantId === view.activeSpeaker,
    })
    return placeAll(shown, bestFit(area, shown.length, { gap, aspect: resolveAspect(this.#aspect, shown) }))
  }
}
