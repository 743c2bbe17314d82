import type { TrackHealth } from '@rushes/render'
import type { RecordedTrack } from './recorded-track.js'
import type { TrackStats } from './recording-signal.js'

/** Makes bit rates of byte counts: of each track between one look and the next. */
export class TrackMeter {
  readonly #lookedAt = new Map<string, { readonly bytes: number; readonly atUs: number }>()

  look(tracks: Iterable<RecordedTrack>, health: readonly TrackHealth[], nowUs: number): TrackStats[] {
    const byId = new Map(health.map((one) => [one.trackId, one]))
    return [...tracks].map((track) => {
      const { packets, bytes, skipped } = track.stats
      const last = this.#lookedAt.get(track.id)
      this.#lookedAt.set(track.id, { bytes, atUs: nowUs })
      const elapsedUs = last === undefined ? 0 : nowUs - last.atUs
      const bitRate =
        last === undefined || elapsedUs <= 0 ? 0 : Math.round(((bytes - last.bytes) * 8_000_000) / elapsedUs)
      const own = track.journalId === undefined ? undefined : byId.get(track.journalId)
      const { participantId } = track.definition
      const known = { trackId: track.id, participantId, packets, bytes, bitRate, skipped }
      return own === undefined ? known : { ...known, health: own }
    })
  }
}
