import type { Session, Take, TakeItem, TakeItemsOptions, TakeSource } from '@rushes/take'

interface TrackLoop {
  readonly clockRate: number
  firstSequence: number | undefined
  sequences: number
}

/**
 * A take over and over, as one long call: sequence numbers, timestamps, sender reports and arrivals run on from each
 * round to the next. Nothing of it is on disk, so its length costs nothing.
 */
export class LoopedSource implements TakeSource {
  readonly finished = true
  readonly session: Session
  readonly #take: Take
  readonly #rounds: number
  readonly #roundMs: number

  constructor(take: Take, minutes: number) {
    this.#take = take
    this.#roundMs = take.session.durationMs as number
    this.#rounds = Math.ceil((minutes * 60_000) / this.#roundMs)
    const durationMs = this.#rounds * this.#roundMs
    this.session = {
      ...take.session,
      durationMs,
      participants: take.session.participants.map((participant) => ({
        ...participant,
        tracks: participant.tracks.map((track) => ({ ...track, leftAtMs: durationMs })),
      })),
    }
  }

  async *items(options: TakeItemsOptions = {}): AsyncGenerator<readonly TakeItem[]> {
    const tracks = new Map<string, TrackLoop>()
    for (let round = 0; round < this.#rounds; round++) {
      for await (const batch of this.#take.items(options)) {
        const out: TakeItem[] = []
        for (const item of batch) {
          if (item.type === 'track') {
            if (round > 0) continue
            tracks.set(item.track.id, { clockRate: item.track.clockRate, firstSequence: undefined, sequences: 0 })
            out.push(item)
          } else if (item.type === 'packet') {
            const loop = tracks.get(item.trackId) as TrackLoop
            const data = item.rtcp
              ? this.#movedReport(item.data, round, loop)
              : this.#movedPacket(item.data, round, loop)
            out.push({ ...item, data, arrivalUs: item.arrivalUs + round * this.#roundMs * 1000 })
          }
        }
        yield out
      }
    }
    yield [{ type: 'end' }]
  }

  #movedPacket(packet: Uint8Array, round: number, loop: TrackLoop): Uint8Array {
    const data = packet.slice()
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const sequence = view.getUint16(2)
    loop.firstSequence ??= sequence
    if (round === 0) loop.sequences = Math.max(loop.sequences, ((sequence - loop.firstSequence) & 0xffff) + 1)
    view.setUint16(2, (sequence + round * loop.sequences) & 0xffff)
    view.setUint32(4, (view.getUint32(4) + this.#ticks(round, loop)) >>> 0)
    return data
  }

  /** The sender report stands first in its compound (RFC 3550 §6.1); a BYE behind it would end the call: it is cut off. */
  #movedReport(compound: Uint8Array, round: number, loop: TrackLoop): Uint8Array {
    const data = withoutBye(compound)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (view.getUint8(1) !== 200) return data
    const seconds = view.getUint32(8) + view.getUint32(12) / 2 ** 32 + (round * this.#roundMs) / 1000
    view.setUint32(8, Math.floor(seconds) >>> 0)
    view.setUint32(12, Math.floor((seconds % 1) * 2 ** 32) >>> 0)
    view.setUint32(16, (view.getUint32(16) + this.#ticks(round, loop)) >>> 0)
    return data
  }

  #ticks(round: number, loop: TrackLoop): number {
    return Math.round((round * this.#roundMs * loop.clockRate) / 1000)
  }
}

function withoutBye(compound: Uint8Array): Uint8Array {
  const view = new DataView(compound.buffer, compound.byteOffset, compound.byteLength)
  let end = 0
  while (end + 4 <= compound.byteLength) {
    if (view.getUint8(end + 1) === 203) break
    end += (view.getUint16(end + 2) + 1) * 4
  }
  return compound.slice(0, Math.min(end, compound.byteLength))
}
