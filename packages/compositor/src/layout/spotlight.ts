import type { Arrangement, Placed, Space } from './arrangement.js'
import { Focus } from './focus.js'
import type { SpotlightLayout } from './layout.js'
import { StripPlaces } from './strip.js'
import type { View } from './view.js'

/** One person large, the others in a strip. Who becomes large changes places with who was. */
export class Spotlight implements Arrangement {
  readonly #participant: string | undefined
  readonly #focus = new Focus()
  readonly #strip: StripPlaces

  constructor(space: Space, options: Pick<SpotlightLayout, 'participant' | 'strip'>) {
    this.#participant = options.participant
    this.#strip = new StripPlaces(space, options.strip)
  }

  arrange(view: View): Placed[] {
    const large = this.#focus.pick(view, { participant: this.#participant })
    if (large === undefined) return []
    // Who was large before waits for a place, and there is just one: the one that whoever is large now has left.
    const others = [...view.people, ...view.screens].filter(({ key }) => key !== large.key)
    const strip = this.#strip.arrange(others, view, 1)
    return [{ shown: large, rectangle: this.#strip.mainArea(strip.length > 0), z: 0 }, ...strip]
  }
}
