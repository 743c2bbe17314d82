import { WallClock } from './wall-clock.js'

/** What decides whether a wall clock is believed. */
export interface WallClocksOptions {
  /** Whether the wall-clock time of the recording's start is known: without it no clock can be believed as it stands. */
  readonly hasStart: boolean
  readonly maxClockErrorUs: number
  /** Only what has been seen lately counts. */
  readonly live: boolean
}

/** The wall clocks of one participant's machines, and the one of them that the others are compared with. */
export class WallClocks {
  readonly #options: WallClocksOptions
  readonly #walls = new Map<string, WallClock>()
  #reference: WallClock | undefined
  #settled = false

  constructor(options: WallClocksOptions) {
    this.#options = options
  }

  /** The clock of that name, new or known. */
  named(key: string): WallClock {
    let wall = this.#walls.get(key)
    if (wall === undefined) {
      wall = new WallClock(this.#options.live)
      this.#walls.set(key, wall)
      if (this.#walls.size > MAX_WALL_CLOCKS) this.#walls.delete(this.#walls.keys().next().value as string)
    }
    return wall
  }

  /** Nothing more will be learnt. */
  settle(): void {
    this.#settled = true
    this.chooseReference()
  }

  /** The first clock that is trusted, or else the first; it stays as long as it is trusted. */
  chooseReference(): void {
    if (this.#reference !== undefined && this.isTrusted(this.#reference)) return
    const walls = [...this.#walls.values()].filter((wall) => wall.reports > 0)
    this.#reference = walls.find((wall) => this.isTrusted(wall)) ?? this.#reference ?? walls[0]
  }

  isTrusted(wall: WallClock): boolean {
    const { hasStart, maxClockErrorUs } = this.#options
    return hasStart && wall.reports > 0 && Math.abs(wall.offsetUs) <= maxClockErrorUs
  }

  /** The time by the clock that all are compared with, of a time by `wall`; microseconds. */
  toReferenceUs(wall: WallClock, clockUs: number): number {
    const reference = this.#reference ?? wall
    if (wall === reference || wall.reports === 0) return clockUs
    return clockUs + wall.differenceUs(clockUs, reference, this.#options.live && !this.#settled)
  }

  /** What to add to a time by that clock for recording time, microseconds. */
  correctionUs(clockUs: number): number {
    const reference = this.#reference
    return reference === undefined ? 0 : reference.correctionUs(clockUs, this.isTrusted(reference))
  }
}

/** One participant has a machine or two, and a new CNAME with each connection; the oldest is forgotten. */
const MAX_WALL_CLOCKS = 256
