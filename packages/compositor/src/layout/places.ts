/** What becomes of a place whose occupant leaves. */
export type Reuse = 'next' | 'keep-empty' | 'shift'

/** How places are given away. */
export interface PlaceRules {
  /** How many there are. */
  readonly capacity: number
  readonly reuse: Reuse
  /** Of the candidates when there are too many: lower comes first. The same number twice is decided by their order. */
  readonly preference: (key: string) => number
  /** Must be shown: takes the place of the one who is preferred least. */
  readonly wanted: (key: string) => boolean
}

/**
 * A row of places that remembers who has which. Who has a place keeps it until leaving, or until somebody must be shown
 * and nothing is free: so nothing moves when somebody joins or speaks, and as little as possible when somebody leaves.
 */
export class Places {
  /** An occupant who is away stays in it only with `keep-empty`. */
  #places: (string | undefined)[] = []

  /** Who has a place, there or away. */
  get occupants(): ReadonlySet<string> {
    return new Set(this.#places.filter((key) => key !== undefined))
  }

  /**
   * @param candidates whom there is, in the order in which they are to stand where that is free to choose.
   * @returns the occupant of each place, `undefined` for an empty one.
   */
  assign(candidates: readonly string[], rules: PlaceRules): (string | undefined)[] {
    const here = new Set(candidates)
    const places = this.#places
      .slice(0, rules.capacity)
      .map((key) => (key !== undefined && !here.has(key) && rules.reuse !== 'keep-empty' ? undefined : key))
    const seated = new Set(places)
    const waiting = candidates.filter((key) => !seated.has(key))
    const holes = places.flatMap((key, index) => (key === undefined ? [index] : []))
    for (let index = places.length; index < rules.capacity; index++) holes.push(index)
    const late = seat(places, waiting, holes, rules)
    for (const key of late) if (rules.wanted(key)) swapIn(places, key, here, rules)
    this.#places = rules.reuse === 'shift' ? places.filter((key) => key !== undefined) : withoutEnd(places)
    return this.#places.map((key) => (key !== undefined && here.has(key) ? key : undefined))
  }
}

/** Gives the free places away and returns who got none, best first. */
function seat(
  places: (string | undefined)[],
  waiting: readonly string[],
  holes: readonly number[],
  { preference, wanted }: PlaceRules,
): string[] {
  if (waiting.length === 0) return []
  const ranked = waiting
    .map((key, order) => ({ key, order, rank: wanted(key) ? Number.NEGATIVE_INFINITY : preference(key) }))
    .sort((a, b) => (a.rank === b.rank ? a.order - b.order : a.rank - b.rank))
  const chosen = ranked.slice(0, holes.length).sort((a, b) => a.order - b.order)
  chosen.forEach(({ key }, index) => {
    const hole = holes[index]
    if (hole !== undefined) places[hole] = key
  })
  return ranked.slice(holes.length).map(({ key }) => key)
}

function swapIn(places: (string | undefined)[], key: string, here: ReadonlySet<string>, rules: PlaceRules): void {
  let victim = -1
  let worst = Number.NEGATIVE_INFINITY
  places.forEach((occupant, index) => {
    if (occupant === undefined || !here.has(occupant) || rules.wanted(occupant)) return
    const rank = rules.preference(occupant)
    if (rank >= worst) {
      worst = rank
      victim = index
    }
  })
  if (victim >= 0) places[victim] = key
}

/** Empty places at the end are no places yet. */
function withoutEnd(places: (string | undefined)[]): (string | undefined)[] {
  return places.slice(0, places.findLastIndex((key) => key !== undefined) + 1)
}
