import {
  openTake,
  type Session,
  type SessionTrack,
  type Take,
  type TakeItem,
  type TakeItemsOptions,
  type TakeRecord,
} from '@rushes/take'

/** What becomes of a packet: itself, another one, or nothing. */
export type AlterPacket = (packet: TakeRecord) => TakeRecord | undefined

/** A take some of whose packets or tracks are changed on the way. */
export class AlteredTake implements Take {
  readonly finished = true
  readonly session: Session
  readonly #take: Take
  readonly #alter: AlterPacket

  private constructor(take: Take, keep: (track: SessionTrack) => boolean, alter: AlterPacket) {
    this.#take = take
    this.#alter = alter
    this.session = {
      ...take.session,
      participants: take.session.participants.map((participant) => ({
        ...participant,
        tracks: participant.tracks.filter(keep),
      })),
    }
  }

  static async open(
    dir: string,
    change: { readonly keep?: (track: SessionTrack) => boolean; readonly alter?: AlterPacket },
  ): Promise<AlteredTake> {
    return new AlteredTake(await openTake(dir), change.keep ?? (() => true), change.alter ?? ((packet) => packet))
  }

  get dir(): string {
    return this.#take.dir
  }

  get damage(): Take['damage'] {
    return this.#take.damage
  }

  async *items(options?: TakeItemsOptions): AsyncGenerator<readonly TakeItem[]> {
    for await (const batch of this.#take.items(this.#wanted(options))) {
      yield batch.flatMap((item): readonly TakeItem[] => (item.type === 'packet' ? this.#altered(item) : [item]))
    }
  }

  async *records(options?: TakeItemsOptions): AsyncGenerator<readonly TakeRecord[]> {
    for await (const batch of this.#take.records(this.#wanted(options))) {
      yield batch.flatMap((item) => this.#altered(item))
    }
  }

  async *reports(options?: TakeItemsOptions): AsyncGenerator<readonly TakeRecord[]> {
    for await (const batch of this.#take.reports(this.#wanted(options))) {
      yield batch.flatMap((item) => this.#altered(item))
    }
  }

  #altered(packet: TakeRecord): TakeRecord[] {
    const altered = this.#alter(packet)
    return altered === undefined ? [] : [altered]
  }

  #wanted(options: TakeItemsOptions = {}): TakeItemsOptions {
    const own = this.session.participants.flatMap(({ tracks }) => tracks.map(({ id }) => id))
    return { ...options, tracks: own.filter((id) => options.tracks?.includes(id) ?? true) }
  }
}
