/** Who is in the room: those whom the host has announced, and those who have a track. */
export class Attendance {
  readonly #people = new Map<string, { explicit: boolean; tracks: number }>()

  get size(): number {
    return this.#people.size
  }

  /** Announced by the host, or come with a track (`explicit` false). Returns whether he or she was not there before. */
  enter(participantId: string, explicit: boolean): boolean {
    const person = this.#people.get(participantId)
    if (person !== undefined) {
      person.explicit ||= explicit
      return false
    }
    this.#people.set(participantId, { explicit, tracks: 0 })
    return true
  }

  /** The host says that he or she has gone: what is left are the tracks. */
  dismiss(participantId: string): boolean {
    const person = this.#people.get(participantId)
    if (person === undefined) return false
    person.explicit = false
    return true
  }

  trackBegan(participantId: string): void {
    const person = this.#people.get(participantId)
    if (person !== undefined) person.tracks += 1
  }

  trackEnded(participantId: string): void {
    const person = this.#people.get(participantId)
    if (person !== undefined) person.tracks -= 1
  }

  /** Forgets whoever is neither announced nor has a track. Returns whether that was so. */
  leaveIfGone(participantId: string): boolean {
    const person = this.#people.get(participantId)
    if (person === undefined || person.explicit || person.tracks > 0) return false
    return this.#people.delete(participantId)
  }
}
