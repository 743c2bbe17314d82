import { openTake, type Take } from '@rushes/take'

/** Opus encoders put 312 samples at 48 kHz before the sound; a receiver in mid-call does not know, and decodes them. */
const OPUS_DELAY_US = 6500
/** First packet that is looked at: GStreamer gives the very first one a timestamp of its own. */
const STEADY_PACKET = 10

interface TrackClock {
  readonly kind: 'audio' | 'video'
  /** By the sender's wall clock, microseconds since 1970, of what the file has at its beginning. */
  readonly zeroUs: number
  readonly reports: number
}

/** What the sender says of its own sync. */
export interface SenderSync {
  /**
   * How much later than in the file the sound is heard, by the sender's reports: what a receiver that believes them must
   * play. NaN where a track has none.
   */
  readonly lateUs: number
  /** Sender reports in the journal. */
  readonly reports: { readonly audio: number; readonly video: number }
}

/** Reads a sender's clocks from the bytes of its packets: by a way of its own, not by that of the pipeline. */
export async function senderSync(takeDir: string): Promise<SenderSync> {
  const take = await openTake(takeDir)
  const clocks: TrackClock[] = []
  for (const { tracks } of take.session.participants) {
    for (const { id, kind, clockRate } of tracks) clocks.push(await clockOf(take, id, kind, clockRate))
  }
  const audio = clocks.find(({ kind }) => kind === 'audio')
  const video = clocks.find(({ kind }) => kind === 'video')
  return {
    lateUs: (audio?.zeroUs ?? Number.NaN) - (video?.zeroUs ?? Number.NaN) + OPUS_DELAY_US,
    reports: { audio: audio?.reports ?? 0, video: video?.reports ?? 0 },
  }
}

async function clockOf(take: Take, id: string, kind: 'audio' | 'video', clockRate: number): Promise<TrackClock> {
  const timestamps: number[] = []
  const reports: { readonly ntpUs: number; readonly timestamp: number }[] = []
  for await (const batch of take.items({ tracks: [id] })) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      const bytes = new DataView(item.data.buffer, item.data.byteOffset, item.data.byteLength)
      if (!item.rtcp) timestamps.push(bytes.getUint32(4))
      // RFC 3550 §6.4.1: a compound packet begins with the sender report.
      else if (bytes.getUint8(1) === 200) {
        const seconds = bytes.getUint32(8) - 2_208_988_800
        const ntpUs = seconds * 1e6 + Math.round((bytes.getUint32(12) * 1e6) / 2 ** 32)
        reports.push({ ntpUs, timestamp: bytes.getUint32(16) })
      }
    }
  }
  const first =
    kind === 'audio'
      ? (timestamps[STEADY_PACKET] ?? Number.NaN) - STEADY_PACKET * (clockRate / 50)
      : (timestamps[0] ?? Number.NaN)
  const zeros = reports
    // | 0: the difference modulo 2^32, with its sign.
    .map(({ ntpUs, timestamp }) => ntpUs - (((timestamp - first) | 0) * 1e6) / clockRate)
    .sort((a, b) => a - b)
  return { kind, zeroUs: zeros[zeros.length >> 1] ?? Number.NaN, reports: reports.length }
}
