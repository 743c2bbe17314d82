import { viewOf } from './capture-input.js'
import type { Datagram } from './datagram.js'
import type { PlannedTrack } from './import-plan.js'
import type { SkippedStream } from './import-report.js'
import { rtcpSendersOf } from './rtcp-senders.js'
import { type RtpStream, streamKey } from './rtp-streams.js'

/** Which tracks the datagrams of a capture belong to. */
export class StreamTracks {
  readonly #byKey = new Map<string, PlannedTrack>()
  readonly #bySsrc = new Map<number, { readonly stream: RtpStream; readonly track: PlannedTrack }[]>()
  readonly #skipped = new Map<string, SkippedStream['cause']>()

  add(stream: RtpStream, track: PlannedTrack): void {
    this.#byKey.set(stream.key, track)
    this.#bySsrc.set(stream.ssrc, [...(this.#bySsrc.get(stream.ssrc) ?? []), { stream, track }])
  }

  skip(stream: RtpStream, cause: SkippedStream['cause']): void {
    this.#skipped.set(stream.key, cause)
  }

  /** The track of an RTP packet, or why it has none. */
  ofRtp(datagram: Datagram): PlannedTrack | SkippedStream['cause'] | 'not-a-stream' {
    const key = streamKey(datagram, viewOf(datagram.payload).getUint32(8))
    return this.#byKey.get(key) ?? this.#skipped.get(key) ?? 'not-a-stream'
  }

  /** The tracks that an RTCP compound packet reports on: from the same host, to the same port or the next (RFC 3550 §11). */
  ofRtcp(datagram: Datagram): readonly PlannedTrack[] {
    const tracks: PlannedTrack[] = []
    for (const ssrc of rtcpSendersOf(datagram.payload)?.ssrcs ?? []) {
      for (const { stream, track } of this.#bySsrc.get(ssrc) ?? []) {
        const { sourceHost, destinationHost, destinationPort } = stream
        const ports = datagram.destinationPort - destinationPort
        const sameHosts = datagram.sourceHost === sourceHost && datagram.destinationHost === destinationHost
        if (sameHosts && (ports === 0 || ports === 1)) tracks.push(track)
      }
    }
    return tracks
  }
}
