import { ConfigurationError, DeadlineHeap } from '@rushes/media'
import type { Layout } from '../layout/layout.js'
import type { Scene } from '../layout/scene.js'
import { LayoutSolver, layoutBackground } from '../layout/solve-layout.js'
import type { Tile } from '../layout/tile.js'
import { Room } from './room.js'
import { type PictureOf, SceneBuilder, type Speakers } from './scene-builder.js'
import type { LayoutEvent, SceneEvent } from './scene-event.js'
import { areSameTiles, TileMotion } from './tile-motion.js'

/** How a timeline begins. */
export interface SceneTimelineOptions {
  /** Until the first layout event. */
  readonly layout: Layout
  /** Pixels. */
  readonly canvas: { readonly width: number; readonly height: number }
  /**
   * How long tiles take to their new places when somebody comes, leaves, shares or takes over, and after a layout event
   * that does not say: milliseconds, 0 to 10,000. @defaultValue 0: at once
   */
  readonly defaultTransitionMs?: number
  /** How long the last picture of a camera is shown, microseconds. @defaultValue Infinity */
  readonly holdUs?: number
}

/** The composite picture at one time, apart from the pictures in it. */
export interface Arrangement {
  /** Of the layout: its own name, else its type. */
  readonly name: string
  /** Behind all tiles, `#rrggbb`. */
  readonly background: string
  /** What to draw. The same object as in the frame before while nothing changes. */
  readonly tiles: readonly Tile[]
  /** Changes exactly when `tiles` or `background` change. */
  readonly version: number
  /** Where tiles belong: what `tiles` are when nothing moves. */
  readonly target: readonly Tile[]
  /** Tiles are on their way. */
  readonly isMoving: boolean
}

/** Counters since the start. */
export interface SceneTimelineStats {
  readonly events: number
  /** Events of a time that had been asked for already: they count from the next question on. */
  readonly lateEvents: number
  /** Events about somebody or something that is not there. */
  readonly ignoredEvents: number
  /** Events without a time, and those beyond what is kept. */
  readonly refusedEvents: number
  /** How often the layout was worked out. */
  readonly solves: number
}

/** Events that wait for their time. A take has at most 100,000 events, and its tracks come to that. */
const MAX_WAITING_EVENTS = 250_000
/** No change takes longer. */
const MAX_TRANSITION_MS = 10_000

/**
 * Which tiles the composite picture has at any time, by what happened in the room. It depends on the events and on the
 * answers that it is given for each frame, and on nothing else. Times asked for must not decrease.
 */
export class SceneTimeline {
  readonly #canvas: { readonly width: number; readonly height: number }
  readonly #defaultTransitionMs: number
  readonly #waiting = new DeadlineHeap<SceneEvent>()
  readonly #room = new Room()
  readonly #builder: SceneBuilder
  readonly #motion = new TileMotion()
  #layout: Layout
  #solver: LayoutSolver
  #solved: Scene | undefined
  #arrangement: Arrangement
  #askedUs = Number.NEGATIVE_INFINITY
  readonly #stats = { events: 0, lateEvents: 0, ignoredEvents: 0, refusedEvents: 0, solves: 0 }

  /** @throws ConfigurationError naming the field; CompositorError `LAYOUT_INVALID` */
  constructor({ layout, canvas, defaultTransitionMs = 0, holdUs }: SceneTimelineOptions) {
    this.#builder = new SceneBuilder(holdUs)
    if (!(defaultTransitionMs >= 0 && defaultTransitionMs <= MAX_TRANSITION_MS)) {
      const rule = `must be between 0 and ${MAX_TRANSITION_MS} milliseconds`
      throw new ConfigurationError('defaultTransitionMs', rule, defaultTransitionMs)
    }
    this.#canvas = canvas
    this.#defaultTransitionMs = defaultTransitionMs
    this.#layout = layout
    this.#solver = new LayoutSolver(layout, canvas)
    this.#arrangement = { ...namesOf(layout), tiles: [], version: 0, target: [], isMoving: false }
  }

  get stats(): SceneTimelineStats {
    return { ...this.#stats }
  }

  /** Takes what happens. Events may come in any order; each counts from its time on, a late one from now on. */
  push(event: SceneEvent): void {
    if (!Number.isFinite(event.atUs) || this.#waiting.size >= MAX_WAITING_EVENTS) {
      this.#stats.refusedEvents++
      return
    }
    this.#stats.events++
    if (event.atUs <= this.#askedUs) this.#stats.lateEvents++
    // The heap's times have no unit: these are microseconds.
    this.#waiting.push(event, event.atUs)
  }

  /**
   * The arrangement at `timeUs` of recording time.
   *
   * @param pictureOf the picture that a track would have in this frame; asked for tracks that are there and not off.
   * @param speakers who speaks in this frame.
   */
  at(timeUs: number, pictureOf: PictureOf, speakers: Speakers): Arrangement {
    const nowUs = Math.max(timeUs, this.#askedUs)
    this.#askedUs = nowUs
    const layoutEvent = this.#applyEvents(nowUs)
    const scene = this.#builder.build(this.#room, nowUs, pictureOf, speakers)
    if (scene !== this.#solved || layoutEvent !== undefined) {
      this.#solved = scene
      this.#stats.solves++
      const target = this.#solver.solve(scene)
      if (!areSameTiles(this.#motion.target, target)) {
        this.#motion.setTarget(target, nowUs, this.#transitionUs(layoutEvent))
      }
    }
    return this.#arrange(nowUs, pictureOf, layoutEvent !== undefined)
  }

  /** Returns the last change of the layout among them. */
  #applyEvents(nowUs: number): LayoutEvent | undefined {
    let layoutEvent: LayoutEvent | undefined
    for (let next = this.#waiting.peek(); next !== undefined && next.dueMs <= nowUs; next = this.#waiting.peek()) {
      const event = next.value
      this.#waiting.shift()
      if (event.type === 'layout') layoutEvent = event
      else if (!this.#room.apply(event)) this.#stats.ignoredEvents++
    }
    if (layoutEvent !== undefined) {
      this.#layout = layoutEvent.layout
      this.#solver = new LayoutSolver(this.#layout, this.#canvas)
    }
    return layoutEvent
  }

  #transitionUs(layoutEvent: LayoutEvent | undefined): number {
    const transitionMs = layoutEvent?.transitionMs ?? this.#defaultTransitionMs
    return transitionMs > 0 ? Math.round(Math.min(transitionMs, MAX_TRANSITION_MS) * 1000) : 0
  }

  #arrange(nowUs: number, pictureOf: PictureOf, isRenamed: boolean): Arrangement {
    const before = this.#arrangement
    const { target } = this.#motion
    const isMoving = this.#motion.isMoving(nowUs)
    if (!isMoving && !before.isMoving && before.target === target && !isRenamed) return before
    const drawn = isMoving ? withoutLostPictures(this.#motion.tilesAt(nowUs), target, pictureOf) : target
    const names = namesOf(this.#layout)
    const areSame = areSameTiles(before.tiles, drawn)
    const tiles = areSame ? before.tiles : drawn
    const version = before.version + (areSame && names.background === before.background ? 0 : 1)
    this.#arrangement = { ...names, tiles, version, target, isMoving }
    return this.#arrangement
  }
}

function namesOf(layout: Layout): Pick<Arrangement, 'name' | 'background'> {
  return { name: layout.name ?? layout.type, background: layoutBackground(layout) }
}

/** Tiles that fade out are those of people and screens that are gone: of most the picture is gone as well. */
function withoutLostPictures(tiles: readonly Tile[], target: readonly Tile[], pictureOf: PictureOf): readonly Tile[] {
  return tiles.map((tile) => {
    if (tile.placeholder || tile.trackId === undefined) return tile
    if (target.some((other) => other.trackId === tile.trackId)) return tile
    return pictureOf(tile.trackId) === undefined ? { ...tile, placeholder: true } : tile
  })
}
