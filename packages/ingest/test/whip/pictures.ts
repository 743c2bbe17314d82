import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccessUnit, Track, VideoTrack } from '@rushes/media'
import { createDepacketizer } from '@rushes/rtp-depacketizer'
import { type CardFrame, readVideoCards } from '@rushes/testkit/card'
import type { MemoryTrack } from '../memory-target.js'

/** Everything that a depacketizer makes of a track, and what it has to say of it. */
export function depacketize(track: MemoryTrack) {
  const { kind, codec, clockRate = kind === 'video' ? 90_000 : 48_000, payloadType, headerExtensions, fmtp } = track
  const description = {
    ...{ id: 'x', kind, codec, clockRate },
    ...(payloadType === undefined ? {} : { payloadType }),
    ...(headerExtensions === undefined ? {} : { headerExtensions }),
    ...(fmtp === undefined ? {} : { fmtp }),
  } as Track
  // The window is wide because this machine may be busy with other things than this test.
  const depacketizer = createDepacketizer(description, { maxDelayUs: 2_000_000 })
  const units: AccessUnit[] = []
  const reports: { ntpUs: number; cname: string | undefined }[] = []
  let audioFrames = 0
  const take = (item: Parameters<Parameters<typeof depacketizer.push>[1]>[0]): void => {
    if (item.type === 'access-unit') units.push(item)
    else if (item.type === 'audio-frame') audioFrames++
    else if (item.type === 'sender-report') reports.push({ ntpUs: item.ntpUs, cname: item.cname })
  }
  for (const { bytes, arrivalUs } of track.packets) depacketizer.push({ data: bytes, arrivalUs }, take)
  depacketizer.flush(take)
  return { units, audioFrames, reports, stats: depacketizer.stats }
}

const FOURCC: Readonly<Record<string, string>> = { vp8: 'VP80', vp9: 'VP90', av1: 'AV01' }

/** Decodes access units with ffmpeg and reads the cards; a decoding error is an error. */
export async function readCards(codec: VideoTrack['codec'], units: readonly AccessUnit[]): Promise<CardFrame[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ingest-'))
  try {
    const file = join(folder, codec === 'h264' ? 'video.h264' : codec === 'h265' ? 'video.h265' : 'video.ivf')
    await writeFile(file, codec === 'h264' || codec === 'h265' ? annexB(units) : ivf(codec, units))
    return await readVideoCards(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function annexB(units: readonly AccessUnit[]): Uint8Array {
  const startCode = Buffer.from([0, 0, 0, 1])
  return Buffer.concat(units.flatMap(({ nalUnits }) => nalUnits.flatMap((nalUnit) => [startCode, nalUnit])))
}

function ivf(codec: string, units: readonly AccessUnit[]): Uint8Array {
  const header = Buffer.alloc(32)
  header.write('DKIF', 0)
  header.writeUInt16LE(32, 6)
  header.write(FOURCC[codec] ?? '', 8)
  header.writeUInt16LE(640, 12)
  header.writeUInt16LE(360, 14)
  header.writeUInt32LE(90_000, 16)
  header.writeUInt32LE(1, 20)
  const frames = units.map(({ nalUnits, rtpTimestamp }) => {
    // A file of AV1 has temporal delimiters, RTP has none.
    const data = Buffer.concat([...(codec === 'av1' ? [Buffer.from([0x12, 0])] : []), ...nalUnits])
    const head = Buffer.alloc(12)
    head.writeUInt32LE(data.byteLength, 0)
    head.writeBigUInt64LE(BigInt(rtpTimestamp - (units[0]?.rtpTimestamp ?? 0)), 4)
    return Buffer.concat([head, data])
  })
  return Buffer.concat([header, ...frames])
}
