import { openTake, type Session, type TakeItem, type TakeItemsOptions, type TakeSource } from '@rushes/take'

/** A take of one person, who came with so many doubles: all send the same at the same time. */
export class CrowdedTake implements TakeSource {
  readonly finished = true
  readonly session: Session
  readonly #take: TakeSource
  readonly #names: readonly string[]

  private constructor(take: TakeSource, count: number) {
    this.#take = take
    this.#names = Array.from({ length: count }, (_, i) => `double ${i}`)
    const [person] = take.session.participants
    if (person === undefined) throw new Error('the take has no participant')
    this.session = {
      ...take.session,
      participants: this.#names.map((id) => ({
        id,
        tracks: person.tracks.map((track) => ({ ...track, id: `${id} ${track.id}` })),
      })),
      events: [],
    }
  }

  static async open(dir: string, count: number): Promise<CrowdedTake> {
    return new CrowdedTake(await openTake(dir), count)
  }

  async *items(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeItem[]> {
    const wanted = this.#names.filter((name) => options.participants?.includes(name) ?? true)
    for await (const batch of this.#take.items()) {
      yield batch.flatMap((item): TakeItem[] => {
        if (item.type === 'packet') {
          return wanted.map((name) => ({ ...item, trackId: `${name} ${item.trackId}`, data: item.data.slice() }))
        }
        if (item.type !== 'track') return item.type === 'event' ? [] : [item]
        return wanted.map((name) => ({
          ...item,
          participantId: name,
          track: { ...item.track, id: `${name} ${item.track.id}`, participantId: name },
        }))
      })
    }
  }
}
