import { readFileSync } from 'node:fs'
import type { Track } from '@rushes/media'
import type { RtpArrival } from '../src/index.js'

/** Takes under test/fixtures: see the README there. */
const FIXTURES = new URL('../../../test/fixtures/', import.meta.url)

export interface DumpRecord extends RtpArrival {
  readonly arrivalUs: number
  readonly isRtcp: boolean
}

/** The records of an rtpdump file, in arrival order. */
function readRtpdump(path: string): DumpRecord[] {
  const file = readFileSync(new URL(path, FIXTURES))
  const records: DumpRecord[] = []
  let offset = file.indexOf(0x0a) + 1 + 16
  while (offset < file.length) {
    const length = file.readUInt16BE(offset)
    records.push({
      isRtcp: file.readUInt16BE(offset + 2) === 0,
      arrivalUs: file.readUInt32BE(offset + 4) * 1000,
      data: file.subarray(offset + 8, offset + length),
    })
    offset += length
  }
  return records
}

export interface TakeTrack {
  readonly take: string
  readonly name: string
  readonly track: Track & { readonly ssrc: number; readonly payloadType: number }
  readonly records: readonly DumpRecord[]
  readonly impairment: unknown
}

interface SessionTrack {
  readonly id: string
  readonly kind: 'audio' | 'video'
  readonly file: string
  readonly ssrc: number
  readonly mimeType: string
  readonly payloadType: number
  readonly clockRate: number
  readonly channels?: number
  readonly fmtp: string
}

interface Session {
  readonly participants: readonly { readonly tracks: readonly SessionTrack[] }[]
  readonly impairment?: unknown
}

/** All tracks of a take. */
export function readTake(take: string): TakeTrack[] {
  const session = JSON.parse(readFileSync(new URL(`${take}/session.json`, FIXTURES), 'utf8')) as Session
  return session.participants.flatMap(({ tracks }) =>
    tracks.map(({ id, kind, file, ssrc, payloadType, clockRate, channels, fmtp }) => ({
      take,
      name: `${take}/${id}`,
      track: (kind === 'video'
        ? { id, kind, codec: 'h264', clockRate, ssrc, payloadType, fmtp }
        : {
            id,
            kind,
            codec: 'opus',
            clockRate,
            ssrc,
            payloadType,
            fmtp,
            channels: channels ?? 2,
          }) as TakeTrack['track'],
      records: readRtpdump(`${take}/${file}`),
      impairment: session.impairment,
    })),
  )
}
