import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serializeRtpdumpHeader, serializeRtpdumpRecord, type TakeEvent } from '@rushes/take'
import { packetizeH264 } from '@rushes/testkit'

/** A video track of a take that is made: H264 in Annex B, one slice a picture, no B-frames. */
export interface MadeTrack {
  readonly participantId: string
  readonly id: string
  /** One picture after the other. */
  readonly pictures: readonly (readonly Uint8Array[])[]
  readonly fps: number
  /** When the first picture comes. */
  readonly fromMs: number
}

const STARTED_AT = '2026-11-21T12:00:00.000Z'
const CLOCK_RATE = 90_000

/** Writes a take of video tracks as a recorder would: one rtpdump file a track, with a sender report each second. */
export async function makeTake(
  dir: string,
  tracks: readonly MadeTrack[],
  durationMs: number,
  events: readonly TakeEvent[] = [],
): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const startMs = Date.parse(STARTED_AT)
  const participants = new Map<string, object[]>()
  for (const [index, track] of tracks.entries()) {
    const ssrc = 1000 + index
    const units = track.pictures.map((nalUnits, i) => ({
      nalUnits,
      rtpTimestamp: 5000 + Math.round((i * CLOCK_RATE) / track.fps),
    }))
    const chunks: Uint8Array[] = [serializeRtpdumpHeader({ address: '127.0.0.1/5004', startUs: startMs * 1000 })]
    let nextReport = 0
    for (const { data, unit } of packetizeH264(units, { ssrc })) {
      const seconds = unit / track.fps
      const offsetMs = Math.round(track.fromMs + seconds * 1000)
      if (seconds >= nextReport) {
        nextReport += 1
        const report = senderReport(ssrc, (startMs + track.fromMs) / 1000 + seconds, 5000 + seconds * CLOCK_RATE)
        chunks.push(serializeRtpdumpRecord({ rtcp: true, offsetMs, data: report }))
      }
      chunks.push(serializeRtpdumpRecord({ rtcp: false, offsetMs, data }))
    }
    const file = `${track.id}.rtpdump`
    await writeFile(join(dir, file), Buffer.concat(chunks))
    const entry = {
      ...{ id: track.id, kind: 'video', file, ssrc, mimeType: 'video/H264', payloadType: 96, clockRate: CLOCK_RATE },
      joinedAtMs: track.fromMs,
      leftAtMs: Math.min(durationMs, Math.round(track.fromMs + (track.pictures.length * 1000) / track.fps)),
    }
    participants.set(track.participantId, [...(participants.get(track.participantId) ?? []), entry])
  }
  const session = {
    ...{ formatVersion: 1, name: 'made', startedAt: STARTED_AT, durationMs },
    participants: [...participants].map(([id, ofTracks]) => ({ id, tracks: ofTracks })),
    events,
  }
  await writeFile(join(dir, 'session.json'), JSON.stringify(session, null, 2))
}

/** Encodes one of ffmpeg's moving test pictures, and returns the NAL units of each picture. */
export async function encodePictures(
  path: string,
  options: {
    readonly source: string
    readonly seconds: number
    readonly bitRate: string
    readonly keyframeEvery: number
  },
): Promise<Uint8Array[][]> {
  await encodeH264(path, options)
  return picturesOf(await readFile(path))
}

async function encodeH264(
  path: string,
  options: {
    readonly source: string
    readonly seconds: number
    readonly bitRate: string
    readonly keyframeEvery: number
  },
): Promise<void> {
  const { source, seconds, bitRate, keyframeEvery } = options
  const g = String(keyframeEvery)
  await promisify(execFile)('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-t', String(seconds), '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-threads', '1', '-profile:v', 'baseline'],
    ...['-bf', '0', '-g', g, '-keyint_min', g, '-sc_threshold', '0', '-b:v', bitRate, '-maxrate', bitRate],
    ...['-bufsize', bitRate, '-f', 'h264', path],
  ])
}

/** NAL units by picture; SEI and access unit delimiters are left out. */
function picturesOf(annexB: Uint8Array): Uint8Array[][] {
  const pictures: Uint8Array[][] = []
  let open: Uint8Array[] = []
  for (const nalUnit of splitAnnexB(annexB)) {
    const type = (nalUnit[0] as number) & 31
    if (type === 6 || type === 9) continue
    open.push(nalUnit)
    if (type !== 1 && type !== 5) continue
    pictures.push(open)
    open = []
  }
  return pictures
}

function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const starts: { readonly code: number; readonly unit: number }[] = []
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const startCode = Buffer.of(0, 0, 1)
  for (let at = view.indexOf(startCode); at >= 0; at = view.indexOf(startCode, at + 3)) {
    starts.push({ code: at > 0 && view[at - 1] === 0 ? at - 1 : at, unit: at + 3 })
  }
  return starts.map(({ unit }, i) => bytes.subarray(unit, starts[i + 1]?.code ?? bytes.byteLength))
}

/** RFC 3550 §6.4.1 and §6.5. */
function senderReport(ssrc: number, unixSeconds: number, rtpTimestamp: number): Uint8Array {
  const cname = Buffer.from('made')
  const report = Buffer.alloc(28 + 12 + 4)
  report.writeUInt8(0x80, 0)
  report.writeUInt8(200, 1)
  report.writeUInt16BE(6, 2)
  report.writeUInt32BE(ssrc, 4)
  const ntp = unixSeconds + 2_208_988_800
  report.writeUInt32BE(Math.floor(ntp), 8)
  report.writeUInt32BE(Math.floor((ntp % 1) * 2 ** 32), 12)
  report.writeUInt32BE(Math.round(rtpTimestamp) >>> 0, 16)
  report.writeUInt8(0x81, 28)
  report.writeUInt8(202, 29)
  report.writeUInt16BE(3, 30)
  report.writeUInt32BE(ssrc, 32)
  report.writeUInt8(1, 36)
  report.writeUInt8(cname.byteLength, 37)
  cname.copy(report, 38)
  return report
}
