import { type Arrangement, type Placed, placeAll, type Space } from './arrangement.js'
import { bestFit, cellCapacity } from './best-fit.js'
import { Grid } from './grid.js'
import type { PresentationLayout } from './layout.js'
import { Spotlight } from './spotlight.js'
import { StripPlaces } from './strip.js'
import type { View } from './view.js'

const USUAL_MOST_SCREENS = 4

/** Shared screens large, in the order in which they began; people, and screens that are too many, in a strip. */
export class Presentation implements Arrangement {
  readonly #space: Space
  readonly #options: PresentationLayout
  readonly #strip: StripPlaces
  readonly #withoutScreen: Arrangement

  constructor(space: Space, options: PresentationLayout) {
    this.#space = space
    this.#options = options
    this.#strip = new StripPlaces(space, options.strip)
    this.#withoutScreen = options.withoutScreen === 'spotlight' ? new Spotlight(space, options) : new Grid(space)
  }

  arrange(view: View): Placed[] {
    if (view.screens.length === 0) return this.#withoutScreen.arrange(view)
    const { gap, maxTiles } = this.#space
    const fill = { gap, aspect: 'fill' } as const
    const most = this.#options.screens === 'newest' ? 1 : (this.#options.maxScreens ?? USUAL_MOST_SCREENS)
    const room = cellCapacity(this.#strip.mainArea(true), fill)
    const large = view.screens.slice(-Math.min(most, maxTiles, room))
    const small = view.screens.slice(0, view.screens.length - large.length)
    const strip = this.#strip.arrange([...view.people, ...small], view, large.length)
    const area = this.#strip.mainArea(strip.length > 0)
    return [...placeAll(large, bestFit(area, large.length, fill)), ...strip]
  }
}
