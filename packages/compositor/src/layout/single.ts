import type { Arrangement, Placed, Space } from './arrangement.js'
import { Focus } from './focus.js'
import type { SingleLayout } from './layout.js'
import type { Shown, View } from './view.js'

/** One alone. Whoever is named, nobody else is shown: not even while they are away. */
export class Single implements Arrangement {
  readonly #space: Space
  readonly #options: SingleLayout
  readonly #focus = new Focus()

  constructor(space: Space, options: SingleLayout) {
    this.#space = space
    this.#options = options
  }

  arrange(view: View): Placed[] {
    const shown = this.#pick(view)
    return shown === undefined ? [] : [{ shown, rectangle: this.#space.area, z: 0 }]
  }

  #pick(view: View): Shown | undefined {
    const { participant, screenFirst = false } = this.#options
    if (participant === undefined) return this.#focus.pick(view, { screenFirst })
    const camera = view.people.find(({ source }) => source.participantId === participant)
    const screen = view.screens.findLast(({ source }) => source.participantId === participant)
    return screenFirst ? (screen ?? camera) : (camera ?? screen)
  }
}
