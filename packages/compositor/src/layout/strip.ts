import { assignShown, type Placed, placeAll, resolveAspect, type Space, USUAL_ASPECT } from './arrangement.js'
import { bestFit, cellCapacity } from './best-fit.js'
import { evenBelow } from './canvas-length.js'
import type { Strip } from './layout.js'
import { Places } from './places.js'
import type { Rectangle } from './rectangle.js'
import type { Shown, View } from './view.js'

const USUAL_SIZE = 0.2
/** Five of 16:9 fill a strip of a fifth of the canvas. */
const USUAL_MOST = 5

/**
 * The small ones beside the large. They stand in the order of joining. When they do not all fit, those who spoke last
 * are there; somebody who is not there and speaks takes the place of the one whose last word is the longest ago.
 */
export class StripPlaces {
  readonly #space: Space
  readonly #options: Strip
  readonly #areas: { readonly main: Rectangle; readonly strip: Rectangle }
  readonly #places = new Places()

  constructor(space: Space, options: Strip = {}) {
    this.#space = space
    this.#options = options
    this.#areas = split(space, options)
  }

  /** Of the large ones: the whole area while the strip is empty. */
  mainArea(hasStrip: boolean): Rectangle {
    return hasStrip ? this.#areas.main : this.#space.area
  }

  arrange(candidates: readonly Shown[], view: View, large: number): Placed[] {
    const { gap, maxTiles } = this.#space
    const { strip } = this.#areas
    const capacity = Math.min(
      this.#options.max ?? USUAL_MOST,
      Math.max(0, maxTiles - large),
      cellCapacity(strip, { gap, aspect: 'fill' }),
    )
    const shown = assignShown(this.#places, candidates, {
      capacity,
      reuse: 'shift',
      preference: ({ source }) => -view.lastSpoke(source.participantId),
      wanted: ({ source }) =>
        (source.kind === 'screen' && source.hasPicture) || source.participantId === view.activeSpeaker,
    })
    const aspect = resolveAspect(this.#options.tileAspect ?? USUAL_ASPECT, shown)
    return placeAll(shown, bestFit(strip, shown.length, { gap, aspect }))
  }
}

function split(space: Space, options: Strip): { main: Rectangle; strip: Rectangle } {
  const { area, lengths } = space
  const side = options.side ?? (space.upright ? 'bottom' : 'right')
  const [from, length] = side === 'left' || side === 'right' ? (['x', 'width'] as const) : (['y', 'height'] as const)
  const stripFirst = side === 'left' || side === 'top'
  const wanted = lengths.even(options.size ?? USUAL_SIZE, length)
  const size = Math.min(Math.max(2, wanted), evenBelow(area[length] / 2))
  const gap = Math.min(space.gap, evenBelow(area[length] / 4))
  const rest = area[length] - size - gap
  return {
    main: { ...area, [from]: area[from] + (stripFirst ? size + gap : 0), [length]: rest },
    strip: { ...area, [from]: area[from] + (stripFirst ? 0 : rest + gap), [length]: size },
  }
}
