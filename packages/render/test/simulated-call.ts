/** A call whose every capture time is known, as packets on the wire. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serializeRtpPacket } from '@rushes/rtp-depacketizer'
import {
  createLiveSource,
  createTakeWriter,
  type LiveSource,
  openTake,
  type SessionTrack,
  type Take,
} from '@rushes/take'
import { temporaryFolder } from './fixtures.js'

/** One track of a simulated call. Times are milliseconds after the start of the recording. */
export interface SimulatedTrack {
  readonly participant: string
  readonly kind: 'audio' | 'video'
  readonly fromMs: number
  readonly untilMs: number
  /** From capture to arrival: of media; reports take 30 ms. */
  readonly delayMs: number
  /** When the sender makes its reports. */
  readonly reportsMs: readonly number[]
  /** By how much the RTP time of a report is wrong, by its number. @defaultValue 0 */
  readonly reportErrorsMs?: readonly number[]
  /** Of the media of one unit, beside its head. @defaultValue 0 */
  readonly paddingBytes?: number
  /** Tells its tracks apart where there are several of one kind. */
  readonly name?: string
}

/** A packet with its arrival, microseconds of recording time. */
interface SimulatedPacket {
  readonly trackId: string
  readonly data: Uint8Array
  readonly arrivalUs: number
}

/** The recorder's wall clock when the recording began. */
const STARTED_AT = '2026-09-21T14:13:20.000Z'
const NTP_AT_START_S = Date.parse(STARTED_AT) / 1000 + 2_208_988_800
/** SPS (64x48, Baseline), PPS and one IDR slice in a STAP-A (RFC 6184 §5.7.1): a whole picture in one packet. */
const PICTURES = ['65888601020304', '6588828001020304'].map((slice) => ['6742c01fda11e4', '68ce3880', slice])
const OPUS = Uint8Array.of(0xf8, 0xff, 0xfe)

export function trackIdOf({ participant, kind, name = '' }: SimulatedTrack): string {
  return `${participant}-${kind}${name}`
}

function entryOf(track: SimulatedTrack, number: number): SessionTrack {
  const id = trackIdOf(track)
  return {
    id,
    file: `${id}.rtpdump`,
    kind: track.kind,
    mimeType: track.kind === 'video' ? 'video/H264' : 'audio/opus',
    payloadType: track.kind === 'video' ? 96 : 111,
    clockRate: track.kind === 'video' ? 90_000 : 48_000,
    ...(track.kind === 'audio' ? { channels: 2 } : {}),
    ssrc: 1000 + number,
    joinedAtMs: track.fromMs,
  }
}

/** All packets of a call, in the order of their arrival. */
function packetsOf(tracks: readonly SimulatedTrack[]): SimulatedPacket[] {
  return tracks.flatMap(packetsOfTrack).sort((a, b) => a.arrivalUs - b.arrivalUs)
}

function packetsOfTrack(track: SimulatedTrack, number: number): SimulatedPacket[] {
  const { kind, fromMs, untilMs, delayMs, reportsMs, reportErrorsMs = [], paddingBytes = 0 } = track
  const clockRate = kind === 'video' ? 90_000 : 48_000
  const trackId = trackIdOf(track)
  const ssrc = 1000 + number
  const rtpOf = (ms: number): number => (77_000 * (number + 1) + Math.round((ms * clockRate) / 1000)) % 2 ** 32
  const packets: SimulatedPacket[] = []
  const stepMs = kind === 'video' ? 40 : 20
  for (let index = 0; fromMs + index * stepMs < untilMs; index++) {
    const ms = fromMs + index * stepMs
    const data = serializeRtpPacket({
      payloadType: kind === 'video' ? 96 : 111,
      sequenceNumber: index & 0xffff,
      rtpTimestamp: rtpOf(ms),
      ssrc,
      marker: kind === 'video',
      payload: kind === 'video' ? pictureOf(index, paddingBytes) : OPUS,
    })
    packets.push({ trackId, data, arrivalUs: (ms + delayMs) * 1000 })
  }
  for (const [index, ms] of reportsMs.entries()) {
    const data = reportOf(ssrc, ms, rtpOf(ms + (reportErrorsMs[index] ?? 0)), track.participant)
    packets.push({ trackId, data, arrivalUs: (ms + 30) * 1000 })
  }
  return packets
}

function pictureOf(index: number, paddingBytes: number): Uint8Array {
  const nalUnits = (PICTURES[index % 2] as string[]).map((hex) => Buffer.from(hex, 'hex'))
  // Filler data (ITU-T H.264 §7.4.1, NAL unit type 12): nobody shows it.
  if (paddingBytes > 0) nalUnits.push(Buffer.concat([Buffer.of(12), Buffer.alloc(paddingBytes, 0xff), Buffer.of(0x80)]))
  const parts = nalUnits.flatMap((unit) => [Buffer.of(unit.byteLength >> 8, unit.byteLength & 0xff), unit])
  return new Uint8Array(Buffer.concat([Buffer.of(0x78), ...parts]))
}

/** A sender report with the CNAME of its participant (RFC 3550 §6.4.1, §6.5.1). */
function reportOf(ssrc: number, ms: number, rtpTimestamp: number, cname: string): Uint8Array {
  const words = Math.ceil((4 + 2 + cname.length + 1) / 4)
  const bytes = Buffer.alloc(28 + 4 + 4 * words)
  bytes.writeUInt32BE(0x80c8_0006, 0)
  bytes.writeUInt32BE(ssrc, 4)
  bytes.writeUInt32BE(NTP_AT_START_S + Math.floor(ms / 1000), 8)
  bytes.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), 12)
  bytes.writeUInt32BE(rtpTimestamp, 16)
  bytes.writeUInt32BE(0x81ca_0000 + words, 28)
  bytes.writeUInt32BE(ssrc, 32)
  bytes[36] = 1
  bytes[37] = cname.length
  bytes.write(cname, 38, 'latin1')
  return new Uint8Array(bytes)
}

/** The call as a finished take. */
export async function takeOf(tracks: readonly SimulatedTrack[]): Promise<Take> {
  const dir = join(temporaryFolder(), 'take')
  const writer = await createTakeWriter(dir, { startedAt: STARTED_AT, name: 'call' })
  for (const [number, track] of tracks.entries()) writer.addTrack(track.participant, entryOf(track, number))
  for (const { trackId, data, arrivalUs } of packetsOf(tracks)) writer.write(trackId, data, arrivalUs)
  await writer.finish()
  return await openTake(dir)
}

/** What happens while a call is played. */
interface CallPlan {
  /** Before what arrives at each packet. */
  readonly onPacket?: (packet: SimulatedPacket, live: LiveSource) => Promise<void> | undefined
  /** Ends the call here, milliseconds. */
  readonly untilMs?: number
}

/** The reader gets its turn so often, microseconds of recording time. */
const TURN_US = 100_000

/** The call as a growing source, as fast as its reader goes. */
export function liveOf(tracks: readonly SimulatedTrack[], { onPacket, untilMs = Infinity }: CallPlan = {}): LiveSource {
  const live = createLiveSource({ startedAt: STARTED_AT, name: 'call' }, { idleMs: 3_600_000, maxDelayMs: 1 })
  const feed = async (): Promise<void> => {
    const begun = new Set<string>()
    let turnUs = 0
    for (const packet of packetsOf(tracks)) {
      if (packet.arrivalUs > untilMs * 1000) break
      const waiting = onPacket?.(packet, live)
      if (waiting !== undefined) await waiting
      for (const [number, track] of tracks.entries()) {
        if (begun.has(trackIdOf(track)) || track.fromMs * 1000 > packet.arrivalUs) continue
        begun.add(trackIdOf(track))
        live.addTrack(track.participant, entryOf(track, number))
      }
      live.write(packet.trackId, packet.data, packet.arrivalUs)
      if (packet.arrivalUs < turnUs) continue
      turnUs = packet.arrivalUs + TURN_US
      while (live.stats.bufferedBytes > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    live.end()
  }
  void feed()
  return live
}

/** Presentation times of an MP4's packets by kind, as ffprobe reads them; milliseconds of media time. */
export function timesMs(mp4: Uint8Array): { readonly video: number[]; readonly audio: number[] } {
  const file = join(temporaryFolder(), 'probed.mp4')
  writeFileSync(file, mp4)
  const args = ['-v', 'quiet', '-show_entries', 'packet=codec_type,pts_time', '-of', 'csv=p=0', file]
  const lines = execFileSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
    .trim()
    .split('\n')
  rmSync(file)
  const of = (kind: string): number[] =>
    lines.flatMap((line) => (line.startsWith(kind) ? [Number(line.split(',')[1]) * 1000] : []))
  return { video: of('video'), audio: of('audio') }
}
