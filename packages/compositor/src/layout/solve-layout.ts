import { ConfigurationError } from '@rushes/media'
import { type Arrangement, type Space, spaceOf, USUAL_GAP } from './arrangement.js'
import type { CanvasSize } from './canvas-length.js'
import { Custom } from './custom.js'
import { Grid } from './grid.js'
import type { Layout } from './layout.js'
import { Pip } from './pip.js'
import { Presentation } from './presentation.js'
import type { Scene } from './scene.js'
import { SideBySide } from './side-by-side.js'
import { Single } from './single.js'
import { Spotlight } from './spotlight.js'
import type { Tile } from './tile.js'
import { tileOf, USUAL_BACKGROUND } from './tile-look.js'
import { SceneMemory } from './view.js'

/** Larger ones no encoder takes; smaller ones have no room for tiles. Pixels. */
const LEAST_CANVAS = 16
const MOST_CANVAS = 16_384

/**
 * Turns scenes into tiles, one after the other. It remembers who was where, so that people stay where they are: its
 * tiles are a function of the layout, the canvas and all scenes so far. What it remembers is bounded by who is in the
 * scene, and by the places of regions that are kept for somebody's return.
 */
export class LayoutSolver {
  readonly layout: Layout
  readonly canvas: CanvasSize
  readonly #space: Space
  readonly #arrangement: Arrangement
  readonly #memory = new SceneMemory()

  /**
   * @param layout from {@link parseLayout}
   * @param canvas 16 to 16384 pixels either way, both even
   */
  constructor(layout: Layout, canvas: CanvasSize) {
    checkSide('canvas.width', canvas.width)
    checkSide('canvas.height', canvas.height)
    this.layout = layout
    this.canvas = canvas
    this.#space = spaceOf(layout, canvas, usualMargin(layout))
    this.#arrangement = arrangementOf(layout, this.#space)
  }

  /**
   * Even rectangles within the canvas, in the order in which they are to be drawn where `z` is equal. They do not
   * overlap, but for the small ones of `pip` and where the regions of `custom` do. Nobody is there twice.
   */
  solve(scene: Scene): Tile[] {
    const view = this.#memory.view(scene, this.layout.showOff ?? true)
    return this.#arrangement.arrange(view).map((placed) => tileOf(placed, this.layout, this.#space))
  }
}

/** The tiles of one scene that nothing came before. */
export function solveLayout(layout: Layout, scene: Scene, canvas: CanvasSize): Tile[] {
  return new LayoutSolver(layout, canvas).solve(scene)
}

/** `#rrggbb` behind the tiles. */
export function layoutBackground(layout: Layout): string {
  return layout.background ?? USUAL_BACKGROUND
}

function arrangementOf(layout: Layout, space: Space): Arrangement {
  switch (layout.type) {
    case 'grid':
      return new Grid(space, layout.tileAspect)
    case 'spotlight':
      return new Spotlight(space, layout)
    case 'presentation':
      return new Presentation(space, layout)
    case 'single':
      return new Single(space, layout)
    case 'pip':
      return new Pip(space, layout)
    case 'side-by-side':
      return new SideBySide(space, layout)
    default:
      return new Custom(space, layout)
  }
}

function usualMargin({ type }: Layout): number {
  if (type === 'single') return 0
  return type === 'pip' ? 0.03 : USUAL_GAP
}

function checkSide(field: string, pixels: number): void {
  if (Number.isInteger(pixels) && pixels % 2 === 0 && pixels >= LEAST_CANVAS && pixels <= MOST_CANVAS) return
  throw new ConfigurationError(field, `must be an even number from ${LEAST_CANVAS} to ${MOST_CANVAS}`, pixels)
}
