import { startWhipServer, type WhipSession } from '@rushes/ingest/whip'
import type { TrackTarget, VideoCodec } from '@rushes/media'
import type { OfferTaker } from './call-server.js'
import { WeriftPeers } from './werift-peers.js'

/** A way into the recording that is being tested. */
export interface WayIn extends OfferTaker {
  close(): Promise<void>
  /** What the way in counted, for a report. */
  stats(): unknown
}

/** The ways in, by name. */
export type Transport = 'whip' | 'werift'

/** What a way in takes. */
export interface WayInOptions {
  readonly transport: Transport
  readonly codec: VideoCodec
  /**
   * Take redundant sound over WHIP: hardly any of it is lost then. But Chromium, when it sends that, counts its reports'
   * RTP time at 8 kHz from the last packet on, and so reports the sound late: by 25 ms, and by more where it was stalled.
   */
  readonly audioRedundancy: boolean
}

export function openWayIn(target: TrackTarget, options: WayInOptions): Promise<WayIn> {
  return options.transport === 'whip' ? openWhip(target, options) : openWerift(target, options)
}

/** The WHIP endpoint behind its own HTTP server: offers are posted to it as any publisher would. */
async function openWhip(target: TrackTarget, { audioRedundancy }: WayInOptions): Promise<WayIn> {
  const sessions: WhipSession[] = []
  const failures: Error[] = []
  const server = await startWhipServer({
    port: 0,
    audioRedundancy,
    ice: { addresses: ['127.0.0.1'] },
    onPublish: ({ stream: participantId }) =>
      participantId === undefined
        ? { refuse: 'who are you?' }
        : { target, participantId, onSession: (session) => sessions.push(session) },
    onError: (error) => failures.push(error),
  })
  return {
    async publish(id, offer) {
      const headers = { 'content-type': 'application/sdp' }
      const response = await fetch(`${server.url}/${id}`, { method: 'POST', body: offer, headers })
      const answer = await response.text()
      if (response.status !== 201) throw new Error(`${response.status} ${answer}`)
      const resource = new URL(response.headers.get('location') ?? '', server.url)
      return { answer, hangUp: () => fetch(resource, { method: 'DELETE' }) }
    },
    close: () => server.close(),
    stats: () => ({ sessions: sessions.map(({ stats }) => stats), failures: failures.map(String) }),
  }
}

async function openWerift(target: TrackTarget, { codec }: WayInOptions): Promise<WayIn> {
  const peers = new WeriftPeers(target, codec)
  return {
    async publish(id, offer) {
      return { answer: await peers.publish(id, offer), hangUp: () => peers.hangUp(id) }
    },
    close: () => peers.close(),
    stats: () => peers.stats,
  }
}
