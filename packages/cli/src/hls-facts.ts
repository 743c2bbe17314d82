import { readTransportStream } from '@rushes/testkit'
import { describeUnits, type PlaylistInspection, type StreamInspection } from './media-inspection.js'
import { type TransportStreamUnits, timedUnitsOf } from './transport-stream-facts.js'

/** Gathers from the playlists and segments of an HLS presentation, one after the other, what they hold. */
export class HlsFacts {
  readonly #renditions: { readonly uri: string; readonly streams: Map<string, TransportStreamUnits> }[] = []
  #playlist: PlaylistInspection | undefined
  #segmentBytes = 0

  /** Takes what stands at a URI, in the order in which it is read: a media playlist, then its segments. */
  add(uri: string, bytes: Uint8Array): void {
    const text = isPlaylist(bytes) ? new TextDecoder().decode(bytes) : undefined
    if (text === undefined) {
      this.#segmentBytes += bytes.byteLength
      // A transport stream begins with its sync byte; of CMAF the oracle alone speaks.
      if (bytes[0] === 0x47) this.#addSegment(bytes)
    } else if (text.includes('#EXT-X-TARGETDURATION')) {
      this.#playlist ??= describePlaylist(text)
      this.#renditions.push({ uri, streams: new Map() })
    }
  }

  get bytes(): number {
    return this.#segmentBytes
  }

  /** Of the first rendition. */
  get playlist(): PlaylistInspection | undefined {
    return this.#playlist
  }

  get streams(): StreamInspection[] {
    const many = this.#renditions.length > 1
    return this.#renditions.flatMap(({ uri, streams }) =>
      [...streams].map(([id, { facts, units }]) => ({
        ...facts,
        id: many ? `${uri} ${id}` : id,
        ...describeUnits(units, facts.kind === 'video' ? 'video' : 'audio'),
      })),
    )
  }

  #addSegment(bytes: Uint8Array): void {
    const streams = this.#renditions.at(-1)?.streams
    if (streams === undefined) return
    // Each segment by itself: hours of them never stand in memory together.
    for (const stream of readTransportStream(bytes).streams) {
      const found = timedUnitsOf(stream)
      const known = streams.get(found.facts.id)
      if (known === undefined) streams.set(found.facts.id, found)
      else for (const unit of found.units) known.units.push(unit)
    }
  }
}

/** What the tags of a media playlist say (RFC 8216 §4.3); whether they are right is the oracle's business. */
function describePlaylist(text: string): PlaylistInspection {
  const durations = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, seconds]) => Number(seconds))
  const type = /^#EXT-X-PLAYLIST-TYPE:(\w+)/m.exec(text)?.[1]
  const startsAt = /^#EXT-X-PROGRAM-DATE-TIME:(\S+)/m.exec(text)?.[1]
  return {
    segments: durations.length,
    targetDurationS: Number(/^#EXT-X-TARGETDURATION:(\d+)/m.exec(text)?.[1] ?? Number.NaN),
    longestSegmentS: Math.max(0, ...durations),
    discontinuities: [...text.matchAll(/^#EXT-X-DISCONTINUITY\s*$/gm)].length,
    ...(type === undefined ? {} : { type }),
    ...(startsAt === undefined ? {} : { startsAt }),
    ended: /^#EXT-X-ENDLIST\s*$/m.test(text),
  }
}

function isPlaylist(bytes: Uint8Array): boolean {
  // A byte order mark is against the rules, and still a playlist.
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  return new TextDecoder().decode(bytes.subarray(start, start + 7)) === '#EXTM3U'
}
