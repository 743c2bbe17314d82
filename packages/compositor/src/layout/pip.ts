import { type Arrangement, assignShown, type Placed, placeAll, type Space, USUAL_ASPECT } from './arrangement.js'
import { bestFit } from './best-fit.js'
import { evenBelow } from './canvas-length.js'
import { Focus } from './focus.js'
import type { PipLayout } from './layout.js'
import { Places } from './places.js'
import type { Rectangle } from './rectangle.js'
import type { View } from './view.js'

const USUAL_SIZE = 0.25

/** One on the whole canvas, and small ones above it from a corner on. */
export class Pip implements Arrangement {
  readonly #space: Space
  readonly #options: PipLayout
  readonly #focus = new Focus()
  readonly #places = new Places()
  readonly #small: readonly Rectangle[]

  constructor(space: Space, options: PipLayout) {
    this.#space = space
    this.#options = options
    this.#small = smallOnes(space, options)
  }

  arrange(view: View): Placed[] {
    const { participant, big: rule = 'screen' } = this.#options
    const big = this.#focus.pick(view, { participant, screenFirst: rule === 'screen', follow: rule !== 'first' })
    if (big === undefined) return []
    const others = [...view.people, ...view.screens].filter(({ key }) => key !== big.key)
    const small = assignShown(this.#places, others, {
      capacity: Math.min(this.#small.length, this.#space.maxTiles - 1),
      reuse: 'shift',
      preference: ({ source }) => -view.lastSpoke(source.participantId),
      wanted: ({ source }) => source.participantId === view.activeSpeaker,
    })
    return [{ shown: big, rectangle: this.#space.canvas, z: 0 }, ...placeAll(small, this.#small, 1)]
  }
}

/** Of the same size however many there are, so that nothing changes when one more comes. */
function smallOnes(space: Space, options: PipLayout): Rectangle[] {
  const { area, gap, lengths } = space
  const { corner = 'bottom-right', size = USUAL_SIZE, maxSmall = 1, tileAspect: aspect = USUAL_ASPECT } = options
  const widest = Math.min(area.width, evenBelow(space.canvas.width / 2))
  const column = { ...area, width: Math.min(widest, Math.max(2, lengths.even(size, 'width'))) }
  const cells = bestFit(column, maxSmall, { gap, aspect, maxColumns: 1 })
  const step = (cells[1]?.y ?? 0) - (cells[0]?.y ?? 0)
  return cells.map(({ width, height }, index) => ({
    x: corner.endsWith('left') ? area.x : area.x + area.width - width,
    y: corner.startsWith('top') ? area.y + index * step : area.y + area.height - height - index * step,
    width,
    height,
  }))
}
