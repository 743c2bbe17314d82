import type { NewTrack, TrackSink, TrackTarget } from '@rushes/media'
import type { IngestFormat, IngestMedia } from '../sdp/ingest-description.js'
import type { IngestEvent } from './ingest-event.js'

/** The track of one media section in the target: begun with its first packet, ended, and begun anew. */
export class TrackOutput {
  readonly #media: IngestMedia
  readonly #participantId: string
  readonly #target: TrackTarget
  readonly #onEvent: (event: IngestEvent) => void
  readonly #onKeyframeNeeded: () => void
  #sink: TrackSink | undefined
  #format: IngestFormat | undefined
  #refused = false
  packets = 0
  /** The target said that memory is short. */
  pressed = 0

  constructor(
    media: IngestMedia,
    participantId: string,
    target: TrackTarget,
    onEvent: (event: IngestEvent) => void,
    onKeyframeNeeded: () => void,
  ) {
    this.#media = media
    this.#participantId = participantId
    this.#target = target
    this.#onEvent = onEvent
    this.#onKeyframeNeeded = onKeyframeNeeded
  }

  get trackId(): string | undefined {
    return this.#sink?.id
  }

  /** Passes on media of `payloadType`. Types that are no codec of the section go along with the track that there is. */
  media(bytes: Uint8Array, payloadType: number, arrivalUs: number): void {
    if (this.#format?.payloadType !== payloadType) {
      const format = this.#media.formats.find((known) => known.payloadType === payloadType)
      if (format !== undefined) {
        if (this.#format !== undefined) this.end('codec-changed')
        this.begin(format)
      }
    }
    if (this.#sink === undefined) return
    this.packets++
    if (!this.#sink.write(bytes, arrivalUs)) this.pressed++
  }

  /** Passes on RTCP; before the first packet there is nobody to take it. */
  rtcp(bytes: Uint8Array, arrivalUs: number): void {
    if (this.#sink !== undefined && !this.#sink.write(bytes, arrivalUs)) this.pressed++
  }

  /** Begins the track. A target that refuses it is not asked again. */
  begin(format: IngestFormat): void {
    if (this.#refused || this.#sink !== undefined) return
    const { kind, mid, headerExtensions } = this.#media
    const participantId = this.#participantId
    const { codec, payloadType, clockRate, channels, fmtp } = format
    const track: NewTrack = {
      participantId,
      kind,
      codec,
      payloadType,
      clockRate,
      headerExtensions,
      ...(channels === undefined ? {} : { channels }),
      ...(fmtp === undefined ? {} : { fmtp }),
      // No SSRC: a sender that restarts takes another one, and only one of them comes through at a time.
      ...(kind === 'video' ? { onKeyframeNeeded: this.#onKeyframeNeeded } : {}),
    }
    try {
      this.#sink = this.#target.addTrack(track)
    } catch (error) {
      this.#refused = true
      this.#onEvent({ type: 'error', mid, error: error as Error })
      return
    }
    this.#format = format
    this.#onEvent({ type: 'track-started', mid, trackId: this.#sink.id, participantId, kind, codec })
  }

  /** Ends the track, if there is one; what comes afterwards begins another. */
  end(reason: 'bye' | 'timeout' | 'codec-changed' | 'closed'): void {
    const sink = this.#sink
    this.#sink = undefined
    this.#format = undefined
    if (sink === undefined) return
    sink.end()
    this.#onEvent({ type: 'track-ended', mid: this.#media.mid, trackId: sink.id, reason })
  }
}
