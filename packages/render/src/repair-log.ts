import type { ConcealedGap } from '@rushes/codecs'
import type { EncodedSample, Track } from '@rushes/media'
import { ticksToUs } from '@rushes/media'
import type { Repair } from './manifest.js'

/** Repairs listed of one participant. A call that loses more is told by the counters. */
const MAX_REPAIRS = 10_000

/** Notes where packets were lost for good, and what stands in their place. */
export class RepairLog {
  readonly #participantId: string
  readonly #videoAction: Repair['action']
  readonly #audioAction: Repair['action']
  readonly #tracks = new Map<string, Track>()
  /** Where the last good sample of a track ended, microseconds of recording time. */
  readonly #goodUntil = new Map<string, number>()
  /** Packets of a track that an entry, or one that was omitted, tells of. */
  readonly #told = new Map<string, number>()
  readonly entries: Repair[] = []
  omitted = 0

  constructor(participantId: string, afterLoss: 'freeze' | 'continue', audioCodec: 'aac' | 'opus') {
    this.#participantId = participantId
    this.#videoAction = afterLoss === 'freeze' ? 'held-picture' : 'continued'
    this.#audioAction = audioCodec === 'aac' ? 'silence' : 'gap'
  }

  addTrack(track: Track): void {
    this.#tracks.set(track.id, track)
  }

  see(sample: EncodedSample, atUs: number): void {
    const track = this.#tracks.get(sample.trackId)
    if (track === undefined) return
    if (sample.lostPackets !== undefined && sample.lostPackets > 0) this.#add(track, sample.lostPackets, atUs)
    this.#goodUntil.set(sample.trackId, atUs + ticksToUs(sample.duration ?? 0, track.clockRate))
  }

  /** What became of a loss of sound, which has been seen by now. */
  concealed({ trackId, startUs, endUs, recoveredUs, concealedUs, silencedUs }: ConcealedGap): void {
    if (silencedUs >= recoveredUs + concealedUs) return
    const index = this.entries.findLastIndex(
      (entry) => entry.trackId === trackId && entry.startUs <= endUs && entry.endUs >= startUs,
    )
    const entry = this.entries[index]
    if (entry?.action !== 'silence') return
    this.entries[index] = { ...entry, action: concealedUs + silencedUs === 0 ? 'recovered' : 'concealed' }
  }

  /** A track has ended. What it lost after its last good sample was never followed by one that could tell. */
  end(trackId: string, lostPackets: number, atUs: number): void {
    const track = this.#tracks.get(trackId)
    const goodUntilUs = this.#goodUntil.get(trackId)
    const untold = lostPackets - (this.#told.get(trackId) ?? 0)
    if (track === undefined || goodUntilUs === undefined || untold <= 0 || atUs <= goodUntilUs) return
    this.#add(track, untold, atUs)
  }

  #add(track: Track, packets: number, atUs: number): void {
    this.#told.set(track.id, (this.#told.get(track.id) ?? 0) + packets)
    if (this.entries.length >= MAX_REPAIRS) {
      this.omitted++
      return
    }
    this.entries.push({
      participantId: this.#participantId,
      trackId: track.id,
      startUs: this.#goodUntil.get(track.id) ?? atUs,
      endUs: atUs,
      cause: 'packet-loss',
      packets,
      action: track.kind === 'video' ? this.#videoAction : this.#audioAction,
    })
  }
}
