import type { RecordingEventData } from '@rushes/media'
import type { Refusal } from '@rushes/take'

/** Packets of tracks that were not kept, over all causes. */
export function packetsOf(refused: readonly Refusal[]): number {
  let packets = 0
  for (const { trackId, count } of refused) if (trackId !== undefined) packets += count
  return packets
}

/** Finds what is new in the counts of what the journal and the live outputs could not take. */
export class RefusalWatch {
  #toldJournal = 0
  #toldLive = 0

  /** The warnings since the last look; `live` is absent where there are no live outputs. */
  look(journal: readonly Refusal[], live: readonly Refusal[] | undefined): RecordingEventData[] {
    const warnings: RecordingEventData[] = []
    const refused = packetsOf(journal)
    if (refused > this.#toldJournal) {
      const message = `${refused - this.#toldJournal} packets could not be journalled`
      warnings.push({ code: 'JOURNAL_REFUSED', message, causes: [...new Set(journal.map(({ cause }) => cause))] })
      this.#toldJournal = refused
    }
    const liveRefused = packetsOf(live ?? [])
    // A live render that has failed takes nothing any more; that has been told.
    if (liveRefused > this.#toldLive && this.#toldLive === 0) {
      const message = 'the live outputs cannot keep up; the journal has everything'
      warnings.push({ code: 'LIVE_BEHIND', message })
    }
    this.#toldLive = liveRefused
    return warnings
  }
}
