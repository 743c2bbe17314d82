import type { Shown, View } from './view.js'

/** Who is looked at. */
export interface FocusRules {
  /** This one while there. */
  readonly participant?: string | undefined
  /** Otherwise the newest screen, if there is one. */
  readonly screenFirst?: boolean
  /** Otherwise the active speaker; if not, the one who came first. Default true. */
  readonly follow?: boolean
}

/** Picks the one to look at, and stays with them while nobody else is to be preferred. */
export class Focus {
  #last: string | undefined

  pick(view: View, { participant, screenFirst = false, follow = true }: FocusRules): Shown | undefined {
    const focus =
      find(view.people, participant) ??
      (screenFirst ? view.screens.at(-1) : undefined) ??
      (follow ? find(view.people, view.activeSpeaker) : undefined) ??
      (follow ? view.people.find(({ key }) => key === this.#last) : undefined) ??
      view.people[0] ??
      view.screens.at(-1)
    this.#last = focus?.key
    return focus
  }
}

function find(people: readonly Shown[], participantId: string | undefined): Shown | undefined {
  return participantId === undefined ? undefined : people.find(({ source }) => source.participantId === participantId)
}
