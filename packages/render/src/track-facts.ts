import type { EncodedSample, Track } from '@rushes/media'
import { ticksToUs, timescaleOf } from '@rushes/media'
import type { ManifestOutput } from './manifest.js'

/** Gathers from the samples of an output what its manifest entry says of them. */
export class TrackFacts {
  readonly #tracks: Map<string, Track>
  readonly #last = new Map<string, { readonly pts: number; readonly step: number }>()
  #video: ManifestOutput['video']
  #audio: ManifestOutput['audio']
  #endUs = Number.NEGATIVE_INFINITY

  constructor(tracks: readonly Track[]) {
    this.#tracks = new Map(tracks.map((track) => [track.id, track]))
  }

  addTrack(track: Track): void {
    this.#tracks.set(track.id, track)
  }

  see(sample: EncodedSample): void {
    const track = this.#tracks.get(sample.trackId)
    if (track === undefined) return
    const last = this.#last.get(sample.trackId)
    const step = sample.duration ?? Math.max(0, Math.min(sample.pts - (last?.pts ?? sample.pts), track.clockRate / 10))
    this.#last.set(sample.trackId, { pts: sample.pts, step })
    this.#endUs = Math.max(this.#endUs, ticksToUs(Math.round(sample.pts + step), timescaleOf(track)))
    const { configuration } = sample
    if (configuration?.kind === 'video') {
      const { width, height } = configuration
      const larger = width * height > (this.#video?.width ?? 0) * (this.#video?.height ?? 0)
      this.#video = {
        codec: this.#video?.codec ?? configuration.codecString,
        width: larger ? width : (this.#video?.width ?? width),
        height: larger ? height : (this.#video?.height ?? height),
      }
    } else if (configuration?.kind === 'audio') {
      const { codecString, sampleRate, channels } = configuration
      this.#audio ??= { codec: codecString, sampleRate, channels }
    }
  }

  /** End of the last sample, microseconds of recording time; `undefined` before the first. */
  get endUs(): number | undefined {
    return Number.isFinite(this.#endUs) ? this.#endUs : undefined
  }

  /** The fields of a manifest entry. */
  describe(): Pick<ManifestOutput, 'video' | 'audio'> {
    return {
      ...(this.#video === undefined ? undefined : { video: this.#video }),
      ...(this.#audio === undefined ? undefined : { audio: this.#audio }),
    }
  }
}
