import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openTake } from '@rushes/take'
import type { RelayedStream } from './lossy-relay.js'

/** What the journal has of one track. */
export interface Arrived {
  readonly ssrc: number
  /** When the first sender report came. */
  readonly reportedUs: number
  readonly sequences: ReadonlySet<number>
}

/** Packets of one track, from the browser to the journal. */
export interface TrackMeasure {
  readonly kind: 'audio' | 'video'
  /** That left the browser, retransmissions and padding aside. */
  readonly packets: number
  /** Of those: lost on the way at first. */
  readonly lost: number
  /** Of the lost: in the journal all the same. */
  readonly repaired: number
  /** Of the lost: not in the journal. */
  readonly lostForGood: number
  /** Not lost on the way, and not in the journal. */
  readonly refused: number
  /** Of the refused: sent before the first that is in the journal. */
  readonly early: number
}

/** Reads the packets of each track of a journal. */
export async function arrivedPackets(take: string): Promise<ReadonlyMap<string, Arrived>> {
  const tracks = new Map<string, { ssrc: number; sequences: Set<number>; reportedUs: number }>()
  for await (const batch of (await openTake(take)).items()) {
    for (const item of batch) {
      if (item.type !== 'packet') continue
      const view = new DataView(item.data.buffer, item.data.byteOffset, item.data.byteLength)
      let track = tracks.get(item.trackId)
      if (track === undefined) {
        track = { ssrc: 0, sequences: new Set(), reportedUs: Number.POSITIVE_INFINITY }
        tracks.set(item.trackId, track)
      }
      // What the journal keeps of RTCP are compounds with a sender report.
      if (item.rtcp) track.reportedUs = Math.min(track.reportedUs, item.arrivalUs)
      else if (track.sequences.size === 0) track.ssrc = view.getUint32(8)
      if (!item.rtcp && view.getUint32(8) === track.ssrc) track.sequences.add(view.getUint16(2))
    }
  }
  return tracks
}

/** Makes a folder of a journal as the reader of test cards wants it: with tones, cards and SSRCs. Resolves with its path. */
export async function withCards(
  take: string,
  called: readonly { readonly id: string; readonly cardId: number; readonly toneHz: number }[],
  arrived: ReadonlyMap<string, Arrived>,
  folder: string,
): Promise<string> {
  await mkdir(folder)
  const session = JSON.parse(await readFile(join(take, 'session.json'), 'utf8')) as {
    participants: { id: string; tracks: { id: string; file: string }[] }[]
  }
  const participants = session.participants.map((participant) => {
    const { cardId, toneHz } = called.find(({ id }) => id === participant.id) ?? {}
    const tracks = participant.tracks.map((track) => ({ ...track, ssrc: arrived.get(track.id)?.ssrc }))
    return { ...participant, cardId, toneHz, tracks }
  })
  for (const { file } of participants.flatMap(({ tracks }) => tracks)) {
    await symlink(join(take, file), join(folder, file))
  }
  await writeFile(join(folder, 'session.json'), JSON.stringify({ name: 'call', ...session, participants }))
  return folder
}

/** The stream that a track is, on its way. @throws Error where it took another way */
export function streamOf(arrived: Arrived | undefined, streams: readonly RelayedStream[]): RelayedStream {
  const stream = streams.find(({ ssrc }) => ssrc === arrived?.ssrc)
  if (stream === undefined) throw new Error(`what is in the journal as ${arrived?.ssrc} did not go through the relay`)
  return stream
}

/** Holds a track of the journal against what passed the relay. */
export function measureTrack(
  kind: 'audio' | 'video',
  sequences: ReadonlySet<number>,
  stream: RelayedStream,
): TrackMeasure {
  const carrying = [...stream.sent].filter((sequence) => !stream.padded.has(sequence))
  const lost = carrying.filter((sequence) => stream.lost.has(sequence))
  const repaired = lost.filter((sequence) => sequences.has(sequence)).length
  const refused = carrying.filter((sequence) => !stream.lost.has(sequence) && !sequences.has(sequence))
  const first = carrying.findIndex((sequence) => sequences.has(sequence))
  return {
    ...{ kind, packets: carrying.length, lost: lost.length },
    ...{ repaired, lostForGood: lost.length - repaired, refused: refused.length },
    early: carrying.slice(0, Math.max(0, first)).filter((sequence) => !stream.lost.has(sequence)).length,
  }
}
