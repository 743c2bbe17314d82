import type { TakeEvent } from '@rushes/take'
import type { ManifestMark, ManifestPause } from './manifest.js'
import { TimeCuts } from './time-cuts.js'

/** Where a recording was paused, by the events `pause` (with its `mode`) and `resume` of its take. */
export class Pauses {
  /** Those that are left out of the outputs. */
  readonly cuts: TimeCuts = new TimeCuts()
  readonly #pauses: { readonly startUs: number; endUs: number | undefined; readonly mode: 'cut' | 'hold' }[] = []

  /** @param events of a finished source. */
  constructor(events: readonly TakeEvent[]) {
    for (const event of events) this.take(event)
  }

  take(event: TakeEvent): void {
    const atUs = Math.round(event.atMs * 1000)
    const last = this.#pauses.at(-1)
    const isOpen = last !== undefined && last.endUs === undefined
    if (event.type === 'pause' && !isOpen) {
      const mode = event['mode'] === 'cut' ? 'cut' : 'hold'
      this.#pauses.push({ startUs: atUs, endUs: undefined, mode })
      if (mode === 'cut') this.cuts.begin(atUs)
    } else if (event.type === 'resume' && isOpen) {
      last.endUs = Math.max(last.startUs, atUs)
      this.cuts.end(atUs)
    }
  }

  /** One that was not ended lasts to the end of the recording. */
  list(durationUs: number): ManifestPause[] {
    return this.#pauses.map(({ startUs, endUs, mode }) => ({
      startUs,
      endUs: endUs ?? Math.max(startUs, durationUs),
      mode,
    }))
  }
}

/** The events `mark`. */
export function marksOf(events: readonly TakeEvent[]): ManifestMark[] {
  return events
    .filter((event) => event.type === 'mark')
    .map((event) => ({
      atUs: Math.round(event.atMs * 1000),
      label: typeof event['label'] === 'string' ? event['label'] : '',
    }))
}
