import { type Arrangement, assignShown, type Placed, placeAll, type ShownRules, type Space } from './arrangement.js'
import type { CustomLayout, Region } from './layout.js'
import { Places } from './places.js'
import { RegionCells } from './region-cells.js'
import { type SourceMatcher, sourceMatcher } from './selector.js'
import type { Shown, View } from './view.js'

/** Regions settle within two or three; a bound for layouts in which two always want the same. */
const MOST_PASSES = 8

/** A region with who is in it. */
interface OpenRegion {
  readonly region: Region
  readonly cells: RegionCells
  readonly places: Places
  readonly selectors: readonly SourceMatcher[]
  readonly excluded: readonly SourceMatcher[]
}

/**
 * Regions choose in turn: first those that name somebody, a screen or the active speaker, then the others, in their
 * order. Whom a region names is not for the others; who has a place in a region stays out of the later ones' reach.
 */
export class Custom implements Arrangement {
  readonly #regions: readonly OpenRegion[]
  readonly #inTurn: readonly OpenRegion[]
  readonly #maxTiles: number
  #focus: string | undefined

  constructor(space: Space, layout: CustomLayout) {
    this.#maxTiles = space.maxTiles
    this.#regions = layout.regions.map((region) => ({
      region,
      cells: new RegionCells(region, space),
      places: new Places(),
      selectors: (region.participants ?? ['*']).map(sourceMatcher),
      excluded: (region.exclude ?? []).map(sourceMatcher),
    }))
    const picky = ({ selectors }: OpenRegion): boolean => selectors.some(({ exact, special }) => exact || special)
    this.#inTurn = [...this.#regions.filter(picky), ...this.#regions.filter((region) => !picky(region))]
  }

  arrange(view: View): Placed[] {
    let occupants = this.#assign(view)
    // Somebody who loses a place to the newest or the speaker may have one in a region that chose before.
    for (let pass = 1; pass < MOST_PASSES; pass++) {
      const again = this.#assign(view)
      if (sameOccupants(occupants, again)) break
      occupants = again
    }
    return this.#regions.flatMap((open) => {
      const shown = occupants.get(open) ?? []
      return placeAll(shown, open.cells.rectangles(shown), open.region.z ?? 0, open.region.tile)
    })
  }

  #assign(view: View): Occupants {
    const all = [...view.people, ...view.screens]
    const speaker = this.#speaker(view)
    const taken = new Set<string>()
    const occupants = new Map<OpenRegion, (Shown | undefined)[]>()
    this.#inTurn.forEach((open, turn) => {
      const later = this.#inTurn.slice(turn + 1)
      const candidates = all
        .filter(({ key }) => !taken.has(key))
        .flatMap((shown) => this.#candidate(open, later, shown, speaker))
        .sort((a, b) => a.selector - b.selector)
      const free = Math.max(0, this.#maxTiles - taken.size)
      const shown = assignShown(
        open.places,
        candidates.map((candidate) => candidate.shown),
        { ...rulesOf(open, candidates, view, speaker), capacity: Math.min(open.cells.capacity, free) },
      )
      for (const one of shown) if (one !== undefined) taken.add(one.key)
      occupants.set(open, shown)
    })
    return occupants
  }

  /** Whether a region may have somebody, and by which of its selectors. */
  #candidate(open: OpenRegion, later: readonly OpenRegion[], shown: Shown, speaker: string | undefined): Candidate[] {
    if (open.excluded.some((one) => one.matches(shown, speaker))) return []
    const selector = open.selectors.findIndex((one) => one.matches(shown, speaker))
    const matched = open.selectors[selector]
    if (matched === undefined) return []
    const exact = matched.exact
    if (!exact) {
      const named = this.#regions.some((other) => other !== open && names(other, shown))
      if (named) return []
      const elsewhere = later.some((other) => other.places.occupants.has(shown.key) && mayHave(other, shown, speaker))
      if (elsewhere && !matched.special && open.region.reuse !== 'shift') return []
    }
    return [{ shown, selector, exact }]
  }

  /** Somebody is, whenever anybody is there. */
  #speaker(view: View): string | undefined {
    const here = (id: string | undefined): boolean => view.people.some(({ source }) => source.participantId === id)
    if (here(view.activeSpeaker)) this.#focus = view.activeSpeaker
    else if (!here(this.#focus)) this.#focus = view.people[0]?.source.participantId
    return this.#focus
  }
}

type Occupants = ReadonlyMap<OpenRegion, readonly (Shown | undefined)[]>

function sameOccupants(a: Occupants, b: Occupants): boolean {
  return [...a].every(([open, shown]) => {
    const other = b.get(open) ?? []
    return shown.length === other.length && shown.every((one, index) => one?.key === other[index]?.key)
  })
}

interface Candidate {
  readonly shown: Shown
  readonly selector: number
  readonly exact: boolean
}

function names(open: OpenRegion, shown: Shown): boolean {
  const excluded = open.excluded.some((one) => one.exact && one.matches(shown, undefined))
  return !excluded && open.selectors.some((one) => one.exact && one.matches(shown, undefined))
}

function mayHave(open: OpenRegion, shown: Shown, speaker: string | undefined): boolean {
  return (
    open.selectors.some((one) => one.matches(shown, speaker)) &&
    !open.excluded.some((one) => one.matches(shown, speaker))
  )
}

function rulesOf(
  open: OpenRegion,
  candidates: readonly Candidate[],
  view: View,
  speaker: string | undefined,
): Pick<ShownRules, 'reuse' | 'preference' | 'wanted'> {
  const { order = 'join', reuse = 'next' } = open.region
  const exact = new Set(candidates.filter((candidate) => candidate.exact).map(({ shown }) => shown.key))
  // The place of whoever speaks is nobody's own.
  const follows = open.selectors.some((one) => one.special && !one.exact)
  const place = { reuse: follows && reuse === 'keep-empty' ? ('next' as const) : reuse }
  const wanted = ({ key }: Shown): boolean => exact.has(key)
  if (order === 'join') return { ...place, preference: (_, index) => index, wanted }
  if (order === 'listed') {
    // They stand by selector already, and within one in the order of joining.
    const first = new Set(candidates.slice(0, open.cells.capacity).map(({ shown }) => shown.key))
    return { ...place, preference: (_, index) => index, wanted: (shown) => wanted(shown) || first.has(shown.key) }
  }
  if (order === 'newest') {
    const newest = new Set(candidates.slice(-open.cells.capacity).map(({ shown }) => shown.key))
    return { ...place, preference: (_, index) => -index, wanted: (shown) => wanted(shown) || newest.has(shown.key) }
  }
  return {
    ...place,
    preference: ({ source }) => -view.lastSpoke(source.participantId),
    wanted: (shown) => wanted(shown) || shown.source.participantId === speaker,
  }
}
